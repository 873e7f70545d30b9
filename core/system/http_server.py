"""A small HTTP server for challenges only.

One thread serves all connections with a selector, so a slow client costs only a file descriptor. It reads one request head,
responds, and closes: no keep-alive, no bodies, no file system. The server is up when `listening_on` yields, and down when the
context ends, without the half second that `socketserver` needs to notice.

Limits (core/ports/http.py): GET and HEAD; heads of 8 KiB; 5 s without progress; 10 s for a whole connection; 64 connections.
Further connections wait in the kernel's queue, because a CA that validates a hundred names opens hundreds of connections at once.
While any are waiting, a connection has one second to send its request, so that many idle ones cannot block the CA.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct, field

from core.ports import HttpHandler, HttpReply, HttpRequest
from core.system.sockets import listening

if TYPE_CHECKING:
    import socket

HEAD_LIMIT_BYTES = 8 * 1024
IDLE_SECONDS = 5.0
WHOLE_SECONDS = 10.0
CONNECTION_LIMIT = 64
CROWDED_SECONDS = 1.0
LINGER_SECONDS = 1.0
REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
}


@contextlib.contextmanager
def listening_on(address: str, port: int, handler: HttpHandler) -> Iterator[int]:
    """Serve on `address:port` until the context ends. Yields the port. Raises PortUnavailable."""
    with listening(address, port) as sockets:
        server = _Server(sockets, handler)
        server.start()
        try:
            yield sockets[0].getsockname()[1]
        finally:
            server.stop()


class _Connection(Struct, eq=False):
    """A client's connection: the head so far, the rest of the reply, and its deadlines."""

    socket: socket.socket
    peer: str
    opened_at: float
    idle_until: float
    gone_at: float
    head: bytearray = field(default_factory=bytearray)
    reply: bytes = b""
    is_done: bool = False
    """The reply is sent. The client gets a moment to close first, so that it sees no reset."""


