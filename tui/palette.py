"""The command palette: searches all actions that apply, themes, and certificates by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar, Final

from msgspec import Struct
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import Button, Input, OptionList
from textual.widgets.option_list import Option

from tui.action import Action, Situation, why_not
from tui.actions import offered
from tui.certificate_search import CertificateSearch, begun
from tui.deck import Deck
from tui.glyphs import printable
from tui.screens.dialogs.dialog import Dialog
from tui.screens.page import Page
from tui.screens.waiting import waiting_orders
from tui.widgets.lines import fit
from tui.widgets.options import Options
from tui.wording import text

_MOST: Final = 60
"""Most commands to list: typing another letter narrows the search."""


class PaletteEntry(Struct, frozen=True):
    """One line of the palette."""

    key: str
    title: str
    words: str
    """The text to search, in lower case."""
    do: Callable[[], Any]
    why_not: str = ""
    """Why it does not apply now. Empty: it applies."""


def commands(page: Page[Any]) -> list[PaletteEntry]:
    """Return the commands on a page, in the order of the table, with waiting orders and themes last."""
    found = [
        PaletteEntry(
            action.key_shown,
            action.title,
            _words(action),
            partial(page.deck.perform, action),
        )
        for action in offered(page.actions(), page.situation())
        if action.palette
    ]
    found += _waiting(page.deck)
    for theme in page.deck.deck_themes():
        title = f"Theme: {printable(theme.name)}"
        found.append(PaletteEntry("", title, title.casefold(), partial(setattr, page.deck, "theme", theme.name)))
    return found


def _words(action: Action) -> str:
    return f"{action.title} {action.label} {action.also}".casefold()


def inapplicable(page: Page[Any]) -> Iterator[PaletteEntry]:
    """Yield a command for each action of a page that does not apply now. Running it shows why."""
    situation = page.situation()
    for action in page.actions():
        reason = text.printable(why_not(action, situation)) if action.palette else ""
        if reason:
            say = partial(page.deck.notify, reason, title=action.title, timeout=5, markup=False)
            yield PaletteEntry(action.key_shown, action.title, _words(action), say, reason)


def _waiting(deck: Deck) -> Iterator[PaletteEntry]:
    """Yield a command for each order that waits for manual DNS records."""
    for name in waiting_orders(deck.engine):
        title = f"DNS records of {printable(name)}: its order waits"
        yield PaletteEntry("", title, title.casefold(), partial(_open_records, deck, name))


def _open_records(deck: Deck, name: str) -> None:
    from tui.screens.records import RecordsScreen

    deck.push_screen(RecordsScreen(name))


def certificates(deck: Deck, search: CertificateSearch, typed: str) -> Iterator[PaletteEntry]:
    """Yield a command for each certificate that was found, which moves the cursor to it."""
    for words, lineage in search.best(typed.casefold().split(), _MOST):
        title = f"{printable(lineage.name)}  {text.days_left(lineage, deck.now())}"
        yield PaletteEntry("", title, words, partial(deck.go_to, lineage.name))


def ranked(found: list[PaletteEntry], typed: str) -> list[PaletteEntry]:
    """Return the commands that contain every typed word: those where words begin with them first, inapplicable ones last."""
    words = typed.casefold().split()
    hits = [command for command in found if all(word in command.words for word in words)]
    return sorted(hits, key=lambda command: (bool(command.why_not), -begun(command.words, words)))


class Finder(Dialog[None]):
    """A dialog with a search field and a list of commands."""

    BINDINGS: ClassVar = [
        Binding("down,ctrl+n", "move(1)", show=False, priority=True),
        Binding("up,ctrl+p", "move(-1)", show=False, priority=True),
        Binding("pagedown", "move(8)", show=False, priority=True),
        Binding("pageup", "move(-8)", show=False, priority=True),
        Binding("enter,ctrl+j", "run", show=False, priority=True),
    ]
    AUTO_FOCUS = "Input"
    hint = ""

    def __init__(self, page: Page[Any]) -> None:
        super().__init__()
        self._page = page
        self._found: list[PaletteEntry] = []

    @classmethod
    def opened_from(cls, deck: Deck) -> Finder | None:
        """Return the dialog for the current page."""
        return cls(deck.screen) if isinstance(deck.screen, Page) else None

    def candidates(self, typed: str) -> list[PaletteEntry]:
        """Return the commands to search."""
        raise NotImplementedError

    def parts(self) -> ComposeResult:
        yield Input(placeholder=self.hint)
        yield Options(markup=False)

    def keys(self) -> Sequence[tuple[str, str]]:
        return (("↑↓", "Choose"), ("enter", "Run"), ("esc", "Close"))

    def buttons(self) -> list[Button]:
        return []

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self._find("")

    def on_input_changed(self, message: Input.Changed) -> None:
        self._find(message.value)

    def _find(self, typed: str) -> None:
        self._found = ranked(self.candidates(typed), typed)[:_MOST]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(map(_option, self._found))
        if not self._found:
            options.add_option(Option(Content.styled("No match.", "$text-muted"), disabled=True))
        options.highlighted = 0 if self._found else None

    def action_move(self, step: int) -> None:
        options = self.query_one(OptionList)
        if self._found:
            options.highlighted = max(0, min((options.highlighted or 0) + step, len(self._found) - 1))

    def action_run(self) -> None:
        self._run(self.query_one(OptionList).highlighted)

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        self._run(message.option_index)

    def _run(self, number: int | None) -> None:
        if number is None or number >= len(self._found):
            return
        self.dismiss(None)
        self.app.call_later(self._found[number].do)


class PaletteDialog(Finder):
    """Every command, and every certificate."""

    title_text = "Every command"
    hint = "a command, or a certificate's name"

    def __init__(self, page: Page[Any]) -> None:
        super().__init__(page)
        self._commands = commands(page)
        self._search = CertificateSearch(page.deck.status.lineages if page.deck.status else ())

    def candidates(self, typed: str) -> list[PaletteEntry]:
        # Certificates only when something is typed: there may be thousands.
        # Likewise inapplicable actions: they are there only for a search.
        if not typed.strip():
            return self._commands
        found = certificates(self._page.deck, self._search, typed)
        return [*self._commands, *found, *inapplicable(self._page)]


class MenuDialog(Finder):
    """The actions of this screen, with a search field. Another key opens the help text."""

    BINDINGS: ClassVar = [Binding("f1", "explain", show=False, priority=True)]
    title_text = "Keys"
    hint = "type to find, Enter runs it · ? explains this screen"

    def __init__(self, page: Page[Any]) -> None:
        super().__init__(page)
        own = [action for action in page.actions() if action.scope != "app"]
        situation = page.situation()
        self._keys = [_of_action(page, action, situation) for action in [*own, *_of_app(page)] if action.id != "menu"]

    def keys(self) -> Sequence[tuple[str, str]]:
        return (*super().keys(), ("?", "Explain"))

    def candidates(self, typed: str) -> list[PaletteEntry]:
        return self._keys

    def on_input_changed(self, message: Input.Changed) -> None:
        # The field has the focus, so it gets the key that asks for more.
        if message.value.endswith("?"):
            message.prevent_default()
            self.action_explain()

    def action_explain(self) -> None:
        """Open the help text."""
        help = next(action for action in self._page.actions() if action.id == "help")
        self.dismiss(None)
        self.app.call_later(self._page.deck.perform, help)


def _of_app(page: Page[Any]) -> list[Action]:
    return [action for action in page.actions() if action.scope == "app" and action.key]


def _of_action(page: Page[Any], action: Action, situation: Situation) -> PaletteEntry:
    reason = text.printable(why_not(action, situation))
    if not reason:
        return PaletteEntry(action.key_shown, action.title, _words(action), partial(page.deck.perform, action))
    say = partial(page.deck.notify, reason, title=action.title, timeout=5, markup=False)
    return PaletteEntry(action.key_shown, action.title, _words(action), say, reason)


def _option(command: PaletteEntry) -> Option:
    if not command.why_not:
        return Option(Content.assemble((fit(command.key, 7), "$key bold"), command.title))
    words = f"{command.title}: {command.why_not[:1].lower()}{command.why_not[1:]}"
    return Option(Content.styled(f"{fit(command.key, 7)}{words}", "$text-muted"))
