"""How much of the log is kept: by age and by size, as `[log]` in the configuration says."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.store.chain import Link
from core.store.records import rfc3339

if TYPE_CHECKING:
    import sqlite3

    from core.config.model import Log

_ALWAYS_KEPT = 1000
_KEPT_SHARE = 0.9
"""Of the size that is allowed, once it is exceeded."""


def too_old(database: sqlite3.Connection, settings: Log, now: datetime) -> Link | None:
    """Return the last entry to be removed; None where all may stay. The newest thousand stay whatever the clock says."""
    first, last = database.execute("SELECT min(number), max(number) FROM history").fetchone()
    if first is None or last - first < _ALWAYS_KEPT:
        return None
    through = 0
    (oldest,) = database.execute("SELECT at FROM history WHERE number = ?", (first,)).fetchone()
    if datetime.fromisoformat(oldest) < now - timedelta(days=settings.keep_days + 1):
        limit = rfc3339(now - timedelta(days=settings.keep_days))
        (young,) = database.execute("SELECT min(number) FROM history WHERE at >= ?", (limit,)).fetchone()
        through = last if young is None else young - 1
    pages, free, size = (
        database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    used, most = (pages - free) * size, settings.keep_megabytes * 1_000_000
    if used > most:
        through = max(through, last - int((last - first) * _KEPT_SHARE * most / used))
    through = min(through, last - _ALWAYS_KEPT)
    found = database.execute(
        "SELECT number, hash FROM history WHERE number <= ? ORDER BY number DESC LIMIT 1", (through,)
    ).fetchone()
    return Link(*found) if found else None
