"""Step 4: the services that get the certificate."""

from __future__ import annotations

from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from core.operations import TargetInfo
from tui.screens.issue.step import WizardStep
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import Prose, marked
from tui.widgets.row_list import Column, Row, RowList

_COLUMNS: Final = (Column("Service"), Column("Certificate file", flexible=True, optional=True), Column("Serves now"))


class ServiceStep(WizardStep):
    """Any number of targets, or none."""

    TITLE = "Service"
    HELP = (
        "Service: the certificate is deployed to the selected services: certdeck tests the configuration, switches "
        "the files, reloads the service, and checks what it serves. A service has one certificate; a new one "
        "replaces it. Without a service, the certificate is only stored in its folder, where other programs can read "
        "it."
    )

    def compose(self) -> ComposeResult:
        yield RowList(_COLUMNS, marking="many", id="targets")
        yield Prose(id="effect")

    def enter(self) -> None:
        targets = self.offer.targets if self.offer is not None else ()
        listed = self.query_one("#targets", RowList)
        listed.display = bool(targets)
        listed.show(
            [Row(each.name, (each.name, (each.certificate, "text-muted"), self._carries(each))) for each in targets]
        )
        listed.mark(self.draft.targets)
        self._show()

    def first(self) -> Widget | None:
        listed = self.query_one("#targets")
        return listed if listed.display else None

    @on(RowList.Marked, "#targets")
    def _on_ticked(self, message: RowList.Marked) -> None:
        message.stop()
        self.draft.targets = message.row_list.marked
        self._show()

    def _carries(self, target: TargetInfo) -> tuple[str, str]:
        return (target.lineage, "foreground") if target.lineage else ("nothing of certdeck", "text-muted")

    def _show(self) -> None:
        targets = self.offer.targets if self.offer is not None else ()
        ticked = [each for each in targets if each.name in self.draft.targets]
        taken = [each for each in ticked if each.lineage not in (None, self.draft.lineage)]

        def effect(width: int, ink: Ink) -> list[Line]:
            lines: list[Line] = [[]]
            for each in taken:
                words = f"{each.name} serves {each.lineage} now: it will serve the new certificate instead."
                lines += marked("▲", "severity-yellow", words, width, ink)
            if not targets:
                words = "No service is set up: it is stored only below state/live. Targets (y) adds one; B finds them."
                lines += marked("○", "text-muted", words, width, ink)
            elif not ticked:
                words = "No service is selected: it is stored only below state/live. Space selects a service."
                lines += marked("○", "text-muted", words, width, ink, of="text-muted")
            else:
                words = (
                    "Each is tested, switched, reloaded and checked. If one fails, all keep their previous certificate."
                )
                lines += marked("✔", "severity-green", words, width, ink, of="text-muted")
            return lines

        self.query_one("#effect", Prose).write(effect)
