"""The certificates that the palette finds by typed words. Only what is listed gets an entry: there may be ten thousand."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nlargest
from itertools import islice

from core.operations import LineageStatus
from tui.glyphs import printable
from tui.wording import text


class CertificateSearch:
    """The searched texts of some certificates, built at the first search."""

    def __init__(self, rows: Sequence[LineageStatus]) -> None:
        self._rows = rows
        self._texts: list[str] = []

    def best(self, words: Sequence[str], most: int) -> list[tuple[str, LineageStatus]]:
        """Return the certificates that contain all words, which are in lower case, with the text that was searched.

        If there are more than `most`, only the best `most` are returned: those with the most words that begin with a typed one
        come first, equal ones in the order of the list. Otherwise all are returned, in the order of the list: the palette sorts
        them in any case.
        """
        if not self._texts:
            self._texts = [_text(row) for row in self._rows]
        found = list(zip(self._texts, self._rows, strict=True))
        for word in words:
            found = [each for each in found if word in each[0]]
        if len(found) <= most:
            return found
        # Usually there are enough whose words begin with them, and the rest need not be ranked.
        best = list(islice((each for each in found if begun(each[0], words) == len(words)), most))
        if len(best) == most:
            return best
        # Of equal ones `nlargest` returns the first, as a sort would.
        return nlargest(most, found, key=lambda each: begun(each[0], words))


def begun(text: str, words: Sequence[str]) -> int:
    """Return how many of the words stand at the beginning of a word of a text."""
    text = f" {text}"
    return sum(f" {word}" in text for word in words)


def _text(row: LineageStatus) -> str:
    names = " ".join((row.name, *row.domains))
    if "xn--" in names or not (names.isascii() and names.isprintable()):
        names = " ".join((printable(row.name), *map(text.name_shown, row.domains)))
    return f"certificate {names}".casefold()
