"""The part of the engine's double that keeps things for a bad day: deleted certificates, and a vault that is begun anew.

engine.copies = (DeletedLineage(…),)     # what deleted lists and undelete brings back
engine.lost = (LostSecret(…),)           # what new_vault sets aside
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from core.engine import ignore
from core.errors import AlreadyThere, NotFound
from core.events import Reporter
from core.kept import DeletedLineage, LostSecret, NewLog, NewVault, Restored
from core.kept_version import KeptVersion
from tests.support.lineages import NOW, fingerprint

COPIES = (
    DeletedLineage(name="old-shop", deleted=NOW - timedelta(days=2), kept_until=NOW + timedelta(days=28)),
    DeletedLineage(name="mail", deleted=NOW - timedelta(days=9), kept_until=NOW + timedelta(days=21), in_the_way=True),
    DeletedLineage(name="bare", deleted=None, kept_until=None),
)
LOST = (
    LostSecret(kind="account", name="account/letsencrypt-1a2b3c4d"),
    LostSecret(kind="version", name="lineage/shop/1"),
)


class FakeKeeping:
    """Mix-in; its host has `_called` and `calls`."""

    copies: tuple[DeletedLineage, ...] = COPIES
    lost: tuple[LostSecret, ...] = LOST

    def versions(self, name: str) -> tuple[KeptVersion, ...]:
        self._kept("versions", name=name)
        host: Any = self
        row = host._find(name)
        newest = row.newer_version or row.waiting_version or row.version or 0
        numbers = range(newest, 0, -1)
        return tuple(
            KeptVersion(
                number=number,
                is_live=number == row.version,
                is_waiting=number == row.waiting_version,
                not_before=NOW - timedelta(days=10 + 60 * (newest - number)),
                not_after=NOW + timedelta(days=80 - 60 * (newest - number)),
                issuer=row.issuer,
                sha256=fingerprint(f"{name} {number}"),
                key_type=row.key_type,
                names=row.domains,
                has_key=True,
            )
            for number in numbers
        )

    def deleted(self) -> tuple[DeletedLineage, ...]:
        self._kept("deleted")
        return self.copies

    def undelete(self, name: str, *, report: Reporter = ignore) -> Restored:
        self._kept("undelete", name=name)
        copy = next((copy for copy in self.copies if copy.name == name), None)
        if copy is None:
            raise NotFound(
                f"There is no deleted copy of {name!r}.", "It was never deleted.", "See `certdeck undelete`."
            )
        if copy.in_the_way:
            raise AlreadyThere(f"There is a certificate {name} already.", "It would be replaced.", "Delete it first.")
        self.copies = tuple(each for each in self.copies if each is not copy)
        return Restored(name=name, version=2, live=True)

    def new_log_chain(self) -> NewLog:
        self._kept("new_log_chain")
        return NewLog(previous_entries=12, set_aside=Path("/nowhere/state/set-aside/history.sqlite"))

    def lost_secrets(self) -> tuple[LostSecret, ...]:
        self._kept("lost_secrets")
        return self.lost

    def new_vault(self, *, report: Reporter = ignore) -> NewVault:
        self._kept("new_vault")
        lost, self.lost = self.lost, ()
        return NewVault(lost=lost, set_aside=Path("/nowhere/state/set-aside"), is_new_key=True)

    def _kept(self, method: str, **given: Any) -> None:
        called: Any = self
        called._called(method, **given)
