"""Sockets under httpcore whose every wait ends at one deadline, or soon after somebody asks to stop.

httpcore limits each read and each write alone, so a server that sends a byte now and then holds a client for ever, and a read that
waits cannot be left. Here a request is made inside `limited(…)`: its deadline and its cancel token hold for all of it, from the
name's resolution to the last byte of the body. TLS runs over memory buffers, so waiting happens in one place, `SocketStream`, also
for TLS inside the TLS of a proxy.
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

import httpcore

from core.ports import CancelToken

CONNECT_SECONDS = 10.0
"""For the name's resolution and the connection."""
GRACE_SECONDS = 0.8
"""How long a response is still waited for after a cancellation: most are on their way, and tell what was done."""
_NEXT_ADDRESS_SECONDS = 3.0
"""How long one address of several may stay silent."""
_SLICE_SECONDS = 0.05
"""How often a wait looks at the cancel token."""
_CHUNK_BYTES = 65536

T = TypeVar("T")


class DeadlineExceeded(Exception):
    """The request took longer than it may. `seconds`: how long that is."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:g} s have passed")
        self.seconds = seconds


class NameNotResolved(OSError):
    """There is no address for the host's name."""


class _Limits:
    """What ends the waits of one request."""

    def __init__(self, seconds: float, cancel: CancelToken | None) -> None:
        self._seconds = seconds
        self._ends = time.monotonic() + seconds
        self._cancel = cancel
        self._leaves: float | None = None

    def narrowed(self, seconds: float) -> _Limits:
        """Return limits of `seconds` at most within these."""
        left = self._ends - time.monotonic()
        return self if left <= seconds else _Limits(seconds, self._cancel)

    def wait(self, is_ready: Callable[[float], T | None]) -> T:
        """Return the first result of `is_ready(seconds)` that is not None; it waits for so long at most.

        Raises DeadlineExceeded, and Cancelled (`cancelled`).
        """
        while True:
            now = time.monotonic()
            if self._cancel is not None and self._cancel.is_cancelled:
                self._leaves = self._leaves or now + GRACE_SECONDS
                if now >= self._leaves:
                    self._cancel.check()
            if now >= self._ends:
                raise DeadlineExceeded(self._seconds)
            left = self._ends - now
            found = is_ready(left if self._cancel is None else min(left, _SLICE_SECONDS))
            if found is not None:
                return found


_current = threading.local()


@contextmanager
def limited(seconds: float, cancel: CancelToken | None) -> Iterator[None]:
    """Hold everything that this thread does with a stream of this module to `seconds` in all and to `cancel`."""
    _current.limits = _Limits(seconds, cancel)
    try:
        yield
    finally:
        del _current.limits


class SocketStream(httpcore.NetworkStream):
    """A TCP connection. Raises OSError, DeadlineExceeded and Cancelled."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._closed = weakref.finalize(self, sock.close)  # also where a pool is dropped without being closed

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            try:
                return self._socket.recv(max_bytes)
            except BlockingIOError:
                self._wait_for(select.POLLIN)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        left = memoryview(buffer)
        while left:
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
        if info == "is_readable":  # of an idle connection: the server has closed it
            return self._socket.fileno() < 0 or _is_ready(self._socket, select.POLLIN, 0.0)
        return None

    def _wait_for(self, event: int) -> None:
        limits: _Limits = _current.limits
        limits.wait(lambda seconds: _is_ready(self._socket, event, seconds) or None)


class TlsStream(httpcore.NetworkStream):
    """TLS over another stream. Raises ssl.SSLError besides what that one raises."""

    def __init__(self, below: httpcore.NetworkStream, context: ssl.SSLContext, host: str | None) -> None:
        self._below = below
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        try:
            self._do(self._tls.do_handshake)
        except BaseException:
            below.close()
            raise

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return self._do(lambda: self._tls.read(max_bytes))
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLEOFError:  # closed without close_notify, as many servers do: HTTP knows whether the body is whole
            return b""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        left = memoryview(buffer)
        while left:
            left = left[self._do(partial(self._tls.write, left)) :]

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return TlsStream(self, ssl_context, server_hostname)

    def close(self) -> None:
        self._below.close()

    def get_extra_info(self, info: str) -> Any:
        if info == "ssl_object":
            return self._tls
        if info == "is_readable" and self._tls.pending():
            return True
        return self._below.get_extra_info(info)

    def _do(self, step: Callable[[], T]) -> T:
        """Return what `step` of the TLS state machine returns, moving records between it and the stream below."""
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
                with _ignored():  # the alert that tells the other side why
                    self._send_records()
                raise
            else:
                self._send_records()
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
"""Seconds, and a count: a stream that waits for news notices within a minute that its path is cut. The kernels do it."""


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
    # A poll object of its own each time: the pool looks at an idle connection while another thread begins to use it.
    poll = select.poll()
    poll.register(sock, event)
    return bool(poll.poll(seconds * 1000))


def _addresses(host: str, port: int, limits: _Limits) -> list[tuple[int, Any]]:
    """Return the addresses of a host. The C library's resolver cannot be interrupted: a name is looked up in a thread."""
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
