"""What the last `--renew` left behind, so that a timer that died shows.

One small file, written at the end of every run, also of one with nothing to do. It is written without the writers' lock:
whoever ends last is right.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.paths import Paths
from core.store.atomic import make_dir, write_file


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    at: datetime
    outcome: str
    """`done` or `failed`."""
    error: str
    """What went wrong, in one sentence; empty after `done`."""
    lineages: tuple[str, ...] = ()
    """Those that failed; empty where it was the run itself."""
    before: datetime | None = None
    """The run before this one, at least an hour earlier: two of them tell a timer from a person who tried."""


_APART = timedelta(hours=1)


def record(paths: Paths, run: LastRun) -> None:
    """Write the outcome of a run. Raises StoreError."""
    make_dir(paths.state)
    had = read(paths)
    before = None if had is None else had.at if run.at - had.at >= _APART else had.before
    said = {
        "at": run.at.isoformat(),
        "outcome": run.outcome,
        "error": run.error,
        "lineages": run.lineages,
        "before": None if before is None else before.isoformat(),
    }
    text = json.dumps(said)
    write_file(paths.last_run, text.encode())


def read(paths: Paths) -> LastRun | None:
    """Return the last run, or None when there was none or the file cannot be read."""
    try:
        raw = json.loads(paths.last_run.read_bytes())
        at = datetime.fromisoformat(raw["at"]).astimezone(UTC)
        lineages = tuple(map(str, raw.get("lineages", ())))
        before = raw.get("before")
        return LastRun(
            at=at,
            outcome=str(raw["outcome"]),
            error=str(raw["error"]),
            lineages=lineages,
            before=None if before is None else datetime.fromisoformat(before).astimezone(UTC),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
