"""Missing intermediates, fetched from where the certificates say they are. Only where somebody asked for it.

What comes is worth nothing by itself: a certificate is used if its key has signed the one below, and trusts nobody. The
address comes from outside too, so what can be asked is bounded: http and https, a few redirects, 64 KiB and ten seconds in
all. The person who asked has the address before them, and a closed network has its PKI at a private address, so such a
one may be named; a redirect may not lead there, and the addresses at which clouds keep their secrets are never asked.
"""

from __future__ import annotations

import ipaddress
from contextlib import closing
from urllib.parse import urljoin, urlsplit

from core.errors import ConfigError
from core.ports import Transport, TransportFailure
from core.upload.aia import issuer_urls, shown_url
from core.upload.recognise import recognise
from core.upload.values import Part, Upload
from core.workflows.context import Context
from core.x509.certificate import Certificate, printable

MOST_LEVELS = 4
"""Certificates above one another that are fetched for one upload."""
MOST_REDIRECTS = 3
MOST_BYTES = 64 * 1024
MOST_SECONDS = 10.0
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_HEADERS = {
    "Accept": "application/pkix-cert, application/pkcs7-mime, application/x-pem-file, */*",
    "User-Agent": "certdeck",
}


class Fetcher:
    """Fetches for one upload, within its bounds. `notes` says what could not be had, a sentence each."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._until = context.env.clock.monotonic() + MOST_SECONDS
        self._bytes_left = MOST_BYTES
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
                    body = self._get(transport, url)
                except _NotFetched as exc:
                    self.notes.append(f"No response from {shown_url(url)}: {exc}")
                    continue
                found = recognise(Upload((Part("the answer", body),))).certificates
                if found:
                    return found
                self.notes.append(f"The response from {shown_url(url)} is not a certificate.")
        return []

    def _get(self, transport: Transport, url: str) -> bytes:
        first = _host(url)
        for _ in range(MOST_REDIRECTS + 1):
            self._check(_host(url), is_elsewhere=_host(url) != first)
            self._context.cancel.check()
            left = self._until - self._context.env.clock.monotonic()
            if left <= 0:
                raise _NotFetched(f"it took longer than {MOST_SECONDS:g} seconds.")
            try:
                reply = transport.request("GET", url, headers=_HEADERS, timeout=left)
            except TransportFailure as exc:
                raise _NotFetched(printable(str(exc), 200)) from exc
            self._bytes_left -= len(reply.body)
            if reply.truncated or self._bytes_left < 0:
                raise _NotFetched(f"it is larger than {MOST_BYTES // 1024} KiB.")
            if reply.status in _REDIRECTS and reply.headers.get("location"):
                url = _joined(url, reply.headers["location"])
                continue
            if reply.status != 200:
                raise _NotFetched(f"the server returned status {reply.status}.")
            return reply.body
        raise _NotFetched(f"there were more than {MOST_REDIRECTS} redirects.")

    def _check(self, host: str, *, is_elsewhere: bool) -> None:
        """Refuse a host that must not be asked. `is_elsewhere`: a redirect leads there, no certificate names it."""
        try:
            known = [str(ipaddress.ip_address(host))]
        except ValueError:
            known = list(self._context.env.host.resolve(host))
        for each in map(ipaddress.ip_address, known):
            address = getattr(each, "ipv4_mapped", None) or each
            if address.is_link_local or address.is_multicast or address.is_unspecified:
                raise _NotFetched("its address is not one at which a CA publishes certificates.")
            if is_elsewhere and not address.is_global:
                raise _NotFetched("it redirects to a private network, which certdeck does not follow.")


class _NotFetched(Exception):
    """The text is the end of a sentence."""


def _host(url: str) -> str:
    """Return the host of an address that may be asked for."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for one that is no number
    except ValueError as exc:
        raise _NotFetched("it is not a valid URL.") from exc
    if parts.scheme not in ("http", "https"):
        raise _NotFetched("only http and https are supported.")
    if not parts.hostname or not url.isascii() or not url.isprintable() or " " in url or parts.username is not None:
        raise _NotFetched("it is not a valid URL.")
    return parts.hostname


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as exc:
        raise _NotFetched("it redirects to an invalid URL.") from exc
