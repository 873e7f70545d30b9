"""The TLS services found on this box and what each serves now; ticked services become targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.message import Message

from core.config.model import TargetConfig
from core.detected import OURS, DetectedService, Presented
from core.errors import CertdeckError
from tui.actions import Situation, bindings, of_scope
from tui.screens.list_page import ListPage
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import facts, marked
from tui.widgets.row_list import Column, Row, RowList
from tui.widgets.sheet import Sheet
from tui.wording import text

_MARKS = {"green": "green", "yellow": "warned", "red": "red"}


class ServicesScreen(ListPage[DetectedService]):
    """The services that were found; below the list what the selected one serves, and from which files."""

    SCOPE = "services"
    BINDINGS: ClassVar = bindings(of_scope("services", "page"))
    HELP_TEXT = (
        "The TLS services of this box: running ones, and those that are only installed. certdeck reads their "
        "configuration and checks what each port serves. This changes nothing.\n\n"
        "Space selects a service. Enter adds the selected services as targets, with their files, their ports and the "
        "commands that test and reload them. They keep their certificates until you deploy one with d on the first "
        "screen."
    )
    COLUMNS = (
        Column("Service"),
        Column("Address", flexible=True, least=15),
        Column("Serves", flexible=True),
        Column("Left"),
        Column("Target", optional=True),
    )
    LIST_TITLE = "Services"
    LOOKING = "Looking for services …"
    EMPTY = (
        "No TLS service",
        "No TLS service was found on this box. Only root can see services of other users.",
        "To add a service manually, press n on the page Targets (y).",
    )

    page_title = "Services of this box"

    def body(self) -> ComposeResult:
        yield RowList(self.COLUMNS, marking="many", id="rows")
        yield Sheet(id="about")

    def heard(self, message: Message) -> None:
        """Do nothing after a reading of the status: a new search would take seconds."""

    def fetch(self) -> Sequence[DetectedService]:
        return self.engine.detect()

    def name_of(self, item: DetectedService) -> str:
        return item.id

    def kind_of(self, item: DetectedService) -> str:
        return "free" if item.suggest is not None else ""

    def title_of(self, item: DetectedService) -> str:
        return item.title

    def row(self, item: DetectedService) -> Row:
        first = next((each for each in item.listeners if each.sha256), None)
        mark = _mark(item, first)
        left = text.days_shown(first.days_left) if first is not None and first.days_left is not None else "–"
        more = f" and {len(item.listeners) - 1} more" if len(item.listeners) > 1 else ""
        state = "not running" if not item.running else "no TLS seen"
        cells: tuple[str | tuple[str, str], ...] = (
            item.id,
            (f"{first.address}{more}" if first is not None else state, "text-muted"),
            first.subject if first is not None else "–",
            (left, f"severity-{first.severity}" if first is not None else "text-muted"),
            (item.target or "–", "foreground" if item.target else "text-muted"),
        )
        return Row(item.id, cells, (mark.glyph, mark.colour))

    def about(self, item: DetectedService, width: int, ink: Ink) -> list[Line]:
        lines: list[Line] = []
        for problem in item.problems:
            lines += marked("▲", "severity-yellow", problem, width, ink)
        if lines:
            lines.append([])
        rows = [
            ("Kind", item.kind),
            ("Certificate", item.certificate or "not known"),
            ("Key", item.key or "not known"),
            *(("Serves", f"{each.address}: {_served(each)}") for each in item.listeners),
        ]
        if item.shared_with:
            rows.append(("Shared with", ", ".join(item.shared_with)))
        rows.append(("Target", item.target or (f"{item.suggest.name}, once taken over" if item.suggest else "none")))
        return [*lines, *facts(rows, width, ink, label=13)]

    def situation(self) -> Situation:
        known = super().situation()
        return replace(known, row_kind="free") if self._wanted() else known

    def _wanted(self) -> tuple[str, ...]:
        """Return the ids to take over: the ticked ones, or the one under the cursor if none is ticked."""
        free = {each.id for each in self.items if each.suggest is not None}
        rows = self._rows
        ticked = tuple(each for each in rows.marked if each in free) if rows is not None else ()
        if ticked or self.chosen is None or self.chosen.id not in free:
            return ticked
        return (self.chosen.id,)

    def action_take_over(self) -> None:
        """Turn the ticked services into targets, then search again."""
        ids = self._wanted()
        if not ids:
            return

        def answered(answer: tuple[TargetConfig, ...] | CertdeckError) -> None:
            if isinstance(answer, CertdeckError):
                self.deck.show_error(answer)
                return
            names = ", ".join(text.printable(each.name) for each in answer)
            self.notify(
                f"{names}: d on the first screen deploys a certificate there.", title="Taken over", markup=False
            )
            if (rows := self._rows) is not None:
                rows.mark(())
            self.deck.refresh_status()
            self.read()

        self.ask_to_change(lambda: self.engine.take_over(ids), answered)

    def opened(self) -> None:
        self.action_take_over()

    def on_row_list_marked(self) -> None:
        self.refresh_actions()


def _mark(item: DetectedService, first: Presented | None) -> text.Mark:
    if first is not None and first.severity != "green":
        return text.MARKS[_MARKS[first.severity]]
    if item.problems:
        return text.MARKS["warned"]
    return text.MARKS["green" if first is not None and first.state == OURS else "unknown"]


def _served(seen: Presented) -> str:
    if seen.days_left is None or seen.not_after is None:
        return seen.why or "nothing seen"
    whose = "" if seen.state == OURS else ", not managed by certdeck"
    return f"{seen.subject}, until {text.day(seen.not_after)} ({text.days_shown(seen.days_left)}){whose}"
