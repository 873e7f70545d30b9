"""The sort order of the certificate list: by any column in either direction, or the most urgent first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from core.operations import LineageStatus
from tui.wording import text
from tui.wording.state import RANK

_FOREVER: Final = datetime.max.replace(tzinfo=UTC)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)

Key = Callable[[LineageStatus, str], tuple[object, ...]]
"""Computes the sort key from a row and its standing."""

URGENT_FIRST: Final = "state"
KEYS: Final[Mapping[str, Key]] = {
    URGENT_FIRST: lambda row, word: (RANK[word], row.not_after or _NEVER),
    "left": lambda row, word: (row.not_after or _FOREVER,),
    "name": lambda row, word: (row.name.casefold(),),
    "issuer": lambda row, word: (text.issuer_shown(row).casefold(),),
    "renews": lambda row, word: (row.renew_at or _FOREVER,),
    "service": lambda row, word: (", ".join(target.name for target in row.targets).casefold(),),
    "names": lambda row, word: (row.domains,),
    "life": lambda row, word: (row.not_after or _FOREVER,),
}
"""The sort keys by column; equal rows are sorted by name."""

WALK: Final = (URGENT_FIRST, "left", "name", "issuer")
"""The orders through which the sort key cycles."""


class Order(Struct, frozen=True):
    """A column and a direction."""

    key: str = URGENT_FIRST
    downwards: bool = False

    def by(self, key: str) -> Order:
        """Return the order after a column was chosen; choosing the same column again reverses it."""
        return Order(key, not self.downwards if key == self.key else False)

    @property
    def following(self) -> Order:
        """The next order of the cycle."""
        return Order(WALK[(WALK.index(self.key) + 1) % len(WALK)] if self.key in WALK else WALK[0])

    @property
    def arrow(self) -> tuple[str, bool]:
        """The text in the head of the list; empty for the default order."""
        return ("", False) if self == Order() else (self.key, self.downwards)

    def sorted(self, rows: Iterable[LineageStatus], standings: Mapping[str, str]) -> list[LineageStatus]:
        """Return the rows in this order."""
        key = KEYS[self.key]
        found = sorted(rows, key=lambda row: row.name.casefold())
        return sorted(found, key=lambda row: key(row, standings.get(row.name, "healthy")), reverse=self.downwards)
