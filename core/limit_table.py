"""A CA's limits as written in the configuration: `orders = "300/3h"`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from core.budget import FAILURES, ORDERS, PER_DOMAIN, PER_NAMES, RENEWAL, REPLACES, Allowance

EXEMPT = "exempt"
"""Key for the orders that the CA does not count."""
_LIMITS = (ORDERS, PER_DOMAIN, PER_NAMES, FAILURES)
_EXEMPT = (REPLACES, RENEWAL)
_FORM = r"(?a)([1-9]\d{0,8})\s*/\s*([1-9]\d{0,4})\s*([mhdw])"
_SECONDS = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_LONGEST_SECONDS = 366 * 86400.0


def keys() -> tuple[str, ...]:
    """Return the keys of such a table."""
    return (*(_key(limit) for limit in _LIMITS), EXEMPT)


def broken(table: Mapping[str, str]) -> tuple[str, str] | None:
    """Return (what is wrong with a table, how to fix it), or None."""
    known = keys()
    for key, value in table.items():
        if key not in known:
            return f"{key!r} is not a supported limit", f"Use one or more of: {', '.join(known)}."
        if key == EXEMPT:
            if not all(word in _EXEMPT for word in _words(value)):
                return f"{value!r} is not a type of order", f"Use one or more of: {', '.join(_EXEMPT)}."
        elif _parsed(value) is None:
            return f"{key}: {value!r} is not a limit", f'Write a number and a period, for example {key} = "300/3h".'
    if not set(table) - {EXEMPT}:
        return "this table has no limit", f'Write, for example, {known[0]} = "300/3h"; or limits = "none".'
    return None


def allowances(table: Mapping[str, str]) -> tuple[Allowance, ...]:
    """Return the limits of a valid table."""
    exempt = tuple(_words(table.get(EXEMPT, "")))
    found = []
    for limit in _LIMITS:
        parsed = _parsed(table.get(_key(limit), ""))
        if parsed is not None:
            found.append(Allowance(limit=limit, count=parsed[0], seconds=parsed[1], exempt=exempt))
    return tuple(found)


def from_line(line: str) -> str | dict[str, str] | None:
    """Parse one line: `orders=300/3h, exempt=replaces` becomes a table, one word an issuer, nothing None."""
    parts = [part for part in re.split(r"[\s,;]+(?=\w+\s*=)", line.strip()) if part]
    if len(parts) == 1 and "=" not in line:
        return parts[0]
    return {key.strip(): value.strip() for key, _, value in (part.partition("=") for part in parts)} or None


def as_line(limits: str | Mapping[str, str] | None) -> str:
    """Return the line that `from_line` parses to these limits."""
    if limits is None or isinstance(limits, str):
        return limits or ""
    return ", ".join(f"{key}={value}" for key, value in limits.items())


def window_words(seconds: float) -> str:
    """Return a limit's period in words: `7 days`, `3 hours`, `1 hour`, `90 minutes`."""
    whole = round(seconds)
    if whole >= 2 * 86400 and whole % 86400 == 0:
        number, unit = whole // 86400, "day"
    elif whole >= 3600 and whole % 3600 == 0:
        number, unit = whole // 3600, "hour"
    else:
        number, unit = whole // 60, "minute"
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _key(limit: str) -> str:
    return limit.replace("-", "_")


def _words(value: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", value) if word]


def _parsed(value: str) -> tuple[int, float] | None:
    match = re.fullmatch(_FORM, value.strip())
    if match is None:
        return None
    seconds = int(match[2]) * _SECONDS[match[3]]
    return (int(match[1]), seconds) if seconds <= _LONGEST_SECONDS else None
