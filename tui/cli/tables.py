"""Aligned columns, by the cells a terminal gives each character."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache


def cells(text: str) -> int:
    """Return how many cells `text` takes; it holds no escape codes."""
    return len(text) if text.isascii() else _cells(text)


@lru_cache(maxsize=1024)
def _cells(text: str) -> int:
    """Count those of a text with other characters: in a long table most of them are the same few signs."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )


def padded(text: str, width: int) -> str:
    """Return `text` filled with blanks to `width` cells."""
    return text + " " * (width - cells(text))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table, head first. Columns stand two blanks apart; nothing is cut."""
    widths = [max(map(cells, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        yield "  ".join(padded(text, width) for text, width in zip(row, widths, strict=True)).rstrip()


def labelled(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield `label  value` lines; a value of several lines goes on below itself."""
    width = max(cells(label) for label, _ in pairs)
    for label, value in pairs:
        first, *more = value.splitlines() or [""]
        yield f"  {padded(label, width)}  {first}".rstrip()
        yield from (f"  {' ' * width}  {line}" for line in more)
