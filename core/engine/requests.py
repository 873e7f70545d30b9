"""Signing requests for CAs elsewhere: their keys stay on this box."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.engine.base import EngineBase, ignore

if TYPE_CHECKING:
    from core.events import Reporter
    from core.ports import CancelToken
    from core.upload.values import SigningRequest


class Requests(EngineBase):
    """What is done with signing requests. Making and removing one holds the writers' lock."""

    def make_csr(
        self,
        name: str,
        domains: Sequence[str],
        *,
        key_type: str | None = None,
        subject: str | None = None,
        replace: bool = False,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> SigningRequest:
        """Make a private key and a signing request called `name`, or return the one there is where it asks for the same.

        Args:
            domains: as typed.
            key_type: None: that of the request there is, else the configured one.
            subject: `O=Acme Ltd,C=DE`; None: that of the request there is, else none.
            replace: give up a request of that name that asks for something else.

        Raises AlreadyThere with `details["needs"] == "replace"` where there is such a one.
        """
        from core.workflows.uploading.csr import make_request

        with self._writing("signing request", report, cancel) as context:
            return make_request(context, name, domains, key_type=key_type, subject=subject, replace=replace)

    def csrs(self) -> tuple[SigningRequest, ...]:
        """Return the requests whose certificates have not been imported yet, by name."""
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
