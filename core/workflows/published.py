"""What CAs publish at the addresses that certificates name: intermediates, revocation lists, OCSP. Read within bounds.

The address comes from outside, so what can be asked is bounded: http and https, a few redirects, so many bytes and seconds in all.
A closed network has its PKI at a private address, so such a one may be named; a redirect may not lead there, and the addresses at
which clouds keep their secrets are never asked.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

from core.ports import CancelToken, Environment, Transport, TransportFailure
from core.x509.certificate import printable

MOST_REDIRECTS = 3
_REDIRECTS = frozenset((301, 302, 303, 307, 308))


class NotPublished(Exception):
    """Nothing could be read. The text is the end of a sentence, and fit for people."""

    def __init__(self, text: str, *, is_unreachable: bool = False) -> None:
        """`is_unreachable`: nobody answers there; another address of the same host will not do better."""
        super().__init__(text)
        self.is_unreachable = is_unreachable


class Reader:
    """Reads within one budget of time and size, for several threads."""

    def __init__(
        self, env: Environment, cancel: CancelToken, *, seconds: float, size: int, seconds_each: float | None = None
    ) -> None:
        """Begin the time.

        Args:
            seconds, size: for everything that is read; `size` in bytes.
            seconds_each: for one address.
        """
        self._env = env
        self._cancel = cancel
        self._seconds = seconds
        self._seconds_each = seconds if seconds_each is None else seconds_each
        self._until = env.clock.monotonic() + seconds
        self._size = size
        self._bytes_left = size
        self._lock = threading.Lock()

    @property
    def is_used_up(self) -> bool:
        """Tell whether nothing more can be read."""
        return self._env.clock.monotonic() >= self._until or self._bytes_left < 0

    def read(self, transport: Transport, url: str, *, headers: Mapping[str, str], body: bytes | None = None) -> bytes:
        """Return what is at an address; with `body`, the answer to that. Raises NotPublished, Cancelled."""
        first = host_of(url)
        for _ in range(MOST_REDIRECTS + 1):
            self._check(host_of(url), is_elsewhere=host_of(url) != first)
            self._cancel.check()
            left = self._until - self._env.clock.monotonic()
            if left <= 0:
                raise NotPublished(f"it took longer than {self._seconds:g} seconds.")
            try:
                reply = transport.request(
                    "GET" if body is None else "POST",
                    url,
                    headers=headers,
                    body=body,
                    timeout=min(left, self._seconds_each),
                    cancel=self._cancel,
                )
            except TransportFailure as exc:
                raise NotPublished(printable(str(exc), 200), is_unreachable=True) from exc
            with self._lock:
                self._bytes_left -= len(reply.body)
            if reply.truncated or self._bytes_left < 0:
                size = min(len(reply.body), self._size) if reply.truncated else self._size
                raise NotPublished(f"it is larger than {size // 1024} KiB.")
            if reply.status in _REDIRECTS and reply.headers.get("location"):
                url = _joined(url, reply.headers["location"])
                continue
            if reply.status != 200:
                raise NotPublished(f"the server returned status {reply.status}.")
            return reply.body
        raise NotPublished(f"there were more than {MOST_REDIRECTS} redirects.")

    def _check(self, host: str, *, is_elsewhere: bool) -> None:
        """Refuse a host that must not be asked. `is_elsewhere`: a redirect leads there, no certificate names it."""
        try:
            known = [str(ipaddress.ip_address(host))]
        except ValueError:
            known = list(self._env.host.resolve(host))
        for each in map(ipaddress.ip_address, known):
            address = getattr(each, "ipv4_mapped", None) or each
            if address.is_link_local or address.is_multicast or address.is_unspecified:
                raise NotPublished("its address is link-local, multicast or unspecified.")
            if is_elsewhere and not address.is_global:
                raise NotPublished("it redirects to a private network, which certdeck does not follow.")


def host_of(url: str) -> str:
    """Return the host of an address that may be asked for. Raises NotPublished."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for one that is no number
    except ValueError as exc:
        raise NotPublished("it is not a valid URL.") from exc
    if parts.scheme not in ("http", "https"):
        raise NotPublished("only http and https are supported.")
    if not parts.hostname or not url.isascii() or not url.isprintable() or " " in url or parts.username is not None:
        raise NotPublished("it is not a valid URL.")
    return parts.hostname


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as exc:
        raise NotPublished("its redirect target is not a valid URL.") from exc
