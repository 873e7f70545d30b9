"""The certificates of the first screen: in an order, and those that pass its filter. What a letter needs again is kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from core.operations import LineageStatus
from tui.screens.ordering import Order
from tui.wording import certificate_filter
from tui.wording.certificate_filter import Filter
from tui.wording.state import standing_of


class Listing:
    """Made again whenever the status is read again."""

    def __init__(self, every: Sequence[LineageStatus] = (), waiting: Collection[str] = ()) -> None:
        """`waiting`: the names of those whose order waits for manual DNS records."""
        self.every = every
        """The lineages, and the open orders whose lineage does not exist yet."""
        self.standings: Mapping[str, str] = {row.name: standing_of(row, row.name in waiting) for row in every}
        """For each name, the group in which it is counted."""
        self.words = frozenset(self.standings.values())
        """The groups that there are."""
        self._waiting = waiting
        self._texts: dict[str, str] = {}
        """For each name, the text that the filter searches."""
        self._sorted: tuple[Order, list[LineageStatus]] | None = None
        self._found: tuple[Filter, list[LineageStatus]] | None = None
        """What the last filter has found, in the same order."""

    def rows(self, order: Order, words: str, now: datetime) -> list[LineageStatus]:
        """Return the certificates that pass the filter, in that order."""
        if self._sorted is None or self._sorted[0] != order:
            self._sorted = (order, order.sorted(self.every, self.standings))
            self._found = None
        if not words:
            return self._sorted[1]
        wanted, among = certificate_filter.parsed(words), self._sorted[1]
        if self._found is not None and wanted.goes_on(self._found[0]):
            among = self._found[1]
        self.prepare()
        rows = certificate_filter.narrowed(among, wanted, now, self._waiting, self._texts)
        self._found = (wanted, rows)
        return rows

    def prepare(self, most: int | None = None) -> bool:
        """Build the texts that the filter searches, or `most` more of them. Returns whether all are there."""
        there = len(self._texts)
        missing = self.every[there:] if most is None else self.every[there : there + most]
        self._texts.update((row.name, certificate_filter.haystack(row)) for row in missing)
        return len(self._texts) >= len(self.every)
