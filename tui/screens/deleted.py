"""Deleted certificates: until when their copies are kept, and how to restore one."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from core.errors import CertdeckError
from core.kept import DeletedLineage, Restored
from tui.actions import bindings, of_scope
from tui.screens.list_page import ListPage
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import marked
from tui.widgets.row_list import Column, Row
from tui.wording import text


class DeletedScreen(ListPage[DeletedLineage]):
    """The list of deleted certificates; below it what restoring the selected one does."""

    SCOPE = "deleted"
    BINDINGS: ClassVar = bindings(of_scope("deleted", "page"))
    HELP_TEXT = (
        "A deleted certificate is kept for 30 days as a sealed copy: its key, every kept version, and its settings. "
        "Restoring it deploys nothing; to deploy it, press d on the first screen."
    )
    COLUMNS = (Column("Certificate", flexible=True), Column("Deleted"), Column("Kept until"))
    LIST_TITLE = "Kept copies"
    EMPTY = (
        "Nothing to restore",
        "A deleted certificate is kept here for 30 days, and can be restored.",
        "Nothing was deleted in that time.",
    )

    page_title = "Deleted certificates"

    def fetch(self) -> tuple[DeletedLineage, ...]:
        return self.engine.deleted()

    def name_of(self, item: DeletedLineage) -> str:
        return item.name

    def kind_of(self, item: DeletedLineage) -> str:
        return "in the way" if item.in_the_way else ""

    def row(self, item: DeletedLineage) -> Row:
        sign = ("▲", "severity-yellow") if item.in_the_way else ("", "text-muted")
        cells = (item.name, (_day(item.deleted), "text-muted"), (_day(item.kept_until), "foreground"))
        # The same name may have been deleted more than once.
        return Row(f"{item.name} {item.deleted}", cells, sign)

    def about(self, item: DeletedLineage, width: int, ink: Ink) -> list[Line]:
        if item.in_the_way:
            words = f"The certificate {item.name} already exists and would be replaced. Delete it first; a copy of it is kept too."
            return marked("▲", "severity-yellow", words, width, ink)
        words = (
            "Enter restores it with its key and its versions. No service is changed."
            if item.deleted is not None
            else "Only its settings are missing; its versions are still stored. Enter writes the settings again."
        )
        return marked("↵", "key", words, width, ink)

    def action_bring_back(self) -> None:
        """Restore the certificate, and put the first screen's cursor on it."""
        one, deck = self.chosen, self.deck
        if one is None:
            return

        def answered(answer: Restored | CertdeckError) -> None:
            if isinstance(answer, CertdeckError):
                deck.show_error(answer)
                return
            deck.refresh_status()
            words = "Nothing was deployed. Its details show which services serve it; d deploys it to others."
            deck.notify(words, title=text.printable(f"{answer.name} is restored"), markup=False)
            deck.go_to(answer.name)

        self.ask_to_change(lambda: self.engine.undelete(one.name), answered)


def _day(moment: datetime | None) -> str:
    return text.day(moment) if moment is not None else "–"
