"""The line of a key or a table in a TOML text: for messages, and for edits. Never used for a plain read.

The text is read line by line, so a line within a multi-line string or list may be mistaken for a header. Then a message names a
slightly wrong line, and an edit is checked against the meaning of the text anyway.
"""

from __future__ import annotations

import re
import tomllib
from codecs import BOM_UTF8
from functools import lru_cache

HEADER = r"\s*\[{1,2}\s*(.+?)\s*\]{1,2}\s*(#.*)?$"
_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_KEY = rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*="


def line_of(text: bytes, where: tuple[str, ...]) -> int:
    """Return the line (from 1) of the key at the path `where`, otherwise of the nearest table around it, otherwise 1."""
    known = _lines(text)
    for length in range(len(where), 0, -1):
        if where[:length] in known:
            return known[where[:length]]
    return 1


@lru_cache(maxsize=4)
def _lines(text: bytes) -> dict[tuple[str, ...], int]:
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.removeprefix(BOM_UTF8).decode("utf-8", "replace").splitlines(), 1):
        if header := re.match(HEADER, line):
            table = parts_of(header[1])
            path = table
        elif key := re.match(_KEY, line):
            path = (*table, *parts_of(key[1]))
        else:
            continue
        for length in range(1, len(path) + 1):
            found.setdefault(path[:length], number)
    return found


def parts_of(dotted: str) -> tuple[str, ...]:
    """Split a dotted key, which may have quoted parts, with tomllib."""
    try:
        value: object = tomllib.loads(f"{dotted} = 0")
    except tomllib.TOMLDecodeError:
        return (dotted,)
    parts = []
    while isinstance(value, dict):
        key = next(iter(value))
        parts.append(key)
        value = value[key]
    return tuple(parts)
