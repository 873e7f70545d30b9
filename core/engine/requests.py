"""Signing requests for CAs elsewhere: their keys stay on this box."""

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
    """What is done with signing requests. Making and removing one holds the writers' lock."""

    def make_csr(
        self,
        request: CsrRequest,
        *,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> SigningRequest:
        """Make a private key and a signing request, or return the one of that name where it asks for the same.

        Raises AlreadyThere with `details["needs"] == "replace"` where there is such a one.
        """
        from core.workflows.uploading.csr import make_request

        with self._writing("signing request", report, cancel) as context:
            return make_request(context, request)

    def csrs(self) -> tuple[SigningRequest, ...]:
        """Return the requests whose certificates have not been imported yet, by name."""
        if not os.path.lexists(self.paths.requests):
            return ()  # most boxes never had one, and `status` loads nothing for them
        from core.workflows.uploading.csr import open_requests

        return open_requests(self._view())

    def csr(self, name: str) -> SigningRequest:
        """Return one of them. Raises NotFound (`not-found`)."""
        from core.workflows.uploading.csr import open_request

        return open_request(self._view(), name)

    def write_csr(self, name: str, out: Path) -> None:
        """Write one of them to a file, replacing what is there. Raises NotFound, UsageError, StoreError."""
        from core.workflows.uploading.csr import write_request

        write_request(self._view(), name, out)

    def remove_csr(self, name: str, *, report: Reporter = ignore) -> None:
        """Forget a request and its private key; a certificate for it cannot be used then. Raises NotFound (`not-found`)."""
        from core.workflows.uploading.csr import forget_request

        with self._writing("signing request removal", report) as context:
            forget_request(context, name)
