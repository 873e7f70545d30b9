"""Sockets for httpcore with one deadline for all waits of a request, and with cancellation.

httpcore limits each read and each write separately, so a server that sends a byte now and then blocks a client forever, and a
waiting read cannot be cancelled. Here, a request runs inside `limited(…)`: its deadline and its cancel token apply to all of it,
from name resolution to the last byte of the body. TLS uses memory buffers, so all waiting happens in `SocketStream`, also for TLS
inside the TLS of a proxy.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from core.ports import CancelToken
from core.system.light_httpcore import httpcore

CONNECT_SECONDS = 10.0
"""Limit of name resolution and connection."""
GRACE_SECONDS = 0.8
"""How long to wait for a response after a cancellation: most are on their way, and tell what the server did."""
_NEXT_ADDRESS_SECONDS = 3.0
"""How long to wait for one address before the next is tried."""
_SLICE_SECONDS = 0.05
"""How often a wait checks the cancel token."""
_CHUNK_BYTES = 65536
_HELD_BACK_BYTES = 16384
"""Up to so many encrypted bytes wait for the read that follows them."""

T = TypeVar("T")


class DeadlineExceeded(Exception):
    """The request took too long. `seconds`: its limit."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:g} s have passed")
        self.seconds = seconds


class NameNotResolved(OSError):
    """The host name has no address."""


class _Limits:
    """Deadline and cancel token of one request."""

    def __init__(self, seconds: float, cancel: CancelToken | None) -> None:
        self._seconds = seconds
        self._ends = time.monotonic() + seconds
        self._cancel = cancel
        self._leaves: float | None = None

    def narrowed(self, seconds: float) -> _Limits:
        """Return limits that end after `seconds`, or with these if that is sooner."""
        left = self._ends - time.monotonic()
        return self if left <= seconds else _Limits(seconds, self._cancel)

    def wait(self, is_ready: Callable[[float], T | None]) -> T:
        """Return the first result of `is_ready(seconds)` that is not None. Each call waits at most that many seconds.

        Raises DeadlineExceeded, and Cancelled (`cancelled`).
        """
        while True:
            left = self.left()
            found = is_ready(left if self._cancel is None else min(left, _SLICE_SECONDS))
            if found is not None:
                return found

    def left(self) -> float:
        """Return the seconds that are left. Raises DeadlineExceeded, and Cancelled (`cancelled`)."""
        now = time.monotonic()
        if self._cancel is not None and self._cancel.is_cancelled:
            self._leaves = self._leaves or now + GRACE_SECONDS
            if now >= self._leaves:
                self._cancel.check()
        if now >= self._ends:
            raise DeadlineExceeded(self._seconds)
        return self._ends - now


_current = threading.local()


@contextmanager
def limited(seconds: float, cancel: CancelToken | None) -> Iterator[None]:
    """Limit all stream operations of this thread to `seconds` in total, and make `cancel` end them."""
    _current.limits = _Limits(seconds, cancel)
    try:
        yield
    finally:
        del _current.limits


