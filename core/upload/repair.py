"""Repairs PEM that mail programs, word processors, web pages or configuration files have altered. Pure; each step is linear.

A step runs only if its traces are present, and its result must still be complete PEM with complete DER: a wrong guess has no
effect. The caller reports what cannot be repaired.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from itertools import islice
from quopri import decodestring
from urllib.parse import unquote_to_bytes

_DASH = rb"(?:-|\xe2\x80[\x90-\x95]|\xe2\x88\x92|\xef\xb9[\x98\xa3]|\xef\xbc\x8d|\xc2\xad)"
"""Any dash (UTF-8): hyphen, en dash, em dash, minus, and their wide and small forms."""
_MARK = re.compile(
    # Never start within a run of dashes, and never backtrack into one: a mebibyte of dashes costs one step for each.
    rb"(?<![-\x90-\x95])"
    + _DASH
    + rb"{1,10}+[ \t]{0,4}(BEGIN|END)[ \t]{1,4}([A-Za-z0-9 #./_]{1,64}?)[ \t]{0,4}"
    + _DASH
    + rb"{1,10}",
    re.IGNORECASE,
)
_QUOTED = re.compile(rb"^[ \t]{0,8}(?:[>|][ \t]?){1,20}", re.MULTILINE)
_QUOTED_MARK = re.compile(rb"^[ \t]{0,8}[>|][>| \t]{0,20}-{1,10} ?BEGIN ", re.MULTILINE)
_ESCAPES = re.compile(rb"(?<!\\)\\{1,8}+(?:([rnt])|(/)|u00([0-9A-Fa-f]{2}))")
_ENTITIES = re.compile(rb"&(?:#0{0,4}1[03]|#x0{0,4}[aAdD]|nbsp|#160);|<[^<>]{0,60}>")
_ENCODED = re.compile(
    rb"^content-transfer-encoding:[ \t]{0,8}\"?(base64|quoted-printable)", re.IGNORECASE | re.MULTILINE
)
_BOUNDARY = re.compile(rb"^--(?!-{0,8} ?(?:BEGIN|END) )", re.MULTILINE)
_VALUE = re.compile(
    rb"[A-Za-z0-9+/]{40,}(?:\s{1,80}[A-Za-z0-9+/]{40,})*(?:\s{1,80}[A-Za-z0-9+/]{1,100}(?=[\s=\"'<,]|\Z))?={0,2}"
)
_HEX = re.compile(rb"\A[\s:]*30[\s:]*8[123][0-9A-Fa-f\s:]+(?:quit\s*)?\Z", re.IGNORECASE)
_MOST_PARTS = 20


def repaired(text: bytes) -> tuple[bytes, str]:
    """Return the repaired text, and the names of the repairs, separated by commas. Empty: nothing was repaired."""
    found = []
    for words, step in _STEPS:
        better = step(text)
        if better != text:
            found.append(words)
            text = better
    return text, ", ".join(found)


def marks(text: bytes) -> int:
    """Return the number of BEGIN and END lines, including malformed ones that PEM readers do not accept."""
    return sum(1 for _ in _MARK.finditer(text))


def _without_quotes(text: bytes) -> bytes:
    """Remove the quote marks that mail programs put before quoted lines."""
    return _QUOTED.sub(b"", text) if _QUOTED_MARK.search(text) else text


def _without_escapes(text: bytes) -> bytes:
    """Decode JSON escapes, also doubly escaped ones."""

    def plain(match: re.Match[bytes]) -> bytes:
        if match[3]:
            return bytes([int(match[3], 16)])
        return b"/" if match[2] else b"\n"

    return _ESCAPES.sub(plain, text) if b"\\" in text else text


def _without_entities(text: bytes) -> bytes:
    """Decode the line breaks of HTML and XML, and remove tags."""
    return _ENTITIES.sub(b"\n", text) if b"&" in text or b"<" in text else text


def _without_percent(text: bytes) -> bytes:
    return unquote_to_bytes(text) if b"%0A" in text.upper() else text


def _without_quoted_printable(text: bytes) -> bytes:
    """Decode quoted-printable. Base64 has an equals sign only at its end, which is then encoded as `=3D`."""
    return decodestring(text) if b"=3D" in text.upper() else text


def _with_plain_marks(text: bytes) -> bytes:
    """Normalize the BEGIN and END lines: five hyphens, upper case."""
    return _MARK.sub(lambda match: b"-----%b %b-----" % (match[1].upper(), match[2].upper()), text)


_STEPS: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("quote marks", _without_quotes),
    ("quoted-printable", _without_quoted_printable),
    ("escapes", _without_escapes),
    ("HTML", _without_entities),
    ("percent signs", _without_percent),
    ("dashes", _with_plain_marks),
)


def mail_parts(text: bytes) -> list[bytes]:
    """Return the decoded parts of a mail that have a transfer encoding (RFC 2045), at most 20."""
    text = text.replace(b"\r\n", b"\n")
    found: list[bytes] = []
    for header in islice(_ENCODED.finditer(text), _MOST_PARTS):
        begin = text.find(b"\n\n", header.end())
        if begin < 0:
            break
        boundary = _BOUNDARY.search(text, begin)
        body = text[begin : boundary.start() if boundary else len(text)]
        decoded = decodestring(body) if header[1].lower() == b"quoted-printable" else _base64(body)
        if decoded:
            found.append(decoded)
    return found


def hidden_values(text: bytes) -> list[bytes]:
    """Return the decoded base64 values in YAML, JSON, XML or other text, at most 20; or the bytes of a hex dump."""
    if _HEX.match(text):
        digits = re.sub(rb"[^0-9A-Fa-f]", b"", re.sub(rb"quit", b"", text, flags=re.IGNORECASE))
        return [bytes.fromhex(digits[: len(digits) // 2 * 2].decode("ascii"))]
    found: list[bytes] = []
    for match in _VALUE.finditer(text):
        decoded = _base64(match[0])
        if decoded[:1] == b"0" or b"-----BEGIN " in decoded[:4000]:
            found.append(decoded)
        if len(found) == _MOST_PARTS:
            break
    return found


def _base64(text: bytes) -> bytes:
    joined = b"".join(text.split())
    try:
        return b64decode(joined.rstrip(b"=") + b"=" * (-len(joined.rstrip(b"=")) % 4), validate=True)
    except (Base64Error, ValueError):
        return b""
