"""TXT data in zone file format: quoted strings of at most 255 bytes (RFC 1035 §3.3.14, §5.1).

Some APIs use this format, some use plain values, some use either; values are compared in plain form.
"""

from __future__ import annotations

import re

LONGEST_STRING = 255

_PART = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))', re.DOTALL)
_ESCAPE = re.compile(rb"\\(\d{3}|.)", re.DOTALL)


def quoted(value: str) -> str:
    """Return a value in quotes, split into several strings if it is longer than one can be: `"abc"`, `"aaa…" "bbb"`."""
    data = value.encode("utf-8", "surrogateescape")
    strings = [data[start : start + LONGEST_STRING] for start in range(0, len(data), LONGEST_STRING)] or [b""]
    return " ".join(f'"{"".join(map(_escaped, string))}"' for string in strings)


def unquoted(text: str) -> str:
    """Return the plain value of what an API returns: quoted strings joined and unescaped, anything else unchanged."""
    if not text.lstrip().startswith('"'):
        return text
    at, joined = 0, b""
    bare = text.rstrip()
    while at < len(bare):
        part = _PART.match(bare, at)
        if part is None:
            return text  # a quote without its end: not zone file format
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
