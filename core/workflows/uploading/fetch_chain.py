"""Missing intermediates, fetched from where the certificates say they are. Only where somebody asked for it.

What comes is worth nothing by itself: a certificate is used if its key has signed the one below, and trusts nobody. What can be
asked is bounded by `core.workflows.published`; the person who asked has the address before them.
"""

from __future__ import annotations

from contextlib import closing

from core.errors import ConfigError
from core.upload.aia import issuer_urls, shown_url
from core.upload.parse import parse_upload
from core.upload.values import Part, Upload
from core.workflows.context import Context
from core.workflows.published import NotPublished, Reader
from core.x509.certificate import Certificate

MOST_LEVELS = 4
"""Certificates above one another that are fetched for one upload."""
MOST_BYTES = 64 * 1024
MOST_SECONDS = 10.0
_HEADERS = {
    "Accept": "application/pkix-cert, application/pkcs7-mime, application/x-pem-file, */*",
    "User-Agent": "certdeck",
}


class Fetcher:
    """Fetches for one upload, within its bounds. `notes` says what could not be had, a sentence each."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._reader = Reader(context.env, context.cancel, seconds=MOST_SECONDS, size=MOST_BYTES)
        self.notes: list[str] = []

    def issuers_of(self, certificate: Certificate) -> list[Certificate]:
        """Return what is at the addresses that a certificate names: the first that gives any. Never raises but Cancelled."""
        urls = issuer_urls(certificate)
        if not urls:
            self.notes.append(f"{certificate.subject} does not contain the URL of its issuer's certificate.")
        try:
            opened = self._context.env.transport(None)
        except ConfigError as exc:  # a machine that trusts nobody
            self.notes.append(f"The download failed: {exc.what}")
            return []
        with closing(opened) as transport:
            for url in urls:
                try:
                    body = self._reader.read(transport, url, headers=_HEADERS)
                except NotPublished as exc:
                    self.notes.append(f"No response from {shown_url(url)}: {exc}")
                    continue
                found = parse_upload(Upload((Part("the response", body),))).certificates
                if found:
                    return found
                self.notes.append(f"The response from {shown_url(url)} is not a certificate.")
        return []
