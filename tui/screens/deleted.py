"""Certificates that were deleted: until when their copies are kept, and bringing one back."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import ClassVar, Final

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult

from core.errors import CertdeckError
from core.kept import DeletedLineage, Restored
from tui import text
from tui.actions import Situation, bindings, of_scope
from tui.screens.form import FORM_CSS
from tui.screens.page import Page
from tui.widgets.field import wrong
from tui.widgets.prose import marked
from tui.widgets.row_list import Column, Row, RowList
from tui.widgets.sheet import Sheet

_COLUMNS: Final = (Column("Certificate", flexible=True), Column("Deleted"), Column("Kept until"))


class DeletedScreen(Page[None]):
    """The list; below it what bringing the chosen one back means."""

    SCOPE = "deleted"
    BINDINGS: ClassVar = bindings(of_scope("deleted", "page"))
    HELP_TEXT = (
        "A deleted certificate is kept for 30 days as a sealed copy: its key, every version that was kept, and its settings. "
        "Bringing it back puts it onto no service: d on the first screen does that, once you want it."
    )
    AUTO_FOCUS = "RowList"
    CSS_PATH: ClassVar = [FORM_CSS, Path(__file__).parent / "tables.tcss"]

    page_title = "Deleted certificates"

    def __init__(self) -> None:
        super().__init__()
        self._kept: tuple[DeletedLineage, ...] = ()
        self._error: CertdeckError | None = None

    def body(self) -> ComposeResult:
        yield RowList(_COLUMNS, id="rows")
        yield Sheet(id="about")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#rows").border_title = "Kept copies"
        self._read()

    def _read(self) -> None:
        def answered(answer: tuple[DeletedLineage, ...] | CertdeckError) -> None:
            if not self.is_mounted:
                return
            self._error = answer if isinstance(answer, CertdeckError) else None
            self._kept = () if isinstance(answer, CertdeckError) else answer
            self.query_one("#rows", RowList).show([_row(number, each) for number, each in enumerate(self._kept)])
            self._show()
            self.refresh_actions()

        self.bridge.ask(self.engine.deleted, answered)

    @property
    def chosen(self) -> DeletedLineage | None:
        """The one under the cursor."""
        key = self.query_one("#rows", RowList).chosen
        return next((each for number, each in enumerate(self._kept) if str(number) == key), None)

    def situation(self) -> Situation:
        one = self.chosen if self.is_mounted else None
        kind = "in the way" if one is not None and one.in_the_way else ""
        return replace(super().situation(), row=one.name if one else "", row_kind=kind)

    @on(RowList.Moved)
    def _on_moved(self) -> None:
        self._show()
        self.refresh_actions()

    def _show(self) -> None:
        sheet, one, error = self.query_one("#about", Sheet), self.chosen, self._error
        sheet.border_title = text.printable(one.name) if one else ""
        if error is not None:
            sheet.write(lambda width, ink: wrong(error, width, ink))
        elif one is None:
            words = "None is kept: nothing was deleted within the last 30 days."
            sheet.write(lambda width, ink: marked("○", "text-muted", words, width, ink))
        elif one.in_the_way:
            words = f"There is a certificate {one.name} already, and it would be replaced. Delete that one first; it is kept, too."
            sheet.write(lambda width, ink: marked("▲", "severity-yellow", words, width, ink))
        else:
            words = (
                "Enter brings it back with its key and its versions. No service is touched by that."
                if one.deleted is not None
                else "Only its settings are gone; its versions still lie in the store. Enter writes the settings again."
            )
            sheet.write(lambda width, ink: marked("↵", "key", words, width, ink))

    def action_bring_back(self) -> None:
        """Bring it back, and put the cursor of the first screen on it."""
        one, deck = self.chosen, self.deck
        if one is None:
            return

        def answered(answer: Restored | CertdeckError) -> None:
            if isinstance(answer, CertdeckError):
                deck.show_error(answer)
                return
            deck.refresh_status()
            words = "Nothing was deployed by that. Its details say which services show it; d puts it onto others."
            deck.notify(words, title=text.printable(f"{answer.name} is back"), markup=False)
            deck.go_to(answer.name)

        self.bridge.ask(lambda: self.engine.undelete(one.name), answered)


def _row(number: int, kept: DeletedLineage) -> Row:
    sign = ("▲", "severity-yellow") if kept.in_the_way else ("", "text-muted")
    return Row(
        str(number), (kept.name, (_day(kept.deleted), "text-muted"), (_day(kept.kept_until), "foreground")), sign
    )


def _day(moment: datetime | None) -> str:
    return text.day(moment) if moment is not None else "–"
