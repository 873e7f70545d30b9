"""Path patterns of AppArmor profiles (apparmor.d(5), "Globbing") as regular expressions. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_VARIABLE = re.compile(r"@\{(\w+)\}")
_DEEPEST = 10
"""Variables within variables; the tunables of Debian 12 have three levels."""

Variables = Mapping[str, Sequence[str]]
"""Name → values; a value may name further variables."""


def is_known(pattern: str, variables: Variables) -> bool:
    """Tell whether all variables of a pattern have a value."""
    return "@{" not in expanded(pattern, variables)


def expanded(pattern: str, variables: Variables) -> str:
    """Return a pattern with `{value,value}` in the place of each variable; unknown ones stay.

    A slash between a value and what surrounds it counts once, as apparmor_parser reads it: `@{PROC}/stat` is `/proc/stat`.
    """
    for _ in range(_DEEPEST):
        following = _VARIABLE.sub(lambda found: _values(found, variables), pattern)
        if following == pattern:
            break
        pattern = following
    return re.sub("/{2,}", "/", pattern)


def matcher(pattern: str) -> re.Pattern[str]:
    """Return the expression that matches what a pattern without variables matches, to be used with `fullmatch`.

    Raises ValueError for a pattern with an open bracket.
    """
    found: list[str] = []
    depth = place = 0
    while place < len(pattern):
        character = pattern[place]
        place += 1
        match character:
            case "*" if pattern.startswith("*", place):
                place += 1
                found.append(".*")
            case "*":
                found.append("[^/]*")
            case "?":
                found.append("[^/]")
            case "[":
                end = pattern.index("]", place + 1)
                inner = pattern[place:end].replace("\\", r"\\").replace("[", r"\[")
                found.append(f"(?!/)[{inner}]")
                place = end + 1
            case "{":
                depth += 1
                found.append("(?:")
            case "}" if depth:
                depth -= 1
                found.append(")")
            case "," if depth:
                found.append("|")
            case "\\" if place < len(pattern):
                found.append(re.escape(pattern[place]))
                place += 1
            case _:
                found.append(re.escape(character))
    if depth:
        raise ValueError(pattern)
    try:
        return re.compile("".join(found), re.DOTALL)
    except re.error as exc:
        raise ValueError(pattern) from exc


def _values(found: re.Match[str], variables: Variables) -> str:
    values = variables.get(found[1])
    if not values:
        return found[0]
    if found.string.startswith("/", found.end()):
        values = [value.rstrip("/") for value in values]
    if found.string.endswith("/", 0, found.start()):
        values = [value.lstrip("/") for value in values]
    return values[0] if len(values) == 1 else f"{{{','.join(values)}}}"
