"""Certificates that other ACME clients manage on this box."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.engine.base import EngineBase, ignore

if TYPE_CHECKING:
    from core.adoption import Adoption, AdoptRequest
    from core.events import Reporter
    from core.ports import CancelToken


class Adopting(EngineBase):
    """Finding them needs no lock; taking them over holds it. Nothing of the other clients is ever changed."""

    def adoptable(self, *, client: str | None = None, folder: Path | None = None) -> Adoption:
        """Return the certificates that other clients keep here or in `folder`, and what makes these clients renew.

        Raises UsageError (`usage`) for an unknown client; NotFound (`not-found`) if `folder` is not a folder.
        """
        from core.workflows.adopting.take import found

        return found(self._view(), client, folder)

    def adopt(self, request: AdoptRequest, *, report: Reporter = ignore, cancel: CancelToken | None = None) -> Adoption:
        """Take over certificates and their renewal, with or without their services.

        Returns the result for each name: a failure of one does not affect the others. Raises as `adoptable`; LockHeld.
        """
        from core.workflows.adopting.take import adopt

        if request.dry_run:
            return adopt(self._reading(cancel), request)
        with self._writing("adopt", report, cancel) as context:
            return adopt(context, request)
