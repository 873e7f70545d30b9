"""CSRs for CAs elsewhere: their private keys stay on this box."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from core.engine.base import EngineBase, ignore

if TYPE_CHECKING:
    from core.events import Reporter
    from core.ports import CancelToken
    from core.upload.values import CsrRequest, SigningRequest


class Requests(EngineBase):
    """Operations on CSRs. Creating and removing one holds the writers' lock."""

    def make_csr(
        self,
        request: CsrRequest,
        *,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> SigningRequest:
        """Create a private key and a CSR, or return the existing one with this name if it is for the same request.

        Raises AlreadyThere if one with this name is for a different request, and UsageError if its private key is missing, both
        with `details["needs"] == "replace"`.
        """
        from core.workflows.uploading.csr import make_request

        with self._writing("signing request", report, cancel) as context:
            return make_request(context, request)

    def csrs(self) -> tuple[SigningRequest, ...]:
        """Return the CSRs whose certificates have not been imported yet, sorted by name."""
        if not os.path.lexists(self.paths.requests):
            return ()  # most boxes never had one, and `status` loads nothing for them
        from core.workflows.uploading.csr import open_requests

        return open_requests(self._view())

    def csr(self, name: str) -> SigningRequest:
        """Return one CSR. Raises NotFound (`not-found`)."""
        from core.workflows.uploading.csr import open_request

        return open_request(self._view(), name)

    def write_csr(self, name: str, out: Path) -> None:
        """Write a CSR to a file, replacing an existing one. Raises NotFound, UsageError, StoreError."""
        from core.workflows.uploading.csr import write_request

        write_request(self._view(), name, out)

    def remove_csr(self, name: str, *, report: Reporter = ignore) -> None:
        """Delete a CSR and its private key; a certificate for it can then not be used. Raises NotFound (`not-found`)."""
        from core.workflows.uploading.csr import forget_request

        with self._writing("signing request removal", report) as context:
            forget_request(context, name)
