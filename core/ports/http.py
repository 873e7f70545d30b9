"""HTTP: requests to servers, and replies of certdeck's own small listener."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from msgspec import Struct

from core.ports.machine import CancelToken


class Response(Struct, frozen=True, kw_only=True):
    """An HTTP response of any status."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    truncated: bool = False
    """The body was longer than the limit and was truncated."""
    header_lines: tuple[tuple[str, str], ...] = ()
    """Every header as it was sent, including duplicates. Only set by a `WebReader`."""


class TransportFailure(Exception):
    """There is no HTTP response. `kind`: `unreachable`, `untrusted`, `timeout`, `too-large`. The text is for people; no secrets."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Transport(Protocol):
    """An HTTPS client with persistent connections. Thread-safe."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeout: float = 30.0,
        cancel: CancelToken | None = None,
    ) -> Response:
        """Send one request; follow no redirect and retry nothing. Bodies are truncated at 4 MiB.

        Args:
            timeout: seconds for the whole request, from name resolution to the last byte.
            cancel: aborts the request shortly after it is set.

        Raises TransportFailure, and Cancelled (`cancelled`).
        """

    def close(self) -> None:
        """Close every connection."""


class StreamTransport(Transport, Protocol):
    """A transport for peers of this box: it uses no proxy, and can read a response that never ends."""

    def lines(
        self, url: str, *, headers: Mapping[str, str], body: bytes, idle: float, cancel: CancelToken | None = None
    ) -> Iterator[bytes]:
        """POST, and yield each line of a 200 response as it arrives, until the server ends it. A line over 64 MiB also ends it.

        Args:
            idle: seconds without a byte after which the connection counts as dead.

        Raises TransportFailure (`timeout` after `idle`), and Cancelled (`cancelled`).
        """

    def close_idle(self) -> None:
        """Close the connections that wait for the next request; the one that `lines` reads stays open."""


class ClientIdentity(Struct, frozen=True, kw_only=True):
    """The TLS client certificate that identifies this box to servers: paths of PEM files."""

    certificate: str
    key: str


def no_peers(ca_bundle: str | None, identity: ClientIdentity | None) -> StreamTransport:
    """Raise TransportFailure: the default of `Environment.peers`, without a connection to other boxes."""
    raise TransportFailure("unreachable", "There is no connection to other boxes from here.")


class WebReader(Protocol):
    """Fetches pages as a validating CA does."""

    def get(self, url: str, *, address: str, timeout: float = 10.0, cancel: CancelToken | None = None) -> Response:
        """Send one GET to `address`, as a CA does to validate http-01 (RFC 8555 §8.3). Thread-safe.

        Uses no proxy, follows no redirect and verifies no TLS certificate. The body is truncated at 64 KiB. The port is the URL's.

        Args:
            address: an IP address; the connection goes there, whatever the URL's host resolves to.
            timeout: seconds for the whole request.

        Raises TransportFailure, and Cancelled (`cancelled`).
        """


class NoWebReader(Struct, frozen=True):
    """The default: web pages cannot be read."""

    def get(self, url: str, *, address: str, timeout: float = 10.0, cancel: CancelToken | None = None) -> Response:
        raise TransportFailure("unreachable", f"There is no connection to {address} from here.")


class HttpRequest(Struct, frozen=True, kw_only=True):
    """A request to certdeck's own small listener."""

    method: str
    path: str
    host: str
    """The Host header, lower case, without port; empty if there was none."""
    peer: str
    """Address of the client."""


class HttpReply(Struct, frozen=True, kw_only=True):
    """The reply to a request."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


HttpHandler = Callable[[HttpRequest], HttpReply]


class Listener(Protocol):
    """Serves HTTP on a port of this machine."""

    def listen(self, address: str, port: int, handler: HttpHandler) -> AbstractContextManager[int]:
        """Serve plain HTTP on `address:port` (IPv4 or IPv6; `0.0.0.0` includes IPv6 if available) until the context ends.

        Yields the port. Accepts only GET and HEAD. Closes connections with a request head over 8 KiB, idle ones after 5 s, and
        any beyond 64.
        Raises PortUnavailable (`port-unavailable`), which names the program that uses the port if that can be determined.
        """
