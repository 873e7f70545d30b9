"""The last time that the clock showed: `state/clock.json`. A file that cannot be read counts as missing."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from core.clock import ClockRecord
from core.errors import CertdeckError, StoreTooNew
from core.paths import Paths
from core.regular import read_stored
from core.store.atomic import make_dir
from core.store.records import dumped, parsed, write_record

_END = 253402300800.0
"""The first moment of the year 10000, beyond which there is no date."""


def load(paths: Paths) -> ClockRecord | None:
    """Return what is kept of the clock, or None. Never raises."""
    try:
        raw: Any = parsed(read_stored(paths.clock), paths.clock)
        at, since, compared = _number(raw["at"]), _or_none(raw.get("since")), _or_none(raw.get("compared"))
        offset, ca = _or_none(raw.get("offset")), raw.get("ca", "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StoreTooNew):
        return None
    can_be = all(each is None or 0 <= each < _END for each in (at, since, compared))
    can_be = can_be and (offset is None or abs(offset) < _END)
    if not can_be or not isinstance(ca, str):
        return None
    return ClockRecord(at=at, since=since, offset=offset, compared=compared, ca=ca)


def save(paths: Paths, record: ClockRecord) -> None:
    """Keep it, without waiting for the disk. Never raises: nothing is worth stopping for it."""
    with suppress(CertdeckError):
        make_dir(paths.state)
        write_record(paths.clock, dumped(record._asdict()), durable=False)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("no number")
    return float(value)


def _or_none(value: object) -> float | None:
    return None if value is None else _number(value)
