"""Downloads missing intermediates from the URLs in the certificates (AIA). Only if the user asked for it.

A downloaded certificate is not trusted: it is used only if its key signed the one below. `core.workflows.published` limits the
requests, and the user has seen the URL.
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
"""Most levels of a chain to download for one upload."""
MOST_BYTES = 64 * 1024
MOST_SECONDS = 10.0
_HEADERS = {
    "Accept": "application/pkix-cert, application/pkcs7-mime, application/x-pem-file, */*",
    "User-Agent": "certdeck",
}


class Fetcher:
    """Downloads for one upload, within limits. `notes` has a sentence for each failure."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._reader = Reader(context.env, context.cancel, seconds=MOST_SECONDS, size=MOST_BYTES)
        self.notes: list[str] = []

    def issuers_of(self, certificate: Certificate) -> list[Certificate]:
        """Return the certificates at the issuer URLs of a certificate, from the first URL that has any. Raises only Cancelled."""
        urls = issuer_urls(certificate)
        if not urls:
            self.notes.append(f"{certificate.subject} does not contain the URL of its issuer's certificate.")
        try:
            opened = self._context.env.transport(None)
        except ConfigError as exc:  # a machine without trusted roots
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
