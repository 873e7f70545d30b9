"""The log: what was done, when and by whom, one row per run, newest first; below it the steps of the selected run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from msgspec.structs import replace
from textual import on
from textual.message import Message

from core.errors import CertdeckError
from core.operations import LogEntry
from tui.actions import Action, bindings, of_scope
from tui.bridge import OperationFinished
from tui.deck import StatusRead
from tui.glyphs import printable
from tui.screens.filtered_list import FILTER_KEYS, FilteredListPage
from tui.widgets.details import told_error
from tui.widgets.ink import Ink
from tui.widgets.lines import BLANK, Line, Part, wrap
from tui.widgets.prose import marked
from tui.widgets.row_list import Column, Row, RowList
from tui.widgets.sheet import Sheet
from tui.wording import text
from tui.wording.runs import ENTRY_MARKS, Run, runs_of
from tui.wording.text import MARKS

_PAGE: Final = 200
_TIME: Final = 10
"""Cells for the time from the start of the run to a step."""
_OPEN: Final = {"pending": ("◐", "text-muted"), "": ("◐", "severity-yellow")}
"""A run that ended with something left for the user to do, and one whose outcome is unknown."""
_STEP: Final = ("·", "faint")


class LogScreen(FilteredListPage[Run]):
    """Reads the history page by page; Enter shows the steps of a run in full screen."""

    SCOPE = "log"
    BINDINGS: ClassVar = [*bindings(of_scope("log", "page")), *FILTER_KEYS]
    HELP_TEXT = (
        "Everything that was done on this box, newest first: by the scheduled run, by commands, and in the console. "
        "Each row is one run with its result. Below it are the steps of the run, with the time since it began; Enter shows "
        "them on the whole screen.\n\n"
        "The entries are chained by hashes; v checks whether one was altered."
    )
    COLUMNS: ClassVar = (
        Column("When"),
        Column("Run"),
        Column("Certificate", flexible=True, least=24, squeezes=True),
        Column("Result", flexible=True, least=40),
        Column("Took", optional=True),
        Column("By", optional=True),
    )
    LIST_TITLE = "Log"
    FILTER_HINT = "a certificate's name, or any word"
    UNREADABLE = "The log cannot be read"
    page_title = "Log"

    def __init__(self, lineage: str | None = None) -> None:
        super().__init__()
        self.filter = lineage or ""
        self._depth = _PAGE
        """How many entries are read."""
        self._has_all = False

    # -- reading -----------------------------------------------------------------------------------------------------

    def fetch(self) -> Sequence[Run]:
        entries = self.engine.log(limit=self._depth)
        self._has_all = len(entries) < self._depth
        return runs_of(entries, whole=self._has_all)

    def heard(self, message: Message) -> None:
        if isinstance(message, OperationFinished | StatusRead):
            self.read()

    def action_older(self) -> None:
        if self.every and not self._has_all:
            self._depth += _PAGE
            self.read()

    @on(RowList.Moved)
    def _on_row(self) -> None:
        if self._rows is not None and self._rows.place >= len(self.items) - 2:
            self.action_older()

    def action_verify(self) -> None:
        def said(answer: tuple[int, str | None] | CertdeckError) -> None:
            if isinstance(answer, CertdeckError):
                self.deck.show_error(answer)
                return
            count, altered = answer
            if altered is None:
                self.notify(f"{text.plural(count, 'entry')} checked: nothing was altered.", title="Log", markup=False)
            else:
                self.notify(printable(altered), title="The log was altered", severity="error", markup=False, timeout=20)

        self.ask(self.engine.verify_log, said)

    # -- the rows ----------------------------------------------------------------------------------------------------

    def keeps(self, item: Run) -> bool:
        return item.has(self.filter.casefold().split())

    def name_of(self, item: Run) -> str:
        return item.id

    def kind_of(self, item: Run) -> str:
        """Include whether there is more to read, which enables `older`."""
        return "" if self._has_all else "more"

    def title_of(self, item: Run) -> str:
        return f"{item.called} · {text.day(item.started)} {item.started.astimezone():%H:%M:%S}"

    def titled(self) -> str:
        count = f"{len(self.every):,}{'' if self._has_all else ' newest'}"
        if self.filter:
            return f"{self.LIST_TITLE}  {len(self.items):,} of {count} runs  / {printable(self.filter)}"
        return f"{self.LIST_TITLE}  {count} {'run' if len(self.every) == 1 else 'runs'}"

    def row(self, item: Run) -> Row:
        first, *others = item.lineages or ("",)
        about = f"{printable(first)}{f' +{len(others)}' if others else ''}"
        when = _when(item.started, self.deck.now())
        took, by = text.elapsed(item.took.total_seconds()) if item.outcome else "", printable(item.who)
        sign = _sign(item)
        colour = sign[1] if item.mark in ("fail", "open") else "text-muted"
        return Row(
            item.id,
            (
                (when, "text-muted"),
                item.called,
                about,
                (item.result(), colour),
                (took, "text-muted"),
                (by, "text-muted"),
            ),
            sign,
        )

    # -- one run -----------------------------------------------------------------------------------------------------

    def show(self) -> None:
        if not self.items and self.error is None:
            sheet = self.query_one("#about", Sheet)
            sheet.border_title = ""
            words = (
                "Nothing matches."
                if self.filter and self.every
                else "Nothing is logged yet. Orders, renewals, deployments and changed settings will be listed here."
            )
            sheet.write(lambda width, ink: marked("○", "text-muted", words, width, ink))
        else:
            super().show()

    def about(self, item: Run, width: int, ink: Ink) -> list[Line]:
        glyph, colour = _sign(item)
        took = (
            f" {'in' if item.outcome == 'done' else 'after'} {text.elapsed(item.took.total_seconds())}"
            if item.outcome
            else ""
        )
        by = f", by {printable(item.who)}" if item.who else ""
        lines: list[Line] = [
            [
                (f"{glyph} ", ink(colour)),
                (f"{item.ended()}{took}", ink("foreground", bold=True)),
                (by, ink("text-muted")),
            ]
        ]
        for entry in item.of("failed"):
            words = {key: str(entry.facts.get(key) or "") for key in ("what", "why", "fix")}
            lines += told_error(words, width, ink)
        lines.append([])
        name = ""
        for entry in item.steps:
            if len(item.lineages) > 1 and entry.lineage and entry.lineage != name:
                name = entry.lineage
                lines.append([(" " * _TIME, BLANK), (printable(name), ink("frame-title", bold=True))])
            lines += _step_lines(entry, item.started, width, ink)
        return lines

    def opened(self) -> None:
        self.action_zoom()

    def action_zoom(self) -> None:
        """Toggle the full-screen view of the steps."""
        self.toggle_class("-zoomed")
        self.query_one("#about" if self.has_class("-zoomed") else "#rows").focus()
        self.refresh_actions()

    def actions(self) -> tuple[Action, ...]:
        """Return the actions; Enter is labelled for going to the steps or back to the runs."""
        found = super().actions()
        if not self.has_class("-zoomed"):
            return found
        return tuple(
            replace(each, label="Runs", title="Show all runs") if each.id == "zoom" else each for each in found
        )

    def action_back(self) -> None:
        if self.has_class("-zoomed"):
            self.action_zoom()
        else:
            super().action_back()


def _sign(run: Run) -> tuple[str, str]:
    mark = MARKS.get(run.mark)
    return (mark.glyph, mark.colour) if mark is not None else _OPEN.get(run.outcome, _OPEN[""])


def _when(at: datetime, now: datetime) -> str:
    """Return `03:00` for today, `27 Nov 03:00` for another day, and with the year for another year."""
    local, here = at.astimezone(), now.astimezone()
    if local.date() == here.date():
        return f"{local:%H:%M}"
    return f"{local.day} {local:%b %H:%M}" if abs(here - local).days < 300 else text.day(at)


def _step_lines(entry: LogEntry, started: datetime, width: int, ink: Ink) -> list[Line]:
    """Return `   0.3 s  ✔ mail.example.com is validated`, wrapped."""
    mark = MARKS.get(ENTRY_MARKS.get(entry.kind, ""))
    glyph, colour = (mark.glyph, mark.colour) if mark is not None else _STEP
    since = text.elapsed(max((entry.at - started).total_seconds(), 0))
    # The full message of a failure is above all steps.
    words = str(entry.facts.get("what", "")) if entry.kind == "failed" else text.describe_entry(entry.kind, entry.facts)
    head: list[Part] = [(f"{since:>{_TIME - 1}} ", ink("text-muted")), (f"{glyph} ", ink(colour))]
    indent = " " * (_TIME + 2)
    return [
        [*(head if number == 0 else [(indent, BLANK)]), (line, ink("foreground"))]
        for number, line in enumerate(wrap(printable(words), width - len(indent)))
    ]
