"""The interface of a DNS vendor inside a test: strict about what it accepts, reachable in memory or over loopback.

A vendor's server is a subclass with `answer`. In memory it is a `Transport`, so an adapter talks to it without sockets or
waiting; `served` puts the same object behind a real HTTP port, for tests that start certdeck as a program.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from core.ports import CancelToken, Response, TransportFailure
from tests.support.transport import Asked, reply


class Vendor:
    """Answers requests with `answer`; faults that a test lays out come first."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults: list[Response | TransportFailure | None] = []
        """Given instead of an answer, one for each request; None lets one through."""
        self._lock = threading.Lock()

    def answer(self, asked: Asked) -> Response:
        """Return what the vendor says to a request. Called by one thread at a time."""
        raise NotImplementedError

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
        """Be a `Transport`."""
        with self._lock:
            asked = Asked(method, url, {name.lower(): value for name, value in headers.items()}, body)
            self.asked.append(asked)
            fault = self.faults.pop(0) if self.faults else None
            if isinstance(fault, TransportFailure):
                raise fault
            return fault or self.answer(asked)

    def close(self) -> None:
        """Be a `Transport`."""


def path_of(asked: Asked) -> str:
    return urlsplit(asked.url).path


def query_of(asked: Asked) -> dict[str, str]:
    """Return the query; a key given twice is a mistake of the adapter."""
    pairs = parse_qsl(urlsplit(asked.url).query, keep_blank_values=True)
    assert len({key for key, _ in pairs}) == len(pairs), "a key of the query is given twice"
    return dict(pairs)


def json_of(asked: Asked) -> Any:
    assert asked.headers.get("content-type", "").startswith("application/json"), "JSON goes as application/json"
    return json.loads(asked.body or b"null")


def form_of(asked: Asked) -> dict[str, str]:
    return dict(parse_qsl((asked.body or b"").decode(), keep_blank_values=True))


@contextmanager
def served(vendor: Vendor) -> Iterator[str]:
    """Answer on a free loopback port; yields `http://127.0.0.1:PORT`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            url = f"http://{self.headers.get('host')}{self.path}"
            try:
                said = vendor.request(self.command, url, headers=dict(self.headers.items()), body=body)
            except TransportFailure:
                self.close_connection = True
                return
            except Exception as exc:  # noqa: BLE001 - what the adapter did wrong must not look like a broken connection
                said = reply(599, f"the vendor's server refuses: {exc!r}")
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