class _Server:
    def __init__(self, sockets: list[socket.socket], handler: HttpHandler) -> None:
        import selectors
        import socket as network

        self._handler = handler
        self._selector = selectors.DefaultSelector()
        self._read, self._write = selectors.EVENT_READ, selectors.EVENT_WRITE
        self._wake, self._waker = network.socketpair()
        self._connections: dict[_Connection, None] = {}
        self._listening = sockets
        self._is_full = False
        self._thread = threading.Thread(target=self._serve, name="http-01 listener", daemon=True)
        self._selector.register(self._wake, self._read, None)
        for opened in sockets:
            self._selector.register(opened, self._read, opened)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop at once and close everything. Returns when the thread has ended."""
        self._waker.send(b"x")
        self._thread.join()
        for connection in self._connections:
            connection.socket.close()
        self._selector.close()
        self._wake.close()
        self._waker.close()

    def _serve(self) -> None:
        while True:
            now = time.monotonic()
            for connection in [each for each in self._connections if self._end(each) <= now]:
                self._drop(connection)
            next_end = min((self._end(each) for each in self._connections), default=None)
            for key, _ in self._selector.select(None if next_end is None else max(0.0, next_end - now)):
                if key.data is None:
                    return
                if isinstance(key.data, _Connection):
                    if key.data in self._connections:  # it may have been dropped in this round to make room
                        self._attend(key.data)
                elif not self._is_full:
                    self._accept(key.data)

    def _end(self, connection: _Connection) -> float:
        """Return the monotonic time at which a connection is cut."""
        end = min(connection.idle_until, connection.gone_at)
        return min(end, connection.opened_at + CROWDED_SECONDS) if self._is_full else end

    def _accept(self, opened: socket.socket) -> None:
        if len(self._connections) >= CONNECTION_LIMIT and not self._drop_a_done_one():
            self._is_full = True
            for each in self._listening:
                self._selector.unregister(each)
            return
        try:
            accepted, peer = opened.accept()
        except OSError:  # the client has already disconnected
            return
        accepted.setblocking(False)
        now = time.monotonic()
        connection = _Connection(accepted, _plain_address(peer[0]), now, now + IDLE_SECONDS, now + WHOLE_SECONDS)
        self._connections[connection] = None
        self._selector.register(accepted, self._read, connection)
        self._attend(connection)  # the request has often arrived already

    def _attend(self, connection: _Connection) -> None:
        try:
            if connection.reply:
                self._send(connection)
            else:
                self._receive(connection)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._drop(connection)

    def _receive(self, connection: _Connection) -> None:
        chunk = connection.socket.recv(4096)
        if not chunk or connection.is_done:
            self._drop(connection)
            return
        connection.idle_until = time.monotonic() + IDLE_SECONDS
        connection.head += chunk
        end = connection.head.find(b"\r\n\r\n")
        if end < 0 and len(connection.head) <= HEAD_LIMIT_BYTES:
            return
        if end < 0 or end > HEAD_LIMIT_BYTES:
            reply, wants_body = HttpReply(status=431), True
        else:
            reply, wants_body = self._answer(bytes(connection.head[:end]), connection.peer)
        connection.reply = _serialised(reply, wants_body)
        self._send(connection)

    def _send(self, connection: _Connection) -> None:
        import socket as network

        sent = connection.socket.send(connection.reply)
        connection.reply = connection.reply[sent:]
        if connection.reply:
            self._selector.modify(connection.socket, self._write, connection)
            return
        if self._is_full:
            self._drop(connection)  # others are waiting: close at once
            return
        connection.is_done = True
        connection.socket.shutdown(network.SHUT_WR)
        connection.gone_at = min(connection.gone_at, time.monotonic() + LINGER_SECONDS)
        self._selector.modify(connection.socket, self._read, connection)

    def _answer(self, head: bytes, peer: str) -> tuple[HttpReply, bool]:
        request = parse_head(head, peer)
        if request is None:
            return HttpReply(status=400), True
        if request.method not in ("GET", "HEAD"):
            return HttpReply(status=405), True
        try:
            return self._handler(request), request.method == "GET"
        except Exception:
            logging.getLogger(__name__).exception("the handler of the listener raised")
            return HttpReply(status=500), True

    def _drop(self, connection: _Connection) -> None:
        self._connections.pop(connection, None)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(connection.socket)
        connection.socket.close()
        if self._is_full:
            self._is_full = False
            for each in self._listening:
                self._selector.register(each, self._read, each)

    def _drop_a_done_one(self) -> bool:
        """Make room by dropping a connection that already has its reply. Returns whether there was one."""
        done = next((each for each in self._connections if each.is_done), None)
        if done is not None:
            self._drop(done)
        return done is not None


def parse_head(head: bytes, peer: str) -> HttpRequest | None:
    """Parse an HTTP/1.x request head (without its final empty line). None: it is invalid."""
    lines = head.split(b"\r\n")
    parts = lines[0].split(b" ")
    if len(parts) != 3 or not parts[2].startswith(b"HTTP/1.") or not parts[0].isalpha():
        return None
    if any(not 0x20 < byte < 0x7F for byte in parts[1]) or not parts[1]:
        return None
    host = ""
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip():
            return None
        if name.lower() == b"host":
            host = _without_port(value.strip().decode("latin-1").lower())
    target = parts[1].decode("ascii")
    if target.startswith(("http://", "https://")):  # absolute form, RFC 9112 §3.2.2
        target = "/" + target.split("://", 1)[1].partition("/")[2]
    if not target.startswith("/"):
        return None
    return HttpRequest(method=parts[0].decode("ascii"), path=target.partition("?")[0], host=host, peer=peer)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _plain_address(address: str) -> str:
    """Return the address of an IPv4 client of a dual-stack socket as IPv4, and any address without its zone index."""
    return address.removeprefix("::ffff:").partition("%")[0]


def _serialised(reply: HttpReply, wants_body: bool) -> bytes:
    body = reply.body if reply.body or reply.status == 200 else (REASONS.get(reply.status, "") + "\n").encode()
    allow = "Allow: GET, HEAD\r\n" if reply.status == 405 else ""
    head = (
        f"HTTP/1.1 {reply.status} {REASONS.get(reply.status, 'Unknown')}\r\n"
        f"Content-Type: {reply.content_type}\r\nContent-Length: {len(body)}\r\n"
        f"{allow}X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    )
    return head.encode("latin-1") + (body if wants_body else b"")
