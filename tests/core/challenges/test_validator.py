"""A challenge file over real sockets, as a CA would look for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core.challenges.validator import MOST_REDIRECTS, look, next_hop
from core.ports import Response
from core.system.web_reader import BODY_LIMIT_BYTES, SystemWebReader
from tests.support.authority import self_signed
from tests.support.programs import free_port
from tests.support.tls_service import http_answer, serving

PATH = "/.well-known/acme-challenge/test.txt"
HOST = "shop.example.com"
Answers = Mapping[str, tuple[int, str]]
"""By path: status, and the body or the Location."""


@contextmanager
def web(answers: Answers, asked: list[str]) -> Iterator[int]:
    """Answer on loopback; yields the port. `asked` gets the Host header of each request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Host"])
            status, text = answers.get(self.path, (404, ""))
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", text)
            self.end_headers()
            if status == 200:
                self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def loopback(host: str) -> tuple[str, ...]:
    return ("127.0.0.1",) if host.endswith("example.com") else ()


def test_a_file_is_found_at_the_address_that_was_given() -> None:
    """The request goes to the address, with the name in its Host header, whatever the name resolves to."""
    asked: list[str] = []
    with web({PATH: (200, "ready")}, asked) as port:
        seen = look(SystemWebReader({80: port}), HOST, PATH, "127.0.0.1", resolve=loopback)
    assert (seen.body, seen.status, asked) == (b"ready", 200, [HOST])


def test_redirects_are_followed_to_https_with_any_certificate(tmp_path: Path) -> None:
    """A redirect to HTTPS, at another host and with a certificate of another name, is followed as CAs do."""
    asked: list[str] = []
    with (
        serving(http_answer(body=b"ready"), self_signed(["something-else.test"]), tmp_path) as tls,
        web({PATH: (301, "/other"), "/other": (302, f"https://www.example.com{PATH}")}, asked) as port,
    ):
        reader = SystemWebReader({80: port, 443: tls.port})
        seen = look(reader, HOST, PATH, "127.0.0.1", resolve=loopback)
    assert seen.body == b"ready"
    assert seen.hops == (f"http://{HOST}{PATH}", f"http://{HOST}/other", f"https://www.example.com{PATH}")


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("https://shop.example.com:8443/x", "ports 80 and 443"),
        ("ftp://shop.example.com/x", "http and https"),
        ("http://192.0.2.1/x", "IP address"),
        ("http://[::1/x", "without a valid URL"),
        ("", "without a valid URL"),
    ],
)
def test_redirects_that_no_ca_follows(location: str, words: str) -> None:
    """Redirects to another port, scheme, an address or nowhere end the look, with the reason."""
    reply = Response(status=302, headers={"location": location}, body=b"")
    refused, further = next_hop(f"http://{HOST}{PATH}", reply, 1)
    assert words in refused
    assert not further


def test_a_redirect_to_a_name_without_addresses() -> None:
    """A redirect to a name that does not resolve is told with that name."""
    with web({PATH: (302, "http://gone.example.org/")}, []) as port:
        seen = look(SystemWebReader({80: port}), HOST, PATH, "127.0.0.1", resolve=loopback)
    assert seen.is_refused
    assert "gone.example.org" in seen.failure


def test_redirects_in_a_circle_end() -> None:
    """After ten redirects a CA stops, and so does the look."""
    asked: list[str] = []
    with web({PATH: (302, PATH)}, asked) as port:
        seen = look(SystemWebReader({80: port}), HOST, PATH, "127.0.0.1", resolve=loopback)
    assert seen.is_refused
    assert len(asked) == MOST_REDIRECTS + 1


def test_nobody_answers() -> None:
    """A closed port is a reason in words, with no status."""
    seen = look(SystemWebReader({80: free_port()}), HOST, PATH, "127.0.0.1", resolve=loopback)
    assert seen.status == 0
    assert "refused" in seen.failure.lower()


def test_a_long_answer_is_cut() -> None:
    """An endless page costs no memory."""
    with web({PATH: (200, "x" * (BODY_LIMIT_BYTES * 3))}, []) as port:
        reply = SystemWebReader({80: port}).get(f"http://{HOST}{PATH}", address="127.0.0.1")
    assert len(reply.body) == BODY_LIMIT_BYTES
    assert reply.truncated
