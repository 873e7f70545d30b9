"""Formats records as lines of a zone file (RFC 1035), for zone files and for `nsupdate`. Pure, without Textual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui.glyphs import printable

if TYPE_CHECKING:
    from core.operations import Record

TTL_SECONDS: Final = 60
"""Short, because the next order needs another value."""
_LONGEST_STRING: Final = 255


def zone_line(record: Record) -> str:
    """Return a record as a line. A value that is too long for one string is split into several."""
    value = printable(record.value)
    if record.type == "TXT":
        strings = [value[at : at + _LONGEST_STRING] for at in range(0, len(value), _LONGEST_STRING)] or [""]
        value = " ".join(f'"{_escaped(string)}"' for string in strings)
    return f"{printable(record.name)}. {TTL_SECONDS} IN {printable(record.type)} {value}"


def _escaped(string: str) -> str:
    return string.replace("\\", "\\\\").replace('"', '\\"')
