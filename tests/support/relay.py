"""A TCP relay on loopback: what a redirected port does, with a count of what passes."""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from types import TracebackType
from typing import Self

from tests.support.programs import free_port


class Relay:
    """Passes connections to `port` (its own; 0: a free one) on to the port `to`. Both are of loopback."""

    def __init__(self, to: int, port: int = 0) -> None:
        self.port = port or free_port()
        self.passed = 0
        """Bytes, both ways."""
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
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        while data := self._read(source):
            self.passed += len(data)
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
