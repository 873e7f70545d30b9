"""Choose the kind of a new DNS provider from a searchable list; those of dns-lexicon are loaded on request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from msgspec.structs import replace
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.widgets import Input, Static

from core.errors import CertdeckError
from core.operations import DnsKind
from tui.actions import Situation, bindings, of_scope
from tui.screens.asking import AskingPage
from tui.screens.form import FORM_CSS
from tui.widgets.field import wrong
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import marked
from tui.widgets.row_list import Column, Row, RowList
from tui.widgets.sheet import Sheet
from tui.wording import text

_OTHERS: Final = "others"
"""The key of the row that loads the dns-lexicon providers."""
_LEXICON: Final = "lexicon:"


class KindScreen(AskingPage[str]):
    """Dismisses with the name of the entry that was added, or None."""

    SCOPE = "dns-kind"
    BINDINGS: ClassVar = [
        *bindings(of_scope("dns-kind", "page")),
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "move(-8)", show=False),
        Binding("pagedown", "move(8)", show=False),
    ]
    HELP_TEXT = (
        "Choose the provider of your zone; its form opens. Type to search.\n\n"
        "The last line opens the providers of dns-lexicon, an optional part. RFC 2136 is for your own name server (BIND, Knot, "
        "PowerDNS with TSIG). A custom program can set records in any other way. acme-dns serves only the validation records, "
        "for zones that certdeck should not write to."
    )
    AUTO_FOCUS = "Input"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012
    CSS_PATH: ClassVar = [FORM_CSS, Path(__file__).parent / "dns.tcss"]

    page_title = "New DNS provider"

    def __init__(self) -> None:
        super().__init__()
        self._kinds: tuple[DnsKind, ...] = ()
        self._others: tuple[str, ...] | CertdeckError | None = None
        """The dns-lexicon providers, or why they are unavailable; None before they were loaded."""
        self._is_asking = False
        self._error: CertdeckError | None = None

    def body(self) -> ComposeResult:
        with Horizontal(id="search"):
            yield Static("Search", classes="label", markup=False)
            yield Input(placeholder="e.g. cloud")
        kinds = RowList((Column("Provider", flexible=True), Column("Kind", optional=True)), titles=False, id="kinds")
        kinds.border_title = "Providers"
        yield kinds
        yield Sheet(id="kind")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#kinds", RowList).can_focus = False
        self.ask(self.engine.dns_kinds, self._read)

    def _read(self, answer: tuple[DnsKind, ...] | CertdeckError) -> None:
        if not self.is_mounted:
            return
        if isinstance(answer, CertdeckError):
            self._error = answer
        else:
            self._kinds = answer
        self._find()

    # -- searching ---------------------------------------------------------------------------------------------------

    @on(Input.Changed)
    def _find(self) -> None:
        """List the kinds that contain every typed word; names that begin with the text come first."""
        typed = self.query_one(Input).value.casefold().split()
        rows = [
            (f"{kind.title} {kind.name}", Row(kind.name, (kind.title, (kind.name, "text-muted"))))
            for kind in self._kinds
        ]
        if isinstance(self._others, tuple):
            rows += [
                (name, Row(f"{_LEXICON}{name}", (name, (f"{_LEXICON}{name}", "text-muted")))) for name in self._others
            ]
        found = [
            (searched.casefold(), row) for searched, row in rows if all(word in searched.casefold() for word in typed)
        ]
        found.sort(key=lambda each: -sum(f" {word}" in f" {each[0]}" for word in typed))
        shown = [row for _, row in found]
        if self._kinds and not isinstance(self._others, tuple):
            shown.append(Row(_OTHERS, (("others, by dns-lexicon …", "key"), ("", "text-muted"))))
        listed = self.query_one("#kinds", RowList)
        listed.show(shown)
        if shown:
            listed.choose(shown[0].key)
        self._show()
        self.refresh_actions()

    def action_move(self, step: int) -> None:
        self.query_one("#kinds", RowList).action_move(step)

    @on(RowList.Moved, "#kinds")
    def _on_moved(self) -> None:
        self._show()

    # -- what is said of one -------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> str:
        return self.query_one("#kinds", RowList).chosen or ""

    def _show(self) -> None:
        sheet, chosen = self.query_one("#kind", Sheet), self.chosen
        kind = next((each for each in self._kinds if each.name == chosen), None)
        sheet.border_title = kind.title if kind is not None else text.printable(chosen.removeprefix(_LEXICON))
        error = self._error
        if error is not None:
            sheet.write(lambda width, ink: wrong(error, width, ink))
        elif kind is not None:
            sheet.write(lambda width, ink: kind_lines(kind, width, ink))
        elif chosen == _OTHERS:
            sheet.border_title = "Others"
            sheet.write(self._others_lines)
        elif chosen:
            sheet.write(lambda width, ink: marked("·", "key", "By dns-lexicon. Enter shows its settings.", width, ink))
        else:
            sheet.border_title = ""
            said = "No match." if self._kinds else "The providers are being read …"
            sheet.write(lambda width, ink: marked("○", "text-muted", said, width, ink))

    def _others_lines(self, width: int, ink: Ink) -> list[Line]:
        if self._is_asking:
            return marked("◐", "bar-used", "Asking dns-lexicon …", width, ink)
        if isinstance(self._others, CertdeckError):
            return wrong(self._others, width, ink)
        return marked("·", "key", "Enter lists about 85 more, from the optional part dns-lexicon.", width, ink)

    # -- choosing ------------------------------------------------------------------------------------------------------

    @on(Input.Submitted)
    def action_take(self) -> None:
        """Open the form of the chosen kind."""
        chosen = self.chosen
        known = next((each for each in self._kinds if each.name == chosen), None)
        if chosen == _OTHERS:
            self._ask_others()
        elif known is not None:
            self._take(known)
        elif chosen:
            self.ask(lambda: self.engine.dns_kind(chosen), self._take)

    def _take(self, answer: DnsKind | CertdeckError) -> None:
        if isinstance(answer, CertdeckError):
            self.deck.show_error(answer)
        elif self.is_current:
            from tui.screens.dns.form import ProviderForm

            form = ProviderForm(answer)

            def saved(was_saved: bool | None) -> None:
                if was_saved:
                    self.dismiss(form.saved_as)

            self.app.push_screen(form, saved)

    def _ask_others(self) -> None:
        if self._is_asking:
            return
        self._is_asking = True

        def answered(answer: tuple[str, ...] | CertdeckError) -> None:
            self._is_asking = False
            self._others = answer or _not_installed() if not isinstance(answer, CertdeckError) else answer
            if self.is_mounted:
                self._find()
                self.query_one("#kinds", RowList).choose(_OTHERS)
                self._show()

        self.ask(self.engine.lexicon_providers, answered)
        self._show()

    def situation(self) -> Situation:
        return replace(super().situation(), row=self.chosen if self.is_mounted else "")

    def on_click(self, event: events.Click) -> None:
        if event.chain == 2 and isinstance(event.widget, RowList):
            self.action_take()


def kind_lines(kind: DnsKind, width: int, ink: Ink) -> list[Line]:
    """Return what a kind needs, its pitfalls, and the fields of its form."""
    lines = marked("·", "key", kind.help, width, ink)
    for note in kind.notes:
        lines += marked("▲", "severity-yellow", note, width, ink)
    lines.append([])
    lines.append([("Settings", ink("frame-title", bold=True))])
    asked: Sequence[tuple[str, str]] = [
        (field.label, "secret" if field.secret else "" if field.required else "optional")
        for field in kind.fields
        if field.required or field.secret
    ]
    optional = [field.label for field in kind.fields if not field.required and not field.secret]
    for label, kindly in asked:
        lines.append([("· ", ink("key")), (label, ink("foreground")), (f"  {kindly}", ink("text-muted"))])
    if optional:
        lines += marked("·", "key", f"optional: {', '.join(optional)}", width, ink, of="text-muted")
    return lines


def _not_installed() -> CertdeckError:
    return CertdeckError(
        "dns-lexicon is not installed here.",
        "It is an optional part with about 85 more providers.",
        "Install certdeck with its extra dns-more; or use acme-dns or a custom program.",
    )
