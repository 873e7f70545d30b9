"""Records as lines of a zone file (RFC 1035), for those who keep their zone in one, and for `nsupdate`. Pure; no Textual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui.glyphs import printable

if TYPE_CHECKING:
    from core.operations import Record

TTL_SECONDS: Final = 60
"""Short: the next order wants another value."""
_LONGEST_STRING: Final = 255


def zone_line(record: Record) -> str:
    """Return one record as a line; a value that is longer than one string may be stands in several."""
    value = printable(record.value)
    if record.type == "TXT":
        strings = [value[at : at + _LONGEST_STRING] for at in range(0, len(value), _LONGEST_STRING)] or [""]
        value = " ".join(f'"{_escaped(string)}"' for string in strings)
    return f"{printable(record.name)}. {TTL_SECONDS} IN {printable(record.type)} {value}"


def _escaped(string: str) -> str:
    return string.replace("\\", "\\\\").replace('"', '\\"')
