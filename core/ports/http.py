"""HTTP: what is asked of servers, and what our own small listener answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from msgspec import Struct

from core.ports.machine import CancelToken


class Response(Struct, frozen=True, kw_only=True):
    """An HTTP answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    truncated: bool = False
    """The body was longer than the limit and was cut there."""
    header_lines: tuple[tuple[str, str], ...] = ()
    """Every header as it was sent, those that were sent twice included. Only of what a `WebReader` has read."""


class TransportFailure(Exception):
    """No HTTP answer. `kind`: `unreachable`, `untrusted`, `timeout`, `too-large`. Text is for people, holds no secret."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Transport(Protocol):
    """An HTTPS client with kept-alive connections. Thread-safe."""

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
        """Send one request; follow no redirect, retry nothing. Bodies are cut at 4 MiB.

        Args:
            timeout: seconds for all of it, from the name's resolution to the last byte.
            cancel: leaves the request shortly after somebody asks to stop.

        Raises TransportFailure, and Cancelled (`cancelled`).
        """

    def close(self) -> None:
        """Close every connection."""


class StreamTransport(Transport, Protocol):
    """A transport for peers of this box: it uses no proxy, and can listen to an answer that goes on for ever."""

    def lines(
        self, url: str, *, headers: Mapping[str, str], body: bytes, idle: float, cancel: CancelToken | None = None
    ) -> Iterator[bytes]:
        """POST, and yield each line of a 200 answer as it comes, until the server ends it. Lines over 64 MiB end it too.

        Args:
            idle: seconds without a byte after which the connection is taken for dead.

        Raises TransportFailure (`timeout` after `idle`), and Cancelled (`cancelled`).
        """

    def close_idle(self) -> None:
        """Close the connections that wait for the next request; what `lines` reads goes on."""


class ClientIdentity(Struct, frozen=True, kw_only=True):
    """With what this box shows servers who it is: paths of PEM files."""

    certificate: str
    key: str


def no_peers(ca_bundle: str | None, identity: ClientIdentity | None) -> StreamTransport:
    """Be `Environment.peers` where nobody gave a way to other boxes."""
    raise TransportFailure("unreachable", "There is no connection to other boxes from here.")


class WebReader(Protocol):
    """Fetches pages as a CA that validates does."""

    def get(self, url: str, *, address: str, timeout: float = 10.0, cancel: CancelToken | None = None) -> Response:
        """Send one GET to `address`, as a CA does that validates http-01 (RFC 8555 §8.3). Thread-safe.

        No proxy is used, no redirect followed, no TLS certificate verified; the body is cut at 64 KiB. The port is the URL's.

        Args:
            address: an IP address; where the connection goes, whatever the URL's host resolves to.
            timeout: seconds for all of it.

        Raises TransportFailure, and Cancelled (`cancelled`).
        """


class NoWebReader(Struct, frozen=True):
    """Where nobody gave a way to read web pages."""

    def get(self, url: str, *, address: str, timeout: float = 10.0, cancel: CancelToken | None = None) -> Response:
        raise TransportFailure("unreachable", f"There is no connection to {address} from here.")


class HttpRequest(Struct, frozen=True, kw_only=True):
    """A request to our own small listener."""

    method: str
    path: str
    host: str
    """The Host header, lower case, without port; empty when there was none."""
    peer: str
    """Address of the one who asks."""


class HttpReply(Struct, frozen=True, kw_only=True):
    """What is sent back."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


HttpHandler = Callable[[HttpRequest], HttpReply]


class Listener(Protocol):
    """Answers HTTP on a port of this machine."""

    def listen(self, address: str, port: int, handler: HttpHandler) -> AbstractContextManager[int]:
        """Answer plain HTTP on `address:port` (IPv4 or IPv6; `0.0.0.0` takes IPv6 too where there is any) until the context ends.

        Yields the port. GET and HEAD only; request heads over 8 KiB, connections idle over 5 s and more than 64 at once are cut.
        Raises PortUnavailable (`port-unavailable`) naming the program that holds the port where that can be found out.
        """