class SocketStream(httpcore.NetworkStream):
    """A TCP connection. Raises OSError, DeadlineExceeded and Cancelled."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._closed = weakref.finalize(self, sock.close)  # also if a pool is dropped without being closed

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            _current.limits.left()  # a peer that always has something to read never makes it wait
            try:
                return self._socket.recv(max_bytes)
            except BlockingIOError:
                self._wait_for(select.POLLIN)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        left = memoryview(buffer)
        while left:
            _current.limits.left()
            try:
                left = left[self._socket.send(left) :]
            except BlockingIOError:
                self._wait_for(select.POLLOUT)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return TlsStream(self, ssl_context, server_hostname)

    def close(self) -> None:
        self._closed()

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # for an idle connection, this means that the server has closed it
            return self._socket.fileno() < 0 or _is_ready(self._socket, select.POLLIN, 0.0)
        return None

    def _wait_for(self, event: int) -> None:
        limits: _Limits = _current.limits
        limits.wait(lambda seconds: _is_ready(self._socket, event, seconds) or None)


class TlsStream(httpcore.NetworkStream):
    """TLS over another stream. Raises ssl.SSLError, and what the other stream raises."""

    def __init__(self, below: httpcore.NetworkStream, context: ssl.SSLContext, host: str | None) -> None:
        self._below = below
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        try:
            self._do(self._tls.do_handshake)
            self._send_records()
        except BaseException:
            below.close()
            raise

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return self._do(lambda: self._tls.read(max_bytes))
        except ssl.SSLZeroReturnError:
            return b""
        except (
            ssl.SSLEOFError
        ):  # closed without close_notify, as many servers do: HTTP knows whether the body is complete
            return b""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Encrypt `buffer`. A small one is sent by the next read, so that head and body of a request leave together."""
        left = memoryview(buffer)
        while left:
            left = left[self._do(partial(self._tls.write, left)) :]
        if self._outgoing.pending > _HELD_BACK_BYTES:
            self._send_records()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return TlsStream(self, ssl_context, server_hostname)

    def close(self) -> None:
        """Close the connection. What no read has sent yet is dropped."""
        self._below.close()

    def get_extra_info(self, info: str) -> Any:
        if info == "ssl_object":
            return self._tls
        if info == "is_readable" and self._tls.pending():
            return True
        return self._below.get_extra_info(info)

    def _do(self, step: Callable[[], T]) -> T:
        """Run `step` of the TLS state machine to its result. Records are moved where it waits for some."""
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                self._send_records()
                record = self._below.read(_CHUNK_BYTES)
                if record:
                    self._incoming.write(record)
                else:
                    self._incoming.write_eof()
            except ssl.SSLError:
                with _ignored():  # send the alert that tells the server why
                    self._send_records()
                raise
            else:
                return done

    def _send_records(self) -> None:
        if self._outgoing.pending:
            self._below.write(self._outgoing.read())


@contextmanager
def _ignored() -> Iterator[None]:
    try:
        yield
    except (OSError, DeadlineExceeded):
        return


class Network(httpcore.NetworkBackend):
    """Opens the connections of a pool."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        limits: _Limits = _current.limits
        limits = limits.narrowed(CONNECT_SECONDS)
        addresses = _addresses(host, port, limits)
        for number, (family, address) in enumerate(addresses):
            is_last = number == len(addresses) - 1
            try:
                return _connected(family, address, limits if is_last else limits.narrowed(_NEXT_ADDRESS_SECONDS))
            except (OSError, DeadlineExceeded):
                if is_last:
                    raise
        raise NameNotResolved(host)


_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3))
"""TCP keep-alive, in seconds and probes: the kernel notices within a minute that the path of an idle stream is cut."""


def _connected(family: int, address: Any, limits: _Limits) -> SocketStream:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEP_ALIVE:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
        if sock.connect_ex(address):
            limits.wait(lambda seconds: _is_ready(sock, select.POLLOUT, seconds) or None)
            error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, os.strerror(error))
        return SocketStream(sock)
    except BaseException:
        sock.close()
        raise


def _is_ready(sock: socket.socket, event: int, seconds: float) -> bool:
    # A new poll object each time: the pool checks an idle connection while another thread starts to use it.
    poll = select.poll()
    poll.register(sock, event)
    return bool(poll.poll(seconds * 1000))


def _addresses(host: str, port: int, limits: _Limits) -> list[tuple[int, Any]]:
    """Return the addresses of a host. A name is resolved in a thread, because the C library's resolver cannot be interrupted."""
    try:
        return _resolved(host, port, socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass
    found: list[list[tuple[int, Any]]] = []
    done = threading.Event()

    def look_up() -> None:
        try:
            found.append(_resolved(host, port, 0))
        except (OSError, UnicodeError):
            pass
        finally:
            done.set()

    threading.Thread(target=look_up, name="resolver", daemon=True).start()
    limits.wait(lambda seconds: done.wait(seconds) or None)
    if not found:
        raise NameNotResolved(host)
    return found[0]


def _resolved(host: str, port: int, flags: int) -> list[tuple[int, Any]]:
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, address) for family, _, _, _, address in entries]
