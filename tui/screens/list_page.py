"""A list, and everything about the row under the cursor: for issuers, targets, DNS providers, requests and deleted certificates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from msgspec.structs import replace
from textual import events, on
from textual.app import ComposeResult
from textual.message import Message

from core.errors import CertdeckError
from tui.actions import Situation
from tui.deck import StatusRead
from tui.screens.form import FORM_CSS, FormPage
from tui.screens.page import Page
from tui.widgets.field import wrong
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import marked
from tui.widgets.row_list import Column, Row, RowList
from tui.widgets.sheet import Sheet
from tui.wording import text

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class ListPage(Page[None], Generic[Item]):
    """A subclass names its COLUMNS, and says how to `fetch` the items and how to show one: `name_of`, `row`, `about`."""

    COLUMNS: ClassVar[tuple[Column, ...]] = ()
    LIST_TITLE: ClassVar[str] = ""
    EMPTY: ClassVar[tuple[str, ...]] = ("", "")
    """Where there is nothing: the title, and what to do, one paragraph each."""
    LOOKING: ClassVar[str] = ""
    """Where reading takes seconds: what is shown until the first answer."""
    UNREADABLE: ClassVar[str] = "The configuration cannot be read"

    AUTO_FOCUS = "RowList"
    CSS_PATH: ClassVar = [FORM_CSS, Path(__file__).parent / "tables.tcss"]

    def __init__(self) -> None:
        super().__init__()
        self.every: Sequence[Item] = ()
        """Everything that was read."""
        self.items: Sequence[Item] = ()
        """What of it is shown."""
        self.error: CertdeckError | None = None
        """Why the list could not be read."""
        self.is_looking = bool(self.LOOKING)

    # -- what a subclass says ----------------------------------------------------------------------------------------

    def fetch(self) -> Sequence[Item]:
        """Return what there is. Called in a thread; raises CertdeckError."""
        raise NotImplementedError

    def name_of(self, item: Item) -> str:
        """Return its name."""
        raise NotImplementedError

    def kind_of(self, item: Item) -> str:
        """Return what decides which actions apply to it."""
        return ""

    def title_of(self, item: Item) -> str:
        """Return what stands above everything about it."""
        return self.name_of(item)

    def keeps(self, item: Item) -> bool:
        """Tell whether an item is shown."""
        return True

    def row(self, item: Item) -> Row:
        raise NotImplementedError

    def about(self, item: Item, width: int, ink: Ink) -> list[Line]:
        """Return everything about an item."""
        raise NotImplementedError

    def opened(self) -> None:
        """React to a double click."""

    # -- what is shown -----------------------------------------------------------------------------------------------

    def body(self) -> ComposeResult:
        yield RowList(self.COLUMNS, titles=any(column.title for column in self.COLUMNS), id="rows")
        yield Sheet(id="about")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#rows").border_title = self.LIST_TITLE
        self.read()

    def heard(self, message: Message) -> None:
        if isinstance(message, StatusRead):
            self.read()

    def read(self, then: str = "") -> None:
        """Ask the engine what there is; `then`: the key of the row that gets the cursor."""

        def answered(answer: Sequence[Item] | CertdeckError) -> None:
            if self._rows is None:
                return
            self.error = answer if isinstance(answer, CertdeckError) else None
            if not isinstance(answer, CertdeckError):
                self.every = answer
            self.is_looking = False
            self.fill(then)
            self.was_read()

        self.bridge.ask(self.fetch, answered)

    def fill(self, then: str = "") -> None:
        """Show what was read, as far as it is kept; `then`: the key of the row that gets the cursor."""
        rows = self._rows
        if rows is None:
            return
        self.items = [each for each in self.every if self.keeps(each)]
        rows.show([self.row(each) for each in self.items])
        rows.choose(then)
        self._on_moved()

    def was_read(self) -> None:
        """React to what was read being shown."""

    @property
    def chosen(self) -> Item | None:
        """The item under the cursor."""
        rows = self._rows
        return self.items[rows.place] if self.items and rows is not None else None

    @property
    def _rows(self) -> RowList | None:
        # A page that is being left may still be mounted and have lost its widgets already.
        return next(iter(self.query(RowList)), None)

    def situation(self) -> Situation:
        item = self.chosen
        known = super().situation()
        return known if item is None else replace(known, row=self.name_of(item), row_kind=self.kind_of(item))

    @on(RowList.Moved)
    def _on_moved(self) -> None:
        self.show()
        self.refresh_actions()

    def show(self) -> None:
        """Write below, or beside, the list what is known of the chosen item."""
        sheet, item, error = self.query_one("#about", Sheet), self.chosen, self.error
        if error is not None:
            sheet.border_title = self.UNREADABLE
            sheet.write(lambda width, ink: wrong(error, width, ink))
        elif self.is_looking:
            sheet.border_title = "Looking"
            sheet.write(lambda width, ink: marked("◐", "bar-used", self.LOOKING, width, ink))
        elif item is None:
            sheet.border_title = self.EMPTY[0]
            sheet.write(self._empty)
        else:
            sheet.border_title = text.printable(self.title_of(item))
            sheet.write(lambda width, ink: self.about(item, width, ink))

    def _empty(self, width: int, ink: Ink) -> list[Line]:
        lines: list[Line] = []
        for number, words in enumerate(self.EMPTY[1:]):
            lines += [*marked("·" if number else "○", "text-muted", words, width, ink), []]
        return lines

    def on_click(self, event: events.Click) -> None:
        if event.chain == 2 and isinstance(event.widget, RowList):
            self.opened()

    # -- changing it -------------------------------------------------------------------------------------------------

    def carry_out(self, call: Callable[[], object], said: str) -> None:
        """Let the engine change something; then say `said`, or show the error. Every screen reads again."""

        def answered(answer: object) -> None:
            if isinstance(answer, CertdeckError):
                self.deck.show_error(answer)
            elif said:
                self.notify(text.printable(said), markup=False)
            self.deck.refresh_status()

        self.bridge.ask(call, answered)

    def ask_first(
        self,
        title: str,
        words: str,
        call: Callable[[], object],
        said: str,
        *,
        yes: str = "Remove",
        no: str = "Cancel",
        danger: bool = True,
    ) -> None:
        """Carry out what cannot be undone, once somebody has agreed."""
        from tui.screens.dialogs.confirm import ConfirmDialog

        def decided(agreed: bool | None) -> None:
            if agreed:
                self.carry_out(call, said)
            else:
                self.deck.say_nothing_changed()

        self.deck.open_dialog(ConfirmDialog(text.printable(title), words, yes=yes, no=no, danger=danger), decided)

    def open_form(self, form: FormPage) -> None:
        """Open a form; once it has been saved, read again and put the cursor on what it was about."""

        def closed(is_saved: bool | None) -> None:
            if is_saved:
                self.saved(form.saved_as)

        self.app.push_screen(form, closed)

    def saved(self, name: str) -> None:
        """React to a saved form; `name`: of what it was about, empty where it names nothing."""
        self.read(name)


class TestedListPage(ListPage[Item], Generic[Item, Answer]):
    """A list whose items can be tested on the spot: the answer stands above what is known of them."""

    TESTING: ClassVar[str] = "Testing …"

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, Answer | CertdeckError | None] = {}
        """What the test of that name found; None while it runs."""

    def test(self, name: str) -> Answer:
        """Test the item of that name. Called in a thread; raises CertdeckError."""
        raise NotImplementedError

    def found(self, answer: Answer, width: int, ink: Ink) -> list[Line]:
        """Return what the test found."""
        raise NotImplementedError

    def opened(self) -> None:
        self.action_test()

    def saved(self, name: str) -> None:
        self.answers.clear()  # what was tested has changed
        super().saved(name)

    def carry_out(self, call: Callable[[], object], said: str) -> None:
        self.answers.clear()
        super().carry_out(call, said)

    def action_test(self) -> None:
        item = self.chosen
        if item is None:
            return
        name = self.name_of(item)
        self.answers[name] = None

        def answered(answer: Answer | CertdeckError) -> None:
            self.answers[name] = answer
            if self._rows is not None:
                self.show()

        self.bridge.ask(lambda: self.test(name), answered)
        self.show()

    def tested(self, item: Item, width: int, ink: Ink) -> list[Line]:
        """Return what its test found, and an empty line; nothing where it was not tested."""
        name = self.name_of(item)
        if name not in self.answers:
            return []
        answer = self.answers[name]
        if answer is None:
            lines = marked("◐", "bar-used", self.TESTING, width, ink)
        elif isinstance(answer, CertdeckError):
            lines = wrong(answer, width, ink)
        else:
            lines = self.found(answer, width, ink)
        return [*lines, []]
