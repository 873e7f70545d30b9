"""Dataclasses of plain values as JSON text, and back: for the small state files.

Reading is strict about types and lenient about fields: unknown ones (a newer release wrote them) are dropped, missing ones take
their default. Times are aware; they stand as RFC 3339 in UTC.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")


def to_json(record: object) -> bytes:
    """Return a dataclass of strings, numbers, times, tuples and mappings as JSON."""
    values = {f.name: getattr(record, f.name) for f in fields(record)}  # type: ignore[arg-type]
    return json.dumps(values, default=_plain, indent=1).encode()


def from_json(kind: type[T], text: bytes) -> T:
    """Return the `kind` that `to_json` made text of.

    Raises ValueError for anything that is none.
    """
    raw = json.loads(text)
    if not isinstance(raw, dict):
        raise ValueError("no object")
    values: dict[str, Any] = {}
    for f in fields(kind):  # type: ignore[arg-type]
        if f.name not in raw:
            if f.default is MISSING and f.default_factory is MISSING:
                raise ValueError(f"{f.name} is missing")
            continue
        values[f.name] = _value(f.name, str(f.type), raw[f.name])
    return kind(**values)


def rfc3339(at: datetime) -> str:
    """Return an aware time as text in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Return the aware time of an RFC 3339 text. Raises ValueError."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return rfc3339(value)
    raise TypeError(f"{type(value).__name__} has no place in a state file")


_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "datetime": (str,),
    "tuple": (list,),
    "Mapping": (dict,),
}


def _value(name: str, annotation: str, value: object) -> object:
    """Check a JSON value against a field's annotation: `str`, `datetime | None`, `tuple[str, ...]`, `Mapping[…]`."""
    kind, _, rest = annotation.partition(" | ")
    if value is None:
        if rest == "None":
            return None
        raise ValueError(f"{name} is null")
    base = kind.partition("[")[0]
    allowed = _KINDS.get(base)
    if allowed is not None and (not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed)):
        raise ValueError(f"{name} is no {base}")
    if base == "datetime":
        assert isinstance(value, str)
        return parse_time(value)
    if isinstance(value, list):
        return tuple(tuple(item) if isinstance(item, list) else item for item in value)
    return value
