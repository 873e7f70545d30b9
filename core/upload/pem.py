"""Finds PEM blocks in any text: a mail, a log, a web page, a paste in a terminal (RFC 7468, and its variations in practice).

It handles byte order marks, UTF-16, CRLF, indentation, text around the blocks, blocks on a single line, and escaped `\\n`. It scans
the text once: no input makes it slow.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error

from msgspec import Struct

_MARK = re.compile(rb"-----\s{0,4}(BEGIN|END) ([A-Za-z0-9 #./_-]{1,64}?)\s{0,4}-----")
_HEADER = re.compile(rb"^[ \t]*[A-Za-z][A-Za-z0-9-]*:.*$", re.MULTILINE)
_FOREIGN_BLANKS = (b"\xc2\xa0", b"\xe2\x80\x8b", b"\xef\xbb\xbf", b"\\r", b"\\n", b"\\t")
"""No-break and zero-width spaces of web pages and word processors, and JSON escapes: none of them is base64."""
_MOST_BLOCKS = 400


class TooManyBlocks(ValueError):
    """More blocks than any real file has."""


class Block(Struct, frozen=True):
    """One block. Its repr shows no content."""

    label: str
    """In upper case, for example `CERTIFICATE`."""
    content: bytes
    """Decoded content. Empty if it is damaged."""
    headers: bytes = b""
    """`Proc-Type` and `DEK-Info` of an old encrypted key, each with a line feed."""
    damage: str = ""
    """Why it cannot be decoded, one sentence."""

    def __repr__(self) -> str:
        return f"Block({self.label!r}, {len(self.content)} bytes)"


def as_text(data: bytes) -> tuple[bytes, str]:
    """Return the text in an ASCII-compatible encoding, and the name of its encoding if it was another (UTF-16, UTF-32)."""
    for mark, encoding in ((b"\xff\xfe\0\0", "utf-32-le"), (b"\0\0\xfe\xff", "utf-32-be")):
        if data.startswith(mark):
            return data[4:].decode(encoding, "replace").encode("utf-8"), "UTF-32"
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return data[2:].decode(encoding, "replace").encode("utf-8"), "UTF-16"
    if b"-\0\0\0-\0\0\0" in data:
        encoding = "utf-32-be" if data[:1] == b"\0" else "utf-32-le"
        return data.decode(encoding, "replace").encode("utf-8"), "UTF-32"
    if b"-\0-\0-\0" in data or b"\0-\0-\0-" in data:
        encoding = "utf-16-be" if data[:1] == b"\0" else "utf-16-le"
        return data.decode(encoding, "replace").encode("utf-8"), "UTF-16"
    return data.removeprefix(b"\xef\xbb\xbf"), ""


def blocks(text: bytes) -> list[Block]:
    """Return every block in order, damaged ones with the reason. Raises TooManyBlocks."""
    found: list[Block] = []
    begun: re.Match[bytes] | None = None
    for mark in _MARK.finditer(text):
        if len(found) > _MOST_BLOCKS:
            raise TooManyBlocks
        if mark[1] == b"BEGIN":
            if begun is not None:
                found.append(_cut_off(begun))
            begun = mark
        elif begun is not None:
            label = _label(begun)
            if label == _label(mark):
                found.append(_decoded(label, text[begun.end() : mark.start()]))
            else:
                found.append(Block(label, b"", damage=f"It begins with {label} and ends with {_label(mark)}."))
            begun = None
    if begun is not None:
        found.append(_cut_off(begun))
    return found


def bare_base64(text: bytes) -> bytes | None:
    """Decode a text that is only base64, such as a pasted binary file. None: it is not."""
    joined = _without_blanks(text)
    if len(joined) < 64:
        return None
    try:
        return b64decode(joined + b"=" * (-len(joined) % 4), validate=True)
    except (Base64Error, ValueError):
        return None


def _label(mark: re.Match[bytes]) -> str:
    return mark[2].decode("ascii").upper()


def _cut_off(begun: re.Match[bytes]) -> Block:
    return Block(_label(begun), b"", damage="Its end is missing: the file or the paste is cut off.")


def _decoded(label: str, body: bytes) -> Block:
    headers = b""
    body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b":" in body:
        lines = [match[0].strip() for match in _HEADER.finditer(body)]
        headers = b"".join(line + b"\n" for line in lines)
        body = _HEADER.sub(b"", body)
    try:
        return Block(label, b64decode(_without_blanks(body), validate=True), headers)
    except (Base64Error, ValueError):
        return Block(label, b"", headers, "It contains characters that are not base64: it was altered in transit.")


def _without_blanks(text: bytes) -> bytes:
    for blank in _FOREIGN_BLANKS:
        text = text.replace(blank, b"")
    return b"".join(text.split())
