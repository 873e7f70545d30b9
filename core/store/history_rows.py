"""One event as the database of the history holds it, and back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import asdict

from core.events import Event, Report
from core.operations import LogEntry
from core.store.records import rfc3339

COLUMNS = "number, at, run, lineage, kind, facts, who, hash"
"""Of a row that is read. Written is a `Row`, and the number and hash that it gets in the chain."""
Row = tuple[str, str, str | None, str, str, str]
"""at, run, lineage, kind, facts, who."""


def kind_of(event: Event) -> str:
    """Return the event's name as the log shows it: `TargetReloaded` → `target-reloaded`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", type(event).__name__).lower()


def facts_of(event: Event) -> dict[str, object]:
    """Return the event's fields as JSON has them."""
    return {name: _plain(value) for name, value in asdict(event).items()}


def row_of(report: Report, who: str) -> Row:
    """Return the row of an event. `who`: the account that ran certdeck."""
    lineage = None if report.lineage is None else storable(report.lineage)
    return rfc3339(report.at), report.run, lineage, kind_of(report.event), _canonical(report.event), storable(who)


def row_beside(row: Row, event: Event) -> Row:
    """Return the row of an event of the same moment, run and account as `row`, about no lineage."""
    at, run, _, _, _, who = row
    return at, run, None, kind_of(event), _canonical(event), who


def entry_of(row: tuple[int, str, str, str | None, str, str, str, str]) -> LogEntry:
    """Return the entry of a row with all COLUMNS. Raises ValueError for one that was changed."""
    number, at, run, lineage, kind, facts, who, _ = row
    return LogEntry(
        number=number,
        at=datetime.fromisoformat(at),
        run=run,
        lineage=lineage,
        kind=kind,
        facts=json.loads(facts),
        who=who,
    )


def storable(value: str) -> str:
    """Return what a database can hold: names of files and users may be no proper text."""
    return value.encode("utf-8", "backslashreplace").decode()


def _canonical(event: Event) -> str:
    """Return the event's facts as they are hashed."""
    return json.dumps(facts_of(event), sort_keys=True, separators=(",", ":"))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return value
