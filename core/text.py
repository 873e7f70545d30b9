"""Makes foreign text harmless: text from a CA, a provider, a program, a certificate or a file's name.

There is one table for all. A terminal obeys control characters; invisible characters (zero width, direction, tags, variation
selectors, fillers) change how a text looks or compares; lone surrogates, private and unassigned characters have no defined look.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_ESCAPE: Final = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)"
"""ECMA-48 control sequences and operating system commands as a whole: otherwise their parameters would remain as garbage."""

_IGNORABLE: Final = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
"""Default_Ignorable_Code_Point of Unicode 16 (DerivedCoreProperties.txt): invisible. Most of them are Cf, but not all."""
_CACHED_BELOW: Final = 0x10000


class _Table(dict[int, int | str | None]):
    """A table for str.translate. Filled on use; bounded, because foreign text decides what is looked up."""

    def __missing__(self, code: int) -> int | str | None:
        found = _harmless(code)
        if code < _CACHED_BELOW:
            self[code] = found
        return found


def _harmless(code: int) -> int | str | None:
    """Return the replacement of a character: itself, a space, U+FFFD, or None to remove it."""
    if any(first <= code <= last for first, last in _IGNORABLE):
        return None
    match unicodedata.category(chr(code)):
        case "Cf":
            return None
        case "Cc" | "Zl" | "Zp":
            return " "
        case "Zs":
            return "  " if code == 0x3000 else " "  # the same number of cells
        case "Cs" | "Co" | "Cn":
            return REPLACEMENT
        case _:
            return " " if code == 0x2800 else code  # a braille pattern without dots


SAFE: Final = _Table()
"""For str.translate: a space for control characters and separators, nothing for invisible ones, U+FFFD for unknown ones."""


def safe(text: str) -> str:
    """Return text without control characters and invisible characters. Spaces are kept."""
    return text if text.isascii() and text.isprintable() else text.translate(SAFE)


def safe_line(text: str, limit: int = 300) -> str:
    """Return foreign text as one line of at most `limit` characters, with white space collapsed."""
    return _cut(" ".join(safe(text[: 8 * limit]).split()), limit)


def visible(text: str, limit: int = 300) -> str:
    """Return text with U+FFFD for each invisible or control character, at most `limit` characters.

    For names: two different names must not look the same.
    """
    text = text[: limit + 1]
    if text.isascii() and text.isprintable():
        return _cut(text, limit)
    return _cut("".join(map(_visible, text)), limit)


def tail(text: str, lines: int, limit: int = 300) -> str:
    """Return the last non-empty lines of a program's output, each cleaned and cut at `limit` characters."""
    said = (safe(line).strip() for line in re.sub(_ESCAPE, "", text).replace("\r", "\n").split("\n"))
    return "\n".join([line[:limit] for line in said if line][-lines:])


def listed(items: Sequence[str], most: int) -> str:
    """Return `a, b and 5 more`: at most `most` of the items, and the number of the others."""
    shown = ", ".join(items[:most])
    return f"{shown} and {len(items) - most:,} more" if len(items) > most else shown


def plural(count: float, noun: str) -> str:
    """Return `1 day`, `2 days`, `0.5 days`, `12,000 entries`; a noun that ends in `y` after a consonant becomes `-ies`."""
    if count == 1:
        return f"1 {noun}"
    nouns = f"{noun[:-1]}ies" if re.search(r"[^aeiou]y$", noun) else f"{noun}s"
    return f"{count:,} {nouns}" if isinstance(count, int) else f"{count:g} {nouns}"


def _visible(character: str) -> str:
    if unicodedata.category(character) == "Zs":
        return " "
    return character if SAFE[ord(character)] == ord(character) else REPLACEMENT


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
