"""Parses what a CA sends: typed values from untyped JSON, harmless text, aware times."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.text import safe_line

Json = Mapping[str, Any]


def plain(text: object, limit: int = 300) -> str:
    """Return foreign text as one harmless line: no control codes, no invisible characters, at most `limit` characters."""
    return safe_line(text if isinstance(text, str) else "" if text is None else str(text), limit)


def object_in(body: bytes) -> Json | None:
    """Return `body` as a JSON object; None if it is not one."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return None
    return value if isinstance(value, dict) else None


def text_of(source: Json, key: str) -> str | None:
    """Return the non-empty string at `key`; None for anything else."""
    value = source.get(key)
    return value if isinstance(value, str) and value else None


def texts_of(source: Json, key: str) -> tuple[str, ...]:
    """Return the strings in the list at `key`; empty if it is not a list."""
    value = source.get(key)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def objects_of(source: Json, key: str) -> tuple[Json, ...]:
    """Return the objects in the list at `key`; empty if it is not a list."""
    value = source.get(key)
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def object_of(source: Json, key: str) -> Json | None:
    """Return the object at `key`; None for anything else."""
    value = source.get(key)
    return value if isinstance(value, dict) else None


def time_of(source: Json, key: str) -> datetime | None:
    """Return the RFC 3339 time at `key` in UTC; None if it is missing or invalid."""
    value = text_of(source, key)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None
