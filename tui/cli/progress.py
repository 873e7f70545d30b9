"""Progress of an operation, as lines on stderr."""

from __future__ import annotations

from typing import Final

from core.events import Failed, KeyUsed, Progressed, Report, RunFinished, RunStarted
from tui.cli.output import Stream
from tui.glyphs import printable
from tui.wording.text import describe

_QUIET: Final = (RunStarted, RunFinished, KeyUsed, Progressed, Failed)
"""Events that the result or the error also reports, or that are only for the audit trail."""


def progress_line(report: Report, stream: Stream, *, every: bool = False) -> str:
    """Return the line for an event. Empty: it is not shown. `every`: show all events (`--debug`)."""
    if not every and isinstance(report.event, _QUIET):
        return ""
    at = report.at.astimezone()
    about = f"{printable(report.lineage)}: " if report.lineage else ""
    return f"{stream.painted(f'{at:%H:%M:%S}', 'dim')} {about}{describe(report.event)}"
