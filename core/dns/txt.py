"""TXT data as zone files write it: quoted strings of at most 255 bytes (RFC 1035 §3.3.14, §5.1).

Some interfaces take and give values like that, some plain, some now this and now that; values are compared plain.
"""

from __future__ import annotations

import re

LONGEST_STRING = 255

_PART = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))', re.DOTALL)
_ESCAPE = re.compile(rb"\\(\d{3}|.)", re.DOTALL)


def quoted(value: str) -> str:
    """Return a value in quotes, in several strings when it is longer than one can be: `"abc"`, `"aaa…" "bbb"`."""
    data = value.encode("utf-8", "surrogateescape")
    strings = [data[start : start + LONGEST_STRING] for start in range(0, len(data), LONGEST_STRING)] or [b""]
    return " ".join(f'"{"".join(map(_escaped, string))}"' for string in strings)


def unquoted(text: str) -> str:
    """Return the plain value of what an interface gives: strings in quotes joined and unescaped, anything else as it is."""
    if not text.lstrip().startswith('"'):
        return text
    at, joined = 0, b""
    bare = text.rstrip()
    while at < len(bare):
        part = _PART.match(bare, at)
        if part is None:
            return text  # a quote without its end: no zone file's form
        inside = part[1] if part[1] is not None else part[2]
        joined += _ESCAPE.sub(_byte, inside.encode("utf-8", "surrogateescape"))
        at = part.end()
    return joined.decode("utf-8", "surrogateescape")


def _escaped(byte: int) -> str:
    character = chr(byte)
    if character in '"\\':
        return f"\\{character}"
    return character if 32 <= byte < 127 else f"\\{byte:03d}"


def _byte(escape: re.Match[bytes]) -> bytes:
    number = escape[1]
    return bytes([int(number)]) if len(number) == 3 and int(number) < 256 else number
