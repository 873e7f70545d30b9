"""Lines of styled text, measured in cells: cut, padded, wrapped, and joined to strips. Pure.

A part is a text with its style. Nothing here reads markup: what comes from outside stays what it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

Part = tuple[str, Style]
Line = Sequence[Part]

BLANK = Style()
_BREAKS = "/-_.,:;=@?&"
"""A word longer than a line may break after one of these."""


def width_of(text: str) -> int:
    """Return how many cells `text` takes."""
    return len(text) if text.isascii() else cell_len(text)


def cut(text: str, width: int) -> str:
    """Return `text` in at most `width` cells; an ellipsis marks a cut."""
    if width_of(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 1 else "…"[:width]


def squeezed(text: str, width: int) -> str:
    """Return `text` in at most `width` cells, shortened in its middle: a name is known by its beginning and its domain."""
    if width_of(text) <= width or width < 3:
        return cut(text, width)
    head = width // 2
    tail = len(text) - 1
    while width_of(text[tail:]) < width - head - 1:
        tail -= 1
    end = text[tail:] if width_of(text[tail:]) < width - head else text[tail + 1 :]
    return f"{set_cell_size(text, head)}…{end}"


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Return `text` in exactly `width` cells."""
    text = cut(text, width)
    blanks = " " * (width - width_of(text))
    return blanks + text if right else text + blanks


def wrap(text: str, width: int) -> list[str]:
    """Return `text` as lines of at most `width` cells, broken between words, and within a word longer than a line."""
    width = max(width, 1)
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            joined = f"{line} {word}" if line else word
            if width_of(joined) <= width:
                line = joined
                continue
            if line:
                lines.append(line)
            *full, line = _broken(word, width)
            lines += full
        lines.append(line)
    return lines


def _broken(word: str, width: int) -> list[str]:
    """Return a word in pieces of at most `width` cells: a path breaks after a slash, a name after a dot."""
    pieces: list[str] = []
    while width_of(word) > width:
        whole = chop_cells(word, width)[0]
        end = max(whole.rfind(sign) for sign in _BREAKS) + 1
        piece = whole[:end] if end * 3 >= len(whole) else whole
        pieces.append(piece)
        word = word[len(piece) :]
    return [*pieces, word]


def paired(digits: str) -> str:
    """Return hex digits as bytes with colons between them."""
    even = digits if len(digits) % 2 == 0 else f"0{digits}"
    return ":".join(even[start : start + 2] for start in range(0, len(even), 2))


def grouped(text: str, group: int, width: int) -> list[str]:
    """Return colon-separated hex as lines of whole bytes, a multiple of `group` to a line where the width allows it."""
    pairs = text.split(":")
    fitting = max((width + 1) // 3, 1)
    count = fitting - fitting % group or fitting
    return [":".join(pairs[start : start + count]) for start in range(0, len(pairs), count)]


def strip_of(parts: Iterable[Part], width: int) -> Strip:
    """Return the parts as one strip of exactly `width` cells."""
    strip = Strip([Segment(text, style) for text, style in parts if text])
    return strip.adjust_cell_length(width)


def length(parts: Iterable[Part]) -> int:
    """Return how many cells the parts take."""
    return sum(width_of(text) for text, _ in parts)


def between(left: Line, right: Line, width: int, *, least: int = 2) -> list[Part]:
    """Return a line with `left` at its start and `right` at its end; `right` is dropped if both do not fit."""
    gap = width - length(left) - length(right)
    if gap < least:
        return list(left)
    return [*left, (" " * gap, BLANK), *right]
