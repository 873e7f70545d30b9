"""Records the result of the last `--renew`, so that a dead timer is noticed.

One small file, written at the end of every run, even of one with nothing to do. It is written without the writers' lock: the run
that ends last wins.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from core.paths import Paths
from core.regular import read_stored
from core.store.atomic import make_dir
from core.store.records import from_json, to_json, write_record


class LastRun(Struct, frozen=True, kw_only=True):
    """How the last scheduled run ended."""

    at: datetime
    outcome: str
    """`done` or `failed`."""
    error: str
    """The failure, in one sentence. Empty after `done`."""
    lineages: tuple[str, ...] = ()
    """Lineages that failed. Empty if the run itself failed."""
    before: datetime | None = None
    """The previous run, at least an hour earlier: two runs distinguish a timer from a manual try."""


_APART = timedelta(hours=1)


def record(paths: Paths, run: LastRun) -> None:
    """Write the outcome of a run. Raises StoreError."""
    make_dir(paths.state)
    had = read(paths)
    before = None if had is None else had.at if run.at - had.at >= _APART else had.before
    write_record(paths.last_run, to_json(replace(run, before=before)))


def read(paths: Paths) -> LastRun | None:
    """Return the last run. None: there was none, or its file cannot be read. Raises StoreTooNew (`store-too-new`)."""
    try:
        return from_json(LastRun, read_stored(paths.last_run), paths.last_run)
    except (OSError, ValueError, TypeError):
        return None
