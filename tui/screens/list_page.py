"""The base of list pages: a list and the details of the row under the cursor, e.g. for issuers, targets and DNS providers."""

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
    """A subclass defines COLUMNS, `fetch` to read the items, and `name_of`, `row` and `about` to show one."""

    COLUMNS: ClassVar[tuple[Column, ...]] = ()
    LIST_TITLE: ClassVar[str] = ""
    EMPTY: ClassVar[tuple[str, ...]] = ("", "")
    """Shown for an empty list: the title and what to do, one paragraph each."""
    LOOKING: ClassVar[str] = ""
    """Shown until the first answer, if reading takes seconds."""
    UNREADABLE: ClassVar[str] = "The configuration cannot be read"

    AUTO_FOCUS = "RowList"
    CSS_PATH: ClassVar = [FORM_CSS, Path(__file__).parent / "tables.tcss"]

    def __init__(self) -> None:
        super().__init__()
        self.every: Sequence[Item] = ()
        """All items that were read."""
        self.items: Sequence[Item] = ()
        """The items that are shown."""
        self.error: CertdeckError | None = None
        """Why the list could not be read."""
        self.is_looking = bool(self.LOOKING)
        self._was_empty: bool | None = None
        """What the last read found; None before the first."""

    # -- what a subclass says ----------------------------------------------------------------------------------------

    def fetch(self) -> Sequence[Item]:
        """Read and return the items. Called in a thread; raises CertdeckError."""
        raise NotImplementedError

    def name_of(self, item: Item) -> str:
        """Return the name of an item."""
        raise NotImplementedError

    def kind_of(self, item: Item) -> str:
        """Return the kind of an item, which decides which actions apply."""
        return ""

    def title_of(self, item: Item) -> str:
        """Return the title of an item's details."""
        return self.name_of(item)

    def keeps(self, item: Item) -> bool:
        """Return whether an item is shown."""
        return True

    def row(self, item: Item) -> Row:
        raise NotImplementedError

    def about(self, item: Item, width: int, ink: Ink) -> list[Line]:
        """Return the details of an item."""
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
        if self.is_looking:
            self.show()  # at once: it takes seconds
        self.read()

    def heard(self, message: Message) -> None:
        if isinstance(message, StatusRead):
            self.read()

    def read(self, then: str = "") -> None:
        """Read the items from the engine. `then`: the key of the row that gets the cursor."""

        def answered(answer: Sequence[Item] | CertdeckError) -> None:
            if self._rows is None:
                return
            self.error = answer if isinstance(answer, CertdeckError) else None
            if not isinstance(answer, CertdeckError):
                self.every = answer
            self.is_looking = False
            self.fill(then)
            self._make_room()
            self.was_read()

        self.ask(self.fetch, answered)

    def fill(self, then: str = "") -> None:
        """Show the items that `keeps` accepts. `then`: the key of the row that gets the cursor."""
        rows = self._rows
        if rows is None:
            return
        self.items = [each for each in self.every if self.keeps(each)]
        rows.show([self.row(each) for each in self.items])
        rows.choose(then)
        self._on_moved()

    def _make_room(self) -> None:
        """Show no list where there is nothing to list: the details then say what it is for, and how to begin."""
        is_empty = not self.every
        if is_empty == self._was_empty:
            return  # somebody may have gone from the list to the details
        self._was_empty = is_empty
        rows, about = self.query_one(RowList), self.query_one("#about")
        is_here = self.focused in (None, rows, about)
        self.set_class(is_empty, "-empty")
        if is_here:
            self.set_focus(about if is_empty else rows)

    def was_read(self) -> None:
        """React after the items have been shown."""

    @property
    def chosen(self) -> Item | None:
        """The item under the cursor."""
        rows = self._rows
        return self.items[rows.place] if self.items and rows is not None else None

    @property
    def _rows(self) -> RowList | None:
        # A page that is being closed may still be mounted although its widgets are gone.
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
        """Show the details of the selected item below or beside the list."""
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
        """Have the engine make a change; then show the message `said`, or the error. Every screen reads again."""

        def answered(answer: object) -> None:
            if isinstance(answer, CertdeckError):
                self.deck.show_error(answer)
            elif said:
                self.notify(text.printable(said), markup=False)
            self.deck.refresh_status()

        self.ask_to_change(call, answered)

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
        """Do something irreversible after the user has confirmed it."""
        from tui.screens.dialogs.confirm import ConfirmDialog

        def decided(agreed: bool | None) -> None:
            if agreed:
                self.carry_out(call, said)
            else:
                self.deck.say_nothing_changed()

        self.deck.open_dialog(ConfirmDialog(text.printable(title), words, yes=yes, no=no, danger=danger), decided)

    def open_form(self, form: FormPage) -> None:
        """Open a form; once it is saved, read again and put the cursor on the saved item."""

        def closed(is_saved: bool | None) -> None:
            if is_saved:
                self.saved(form.saved_as)

        self.app.push_screen(form, closed)

    def saved(self, name: str) -> None:
        """React to a saved form. `name`: the name of the saved item; empty if the form has none."""
        self.read(name)


class TestedListPage(ListPage[Item], Generic[Item, Answer]):
    """A list whose items can be tested; the result is shown above the details."""

    TESTING: ClassVar[str] = "Testing …"

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, Answer | CertdeckError | None] = {}
        """The test result for each name; None while the test runs."""

    def test(self, name: str) -> Answer:
        """Test the item with that name. Called in a thread; raises CertdeckError."""
        raise NotImplementedError

    def found(self, answer: Answer, width: int, ink: Ink) -> list[Line]:
        """Return the lines of a test result."""
        raise NotImplementedError

    def opened(self) -> None:
        self.action_test()

    def saved(self, name: str) -> None:
        self.answers.clear()  # the tested items have changed
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

        self.ask(lambda: self.test(name), answered)
        self.show()

    def tested(self, item: Item, width: int, ink: Ink) -> list[Line]:
        """Return the test result of an item and an empty line; nothing if it was not tested."""
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
