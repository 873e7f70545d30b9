"""A small reader of DER and BER (X.690), to inspect a structure before a library parses it.

It knows only tags and lengths, and copies no more than it is asked for. Each reader reads a limited number of elements: a structure
with more nesting or parts was made to waste time, and is refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OID = 0x06
SEQUENCE = 0x30
_CONSTRUCTED = 0x20
_MOST_ELEMENTS = 20_000
_DEEPEST = 40


def tlv(tag: int, content: bytes) -> bytes:
    """Encode one element in DER."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    count = (size.bit_length() + 7) // 8
    return bytes((tag, 0x80 | count)) + size.to_bytes(count, "big") + content


def elements(data: bytes, most: int) -> list[bytes]:
    """Return the elements of data that is a sequence of DER elements. Empty: other data, or more than `most` elements."""
    found: list[bytes] = []
    rest = data
    while rest.strip(b"\r\n\0 "):
        first = first_element(rest)
        if not data.startswith(b"0") or len(found) == most or (len(first) == len(rest) and not found):
            return []
        found.append(first)
        rest = rest[len(first) :].lstrip(b"\r\n")
    return found


def first_element(data: bytes) -> bytes:
    """Return the first element of the data, without what follows. If there is no element: the data itself."""
    try:
        return data[: Reader(data).at(0, len(data)).after]
    except NotDer:
        return data


class NotDer(ValueError):
    """The bytes do not follow the rules of DER, or have too many elements."""


class TooManyElements(NotDer):
    """It has deeper nesting, or more elements, than any legitimate data."""


class Element(Struct, frozen=True):
    """One DER element: its tag, and the position of its content."""

    tag: int
    start: int
    """Of its content."""
    end: int
    """Of its content."""
    after: int
    """Start of the next element."""

    @property
    def is_constructed(self) -> bool:
        return bool(self.tag & _CONSTRUCTED)


class Reader:
    """Reads elements of `data`. Raises NotDer."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._left = _MOST_ELEMENTS

    def whole(self) -> Element:
        """Return the element that fills the whole data. Trailing white space and NUL bytes are ignored."""
        found = self.at(0, len(self.data))
        if self.data[found.after :].strip(b"\r\n\0 "):
            raise NotDer("trailing data")
        return found

    def at(self, position: int, limit: int, depth: int = 0) -> Element:
        """Return the element that begins at `position` and ends before `limit`."""
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            raise TooManyElements("too many elements")
        data = self.data
        if position + 2 > limit:
            raise NotDer("cut off")
        tag, length = data[position], data[position + 1]
        if tag & 0x1F == 0x1F:
            raise NotDer("a long tag")
        start = position + 2
        if length == 0x80:
            return self._indefinite(tag, start, limit, depth)
        if length > 0x80:
            count = length & 0x7F
            if count > 4 or start + count > limit:
                raise NotDer("an invalid length")
            length = int.from_bytes(data[start : start + count], "big")
            start += count
        if start + length > limit:
            raise NotDer("cut off")
        return Element(tag, start, start + length, start + length)

    def _indefinite(self, tag: int, start: int, limit: int, depth: int) -> Element:
        """Find the end of an element of indefinite length (BER, as written by old Windows and Mozilla)."""
        if not tag & _CONSTRUCTED:
            raise NotDer("an invalid length")
        position = start
        while self.data[position : position + 2] != b"\0\0":
            position = self.at(position, limit, depth + 1).after
        return Element(tag, start, position, position + 2)

    def children(self, element: Element) -> Iterator[Element]:
        """Yield the direct children."""
        position = element.start
        while position < element.end:
            child = self.at(position, element.end)
            yield child
            position = child.after

    def content(self, element: Element) -> bytes:
        """Return the content. The pieces of a constructed string (BER) are joined."""
        if not element.is_constructed:
            return self.data[element.start : element.end]
        return b"".join(self.content(child) for child in self.children(element))

    def raw(self, element: Element) -> bytes:
        """Return the content of an element unchanged."""
        return self.data[element.start : element.end]

    def number(self, element: Element) -> int:
        """Return the value of a non-negative INTEGER of at most eight bytes. Raises NotDer for any other element."""
        content = self.data[element.start : element.end]
        if element.tag != INTEGER or not 0 < len(content) <= 8 or content[0] & 0x80:
            raise NotDer("not a small number")
        return int.from_bytes(content, "big")

    def tags(self, element: Element, most: int = 12) -> list[int]:
        """Return the tags of the first `most` children."""
        found = []
        for child in self.children(element):
            found.append(child.tag)
            if len(found) == most:
                break
        return found
