"""What the clock showed last: `state/clock.json`. A file that cannot be read counts as missing."""

from __future__ import annotations

from contextlib import suppress

from core.clock import ClockRecord
from core.errors import CertdeckError
from core.paths import Paths
from core.store.atomic import make_dir, write_file
from core.store.records import from_json, to_json

_END = 253402300800.0
"""The first moment of the year 10000, beyond which there is no date."""


def load(paths: Paths) -> ClockRecord | None:
    """Return what is kept of the clock, or None. Never raises."""
    try:
        record = from_json(ClockRecord, paths.clock.read_bytes())
        times = (record.at, record.since or 0.0, record.compared or 0.0)
        can_be = all(0 <= each < _END for each in times) and (record.offset is None or abs(record.offset) < _END)
        return record if can_be else None
    except (OSError, ValueError, TypeError):
        return None


def save(paths: Paths, record: ClockRecord) -> None:
    """Keep it, without waiting for the disk. Never raises: nothing is worth stopping for it."""
    with suppress(CertdeckError):
        make_dir(paths.state)
        write_file(paths.clock, to_json(record), durable=False)
