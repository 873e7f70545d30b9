"""Foreign text made harmless: what a CA, a provider, a program, a certificate or a file's name says.

One table for everybody. A terminal obeys control characters; what nobody sees (zero width, direction, tags, variation selectors,
fillers) changes how a text looks or compares; lone surrogates, private and unassigned characters show as anything or nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_ESCAPE: Final = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)"
"""ECMA-48 control sequences and operating system commands, whole: without them their parameters would stay as rubbish."""

_IGNORABLE: Final = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
"""Default_Ignorable_Code_Point of Unicode 16 (DerivedCoreProperties.txt): shown as nothing. Most of them are Cf, not all."""
_CACHED_BELOW: Final = 0x10000


class _Table(dict[int, int | str | None]):
    """For str.translate. Filled as it is used; bounded, because foreign text decides what is asked."""

    def __missing__(self, code: int) -> int | str | None:
        found = _harmless(code)
        if code < _CACHED_BELOW:
            self[code] = found
        return found


def _harmless(code: int) -> int | str | None:
    """Return what a character becomes: itself, a blank, U+FFFD, or nothing."""
    if any(first <= code <= last for first, last in _IGNORABLE):
        return None
    match unicodedata.category(chr(code)):
        case "Cf":
            return None
        case "Cc" | "Zl" | "Zp":
            return " "
        case "Zs":
            return "  " if code == 0x3000 else " "  # as many cells as before
        case "Cs" | "Co" | "Cn":
            return REPLACEMENT
        case _:
            return " " if code == 0x2800 else code  # a braille pattern without dots


SAFE: Final = _Table()
"""For str.translate: a blank for each control character and separator, nothing for what is not seen, U+FFFD for the unknown."""


def safe(text: str) -> str:
    """Return text of which a terminal obeys nothing and everything is seen. Blanks stay where they are."""
    return text if text.isascii() and text.isprintable() else text.translate(SAFE)


def safe_line(text: str, limit: int = 300) -> str:
    """Return foreign text as one line of at most `limit` characters, blanks and line ends taken together."""
    return _cut(" ".join(safe(text[: 8 * limit]).split()), limit)


def visible(text: str, limit: int = 300) -> str:
    """Return text with U+FFFD for each character that is not seen or would be obeyed, at most `limit` characters.

    For names: of two that look the same otherwise, none may stand for the other.
    """
    text = text[: limit + 1]
    if text.isascii() and text.isprintable():
        return _cut(text, limit)
    return _cut("".join(map(_visible, text)), limit)


def tail(text: str, lines: int, limit: int = 300) -> str:
    """Return the last lines that are not empty of what a program said, each harmless and cut at `limit` characters."""
    said = (safe(line).strip() for line in re.sub(_ESCAPE, "", text).replace("\r", "\n").split("\n"))
    return "\n".join([line[:limit] for line in said if line][-lines:])


def listed(items: Sequence[str], most: int) -> str:
    """Return `a, b and 5 more`: at most `most` of the items, and how many others there are."""
    shown = ", ".join(items[:most])
    return f"{shown} and {len(items) - most:,} more" if len(items) > most else shown


def _visible(character: str) -> str:
    if unicodedata.category(character) == "Zs":
        return " "
    return character if SAFE[ord(character)] == ord(character) else REPLACEMENT


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
