"""Certificates without a problem of their own, and until when: `state/healthy.json`, for the summary that monitoring asks for.

Ten thousand certificates are judged by looking at them from outside, unless one has changed or its time has come. The file is
derived: it may be removed, readers write it without the lock and without flushing, and a failure to write it only costs time.
"""

from __future__ import annotations

from contextlib import suppress

from msgspec import MsgspecError, Struct
from msgspec.json import decode

from core.paths import Paths
from core.regular import read_stored
from core.store.checksum import is_intact, with_checksum


class Healthy(Struct, frozen=True, array_like=True):
    """A certificate without a problem. Epoch seconds."""

    seen: int
    """Hash of its signature in the index."""
    until: float
    """The first moment at which it can have a problem, if nothing changes but the time."""
    expires: float
    """The earliest expiry among the certificates that are sent."""
    is_ok: bool
    """False: it would not be renewed, because of the timer."""


class _Table(Struct):
    basis: str
    at: float
    rows: dict[str, Healthy]


def load(paths: Paths, basis: str, now: float) -> dict[str, Healthy]:
    """Return what is kept; nothing if it was found on another basis, or under a clock that was ahead of `now`."""
    with suppress(OSError, MsgspecError, RecursionError):
        data = read_stored(paths.healthy)
        if is_intact(data):
            table = decode(data, type=_Table)
            if table.basis == basis and table.at <= now:
                return table.rows
    return {}


def save(paths: Paths, basis: str, now: float, rows: dict[str, Healthy]) -> None:
    """Keep the rows, all of which are right at `now`. Never raises."""
    from core.store.atomic import TemporaryFile

    with TemporaryFile(paths.healthy) as file:
        file.keep(with_checksum({"basis": basis, "at": now, "rows": rows}))
