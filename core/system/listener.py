"""The port `Listener`. The server itself is loaded only when it is needed."""

from __future__ import annotations

from contextlib import AbstractContextManager

from core.ports import HttpHandler


class SystemListener:
    """Serves plain HTTP on real sockets."""

    def listen(self, address: str, port: int, handler: HttpHandler) -> AbstractContextManager[int]:
        from core.system.http_server import listening_on

        return listening_on(address, port, handler)
