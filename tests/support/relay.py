"""A TCP relay on loopback: what a redirected port does, with a count of what passes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from itertools import count
from types import TracebackType
from typing import Self

from tests.support.programs import free_port


class Relay:
    """Passes connections to `port` (its own; 0: a free one) on to the port `to`. Both are of loopback.

    `hold`: by the number of each piece of an answer, the seconds for which it is held back.
    """

    def __init__(self, to: int, port: int = 0, hold: Callable[[int], float] = lambda number: 0.0) -> None:
        self._hold = hold
        self._pieces = count(1)
        self.port = port or free_port()
        self.passed = 0
        """Bytes, both ways."""
        self.connections = self.requests = 0
        """Connections, and HTTP requests with a body (POST) on them."""
        self._to = to
        self._server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
            except ConnectionError:
                near.close()
                continue
            except OSError:
                return
            self.connections += 1
            for source, sink, is_answer in ((near, far, False), (far, near, True)):
                threading.Thread(target=self._pump, args=(source, sink, is_answer), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        while data := self._read(source):
            self.passed += len(data)
            self.requests += 0 if is_answer else data.count(b"POST /")
            if is_answer and (seconds := self._hold(next(self._pieces))):
                time.sleep(seconds)
            try:
                sink.sendall(data)
            except OSError:
                break
        for each in (source, sink):
            with closing(each):
                pass

    @staticmethod
    def _read(source: socket.socket) -> bytes:
        try:
            return source.recv(65536)
        except OSError:
            return b""
