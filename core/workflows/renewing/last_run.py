"""What the last `--renew` left behind, so that a timer that died shows.

One small file, written at the end of every run, also of one with nothing to do. It is written without the writers' lock:
whoever ends last is right.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from core.paths import Paths
from core.store.atomic import make_dir
from core.store.records import from_json, to_json, write_record


class LastRun(Struct, frozen=True, kw_only=True):
    """How the last scheduled run ended."""

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
    write_record(paths.last_run, to_json(replace(run, before=before)))


def read(paths: Paths) -> LastRun | None:
    """Return the last run, or None when there was none or the file cannot be read. Raises StoreTooNew (`store-too-new`)."""
    try:
        return from_json(LastRun, paths.last_run.read_bytes(), paths.last_run)
    except (OSError, ValueError, TypeError):
        return None
