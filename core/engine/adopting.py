"""Certificates that other ACME clients manage on this box."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.engine.base import EngineBase, ignore

if TYPE_CHECKING:
    from core.adoption import Adoption
    from core.events import Reporter
    from core.ports import CancelToken


class Adopting(EngineBase):
    """Finding them needs no lock; taking them over holds it. Nothing of the other clients' is ever changed."""

    def adoptable(self, *, client: str | None = None, folder: Path | None = None) -> Adoption:
        """Return what other clients keep here, or in `folder`, and what makes them renew.

        Raises UsageError (`usage`) for an unknown client; NotFound (`not-found`) for a folder that is none.
        """
        from core.workflows.adopting.take import Wanted, found

        return found(self._view(), Wanted(client=client, folder=folder))

    def adopt(
        self,
        names: Sequence[str] = (),
        *,
        every: bool = False,
        client: str | None = None,
        folder: Path | None = None,
        issuer: str | None = None,
        passphrase: bytes | None = None,
        dry_run: bool = False,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> Adoption:
        """Take over certificates, and how they are renewed, with or without their services.

        Args:
            every: all that can be, instead of `names`.
            issuer: the CA of those whose client does not say which.
            passphrase: of encrypted keys.
            dry_run: say what would be done, and do nothing.

        Returns what came of each name: a failure of one leaves the others alone. Raises as `adoptable`; LockHeld.
        """
        from core.workflows.adopting.take import Wanted, adopt

        wanted = Wanted(
            names=tuple(names), every=every, client=client, folder=folder, issuer=issuer, passphrase=passphrase
        )
        if dry_run:
            return adopt(self._reading(cancel), wanted, dry_run=True)
        with self._writing("adopt", report, cancel) as context:
            return adopt(context, wanted, dry_run=False)
