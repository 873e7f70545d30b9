"""What the services of this box presented at the last detection (`state/detected.json`).

A detection takes seconds, so `status` shows the last result, at the cost of reading one small file. The file may be removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from core.errors import CertdeckError
from core.lineage_status import Unmanaged
from core.paths import Paths
from core.regular import read_stored
from core.severity import days_left, severity
from core.store.atomic import make_dir
from core.store.records import from_json, parse_time, rfc3339, to_json, write_record

if TYPE_CHECKING:
    from core.config.model import TargetConfig
    from core.detected import DetectedService
    from core.store.index import Facts

_FIELDS = 7


class DetectedRecord(Struct, frozen=True, kw_only=True):
    """What the last search for services has shown."""

    at: datetime
    presented: tuple[tuple[str, ...], ...] = ()
    """(kind, title, address, sha256, subject, not before, not after) of each listener that presented a certificate."""


def save(paths: Paths, found: Iterable[DetectedService], at: datetime) -> None:
    """Keep what was found. What cannot be written is not kept: the next look writes it."""
    rows = [
        (
            each.kind,
            each.title,
            seen.address,
            seen.sha256,
            seen.subject,
            rfc3339(seen.not_before),
            rfc3339(seen.not_after),
        )
        for each in found
        for seen in each.listeners
        if seen.sha256 and seen.not_before and seen.not_after
    ]
    with suppress(CertdeckError, OSError):
        make_dir(paths.state)
        write_record(paths.detected, to_json(DetectedRecord(at=at, presented=tuple(rows))), durable=False)


def load(paths: Paths) -> DetectedRecord | None:
    """Return what was found last; None where nobody has looked yet, or where the record cannot be read."""
    try:
        return from_json(DetectedRecord, read_stored(paths.detected), paths.detected)
    except (OSError, ValueError, TypeError, CertdeckError):
        return None


def unmanaged(
    paths: Paths,
    facts_of_all: Callable[[], Sequence[Facts]],
    now: datetime,
    targets: Mapping[str, TargetConfig] | None = None,
    *,
    urgent_only: bool = False,
) -> tuple[Unmanaged, ...]:
    """Return the listeners that presented a certificate which is none of this box, the one that expires first at the top.

    Args:
        facts_of_all: called only if a listener is left whose certificate may be another program's: it may be expensive.
        urgent_only: leave out those that are green.
        targets: as configured: what one that carries a certificate of this box serves is told of with that certificate.
    """
    record = load(paths)
    found = (
        [] if record is None else [row for row in _judged(record, now) if not urgent_only or row.severity != "green"]
    )
    if not found:
        return ()
    every = facts_of_all()
    own = {facts.sha256 for facts in every}
    carrying = (targets[name] for facts in every for name in facts.targets if targets and name in targets)
    told = {address for target in carrying for address in target.probe}
    others = (row for row in found if row.sha256 not in own and row.address not in told)
    return tuple(sorted(others, key=lambda each: (each.not_after, each.address)))


def _judged(record: DetectedRecord, now: datetime) -> Iterator[Unmanaged]:
    for row in record.presented:
        if len(row) != _FIELDS:
            continue
        kind, title, address, sha256, subject, *times = row
        with suppress(ValueError):
            begin, end = (parse_time(text) for text in times)
            stamps = (begin.timestamp(), end.timestamp(), now.timestamp())
            yield Unmanaged(
                kind=kind,
                title=title,
                address=address,
                sha256=sha256,
                subject=subject,
                not_after=end,
                days_left=days_left(*stamps),
                severity=severity(*stamps),
                seen=record.at,
            )
