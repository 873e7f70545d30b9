"""A small TCP service on loopback, with TLS or without: says what a test gives it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support.authority import Leaf

Conversation = Callable[[socket.socket], None]
"""What the service does with one connection; it is closed afterwards."""


def http_answer(*, status: str = "200 OK", headers: str = "", body: bytes = b"{}") -> Conversation:
    """Answer every request on a kept-alive connection with the same bytes."""

    def talk(connection: socket.socket) -> None:
        while True:
            head = b""
            while b"\r\n\r\n" not in head:
                chunk = connection.recv(65536)
                if not chunk:
                    return
                head += chunk
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)

    return talk


class TlsService:
    """A running service. `connections` counts those accepted, `names` the server names (SNI) asked for."""

    def __init__(
        self, talk: Conversation, context: ssl.SSLContext | None, host: str, port: int, before: Conversation | None
    ) -> None:
        self._talk = talk
        self._before = before
        self._context = context
        self.connections = 0
        self.names: list[str | None] = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listening = socket.create_server((host, port), family=family)
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        if context is not None:
            context.sni_callback = lambda connection, name, used: self.names.append(name)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End everything, connections too."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()
        for connection in self._open:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            connection.settimeout(20)
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        connection = plain
        with contextlib.suppress(OSError):
            if self._before is not None:
                self._before(plain)
            if self._context is not None:
                connection = self._context.wrap_socket(plain, server_side=True)
                self._open.append(connection)
            self._talk(connection)
        connection.close()


@contextlib.contextmanager
def serving(
    talk: Conversation,
    leaf: Leaf | None = None,
    folder: Path | None = None,
    *,
    host: str = "127.0.0.1",
    version: ssl.TLSVersion | None = None,
    port: int = 0,
    before: Conversation | None = None,
) -> Iterator[TlsService]:
    """Run a service, with TLS when there is a `leaf`, whose files go into `folder`; `version`: that one of TLS alone.

    `before`: is said on each connection in plain text, before TLS (STARTTLS).
    """
    context = None
    if leaf is not None:
        assert folder is not None
        leaf.write(folder / "service.pem", folder / "service.key")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        if version is not None:
            context.minimum_version = context.maximum_version = version
        context.load_cert_chain(folder / "service.pem", folder / "service.key")
    service = TlsService(talk, context, host, port, before)
    try:
        yield service
    finally:
        service.close()
