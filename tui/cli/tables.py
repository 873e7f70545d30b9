"""Aligns columns by the number of terminal cells of each character."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache


def cells(text: str) -> int:
    """Return the number of terminal cells of `text`, which must not contain escape codes."""
    return len(text) if text.isascii() else _cells(text)


@lru_cache(maxsize=1024)
def _cells(text: str) -> int:
    """Return the cells of a non-ASCII text. Cached: in a long table, most texts repeat."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )


def padded(text: str, width: int) -> str:
    """Return `text` padded with spaces to `width` cells."""
    return text + " " * (width - cells(text))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table, head first. Columns are two spaces apart; nothing is cut."""
    for row in zip(*map(_aligned, zip(head, *rows, strict=True)), strict=True):
        yield "  ".join(row).rstrip()


def _aligned(column: Sequence[str]) -> list[str]:
    """Return the texts of a column, padded to the widest. Each is measured only once, which matters for ten thousand rows."""
    if "".join(column).isascii():
        width = max(map(len, column))
        return [text.ljust(width) for text in column]
    sizes = [len(text) if text.isascii() else _cells(text) for text in column]
    width = max(sizes)
    return [text + " " * (width - size) for text, size in zip(column, sizes, strict=True)]


def labelled(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield `label  value` lines. Further lines of a value are aligned below the first."""
    width = max(cells(label) for label, _ in pairs)
    for label, value in pairs:
        first, *more = value.splitlines() or [""]
        yield f"  {padded(label, width)}  {first}".rstrip()
        yield from (f"  {' ' * width}  {line}" for line in more)
