"""A CA's web server: certificates, revocation lists and an OCSP responder, over plain HTTP on loopback."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def pki_server(
    files: Mapping[str, bytes],
    responder: Callable[[bytes], bytes] | None = None,
    seen: list[str] | None = None,
) -> Iterator[str]:
    """Serve `files` by path; yields the address, `http://127.0.0.1:PORT`.

    Args:
        responder: answers whatever is posted, with status 200.
        seen: gets `METHOD PATH` of each request.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(files.get(self.path))

        def do_POST(self) -> None:
            given = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(responder(given) if responder else None)

        def _answer(self, body: bytes | None) -> None:
            if seen is not None:
                seen.append(f"{self.command} {self.path}")
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
