"""How the list of certificates is sorted: by any of its columns, either way, or what needs somebody first. Pure."""

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
"""What a row is sorted by, from it and the word of its standing."""

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
"""By the key of a column; rows that are equal stand by name."""

WALK: Final = (URGENT_FIRST, "left", "name", "issuer")
"""What the key for sorting goes through."""


class Order(Struct, frozen=True):
    """A column and a direction."""

    key: str = URGENT_FIRST
    downwards: bool = False

    def by(self, key: str) -> Order:
        """Return the order after somebody has chosen a column: the same one once more turns it round."""
        return Order(key, not self.downwards if key == self.key else False)

    @property
    def following(self) -> Order:
        """The next one of the walk."""
        return Order(WALK[(WALK.index(self.key) + 1) % len(WALK)] if self.key in WALK else WALK[0])

    @property
    def arrow(self) -> tuple[str, bool]:
        """What the head of the list shows; nothing for the usual order."""
        return ("", False) if self == Order() else (self.key, self.downwards)

    def sorted(self, rows: Iterable[LineageStatus], standings: Mapping[str, str]) -> list[LineageStatus]:
        """Return the rows in this order."""
        key = KEYS[self.key]
        found = sorted(rows, key=lambda row: row.name.casefold())
        return sorted(found, key=lambda row: key(row, standings.get(row.name, "healthy")), reverse=self.downwards)
