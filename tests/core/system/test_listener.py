"""Our own small HTTP server, over real sockets on loopback."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from core.errors import PortUnavailable
from core.ports import HttpReply, HttpRequest
from core.system.http_server import CONNECTION_LIMIT, HEAD_LIMIT_BYTES, parse_head
from core.system.listener import SystemListener
from tests.support.programs import free_port, wait_until


def echo(request: HttpRequest) -> HttpReply:
    """Answer with what was understood."""
    if request.path == "/boom":
        raise RuntimeError("boom")
    return HttpReply(status=200, body=f"{request.method} {request.path} {request.host} {request.peer}".encode())


@pytest.fixture
def port() -> Iterator[int]:
    with SystemListener().listen("127.0.0.1", 0, echo) as number:
        yield number


def exchange(port: int, raw: bytes, host: str = "127.0.0.1") -> bytes:
    """Send bytes and return everything that comes back."""
    with socket.create_connection((host, port), timeout=5) as client:
        client.sendall(raw)
        answer = b""
        while chunk := client.recv(65536):
            answer += chunk
        return answer


def get(port: int, path: str, method: str = "GET", host: str = "127.0.0.1") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request(method, path, headers={"Host": "Shop.Example.com:80"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_a_request_reaches_the_handler(port: int) -> None:
    """Method, path without query, host without port, and the peer's address arrive."""
    assert get(port, "/a/b?c=d") == (200, b"GET /a/b shop.example.com 127.0.0.1")


def test_head_has_no_body(port: int) -> None:
    """HEAD gets the headers of GET and nothing after them."""
    answer = exchange(port, b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"Content-Length: 19\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT"])
def test_other_methods_are_refused(port: int, method: str) -> None:
    """Only GET and HEAD are answered."""
    assert exchange(port, f"{method} / HTTP/1.1\r\nHost: x\r\n\r\n".encode()).startswith(b"HTTP/1.1 405 ")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"hello\r\n\r\n", id="no-http"),
        pytest.param(b"GET /\r\n\r\n", id="http-0.9"),
        pytest.param(b"GET / HTTP/2.0\r\n\r\n", id="http-2"),
        pytest.param(b"GET  / HTTP/1.1\r\n\r\n", id="two-blanks"),
        pytest.param(b"GET /\xff HTTP/1.1\r\n\r\n", id="not-ascii"),
        pytest.param(b"GET http: HTTP/1.1\r\n\r\n", id="odd-target"),
        pytest.param(b"GET / HTTP/1.1\r\nno colon\r\n\r\n", id="bad-header"),
        pytest.param(b"GET / HTTP/1.1\r\n Host: folded\r\n\r\n", id="folded-header"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", id="tls"),
    ],
)
def test_bad_requests_are_refused(port: int, raw: bytes) -> None:
    """What is no HTTP/1.x request gets a 400 and never reaches the handler."""
    assert exchange(port, raw).startswith(b"HTTP/1.1 400 ")


def test_long_heads_are_refused(port: int) -> None:
    """A head beyond 8 KiB gets a 431, whether it ends or not."""
    long = b"GET / HTTP/1.1\r\nX: " + b"a" * HEAD_LIMIT_BYTES
    assert exchange(port, long).startswith(b"HTTP/1.1 431 ")


def test_a_request_may_come_in_pieces(port: int) -> None:
    """A head that arrives byte by byte is put together."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n":
            client.sendall(bytes([byte]))
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_a_raising_handler_is_a_500_and_no_end(port: int, caplog: pytest.LogCaptureFixture) -> None:
    """A fault of the handler ends in the log, and the next request is answered."""
    assert get(port, "/boom")[0] == 500
    assert get(port, "/fine")[0] == 200
    assert "raised" in caplog.text


def test_idle_connections_do_not_keep_others_out(port: int) -> None:
    """A crowd of silent clients costs those behind it about a second, not the certificate."""
    with contextlib.ExitStack() as stack:
        for _ in range(CONNECTION_LIMIT + 20):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
        began = time.monotonic()
        assert get(port, "/token")[0] == 200
        assert time.monotonic() - began < 8


def test_hundreds_at_once_are_all_answered(port: int) -> None:
    """A CA that validates a hundred names comes with hundreds of connections at once: none is cut."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20)) for _ in range(300)]
        for client in clients:
            client.sendall(b"GET /t HTTP/1.1\r\nHost: x\r\n\r\n")
        assert all(client.recv(1000).startswith(b"HTTP/1.1 200 ") for client in clients)


def test_starting_and_stopping_take_no_time() -> None:
    """Twenty times up and down take less than twenty polls of a common server, which are ten seconds."""
    began = time.monotonic()
    for _ in range(20):
        with SystemListener().listen("127.0.0.1", 0, echo):
            pass
    assert time.monotonic() - began < 5


def test_nothing_is_left_after_the_end() -> None:
    """After the context the port is closed, open connections end, and no thread stays."""
    with SystemListener().listen("127.0.0.1", 0, echo) as port:
        waiting = socket.create_connection(("127.0.0.1", port), timeout=5)
    with waiting:
        assert waiting.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    assert not [thread for thread in threading.enumerate() if "listener" in thread.name]


def test_the_port_can_be_had_again_at_once() -> None:
    """Connections in TIME_WAIT do not keep the next run from the same port."""
    port = free_port()
    for _ in range(3):
        with SystemListener().listen("127.0.0.1", port, echo) as number:
            assert number == port
            assert get(port, "/x")[0] == 200


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_all_addresses_mean_both_families(address: str) -> None:
    """SF-06: `0.0.0.0` answers over IPv6 too, and an IPv4 client is shown as IPv4."""
    with SystemListener().listen(address, 0, echo) as port:
        assert get(port, "/x")[1].endswith(b" 127.0.0.1")
        if socket.has_ipv6:
            with contextlib.suppress(OSError):  # a machine without ::1
                assert get(port, "/x", host="::1")[1].endswith(b" ::1")


def test_a_busy_port_names_its_holder() -> None:
    """A port that is taken says which program has it, and every way around."""
    with (
        SystemListener().listen("127.0.0.1", 0, echo) as port,
        pytest.raises(PortUnavailable) as caught,
        SystemListener().listen("0.0.0.0", port, echo),
    ):
        pytest.fail("the port was free")
    error = caught.value
    assert "python" in error.why or "pytest" in error.why
    assert str(error.details["holder"]) in error.why
    for way in ("webroot", "port 80", "/.well-known/acme-challenge/"):
        assert way in error.fix


@pytest.mark.parametrize(("held", "wanted"), [("127.0.0.1", "0.0.0.0"), ("::1", "::1"), ("::1", "::")])
def test_the_address_that_is_held_is_named(held: str, wanted: str) -> None:
    """A program on one address alone is named with that address, and an address that is free is offered where there is one."""
    from core.system.interfaces import addresses

    with (
        SystemListener().listen(held, 0, echo) as port,
        pytest.raises(PortUnavailable) as caught,
        SystemListener().listen(wanted, port, echo),
    ):
        pytest.fail("the port was free")
    error = caught.value
    assert f"listens on {f'[{held}]' if ':' in held else held}:{port}." in error.why
    own = addresses()
    assert (f'Set `address = "{own[0]}"` in [http01]' in error.fix) is bool(own)


def test_an_address_of_another_machine_is_refused() -> None:
    """An address that this machine does not have is named."""
    with pytest.raises(PortUnavailable) as caught, SystemListener().listen("198.51.100.7", 8080, echo):
        pytest.fail("the address was ours")
    assert "198.51.100.7" in caught.value.why


def test_a_client_that_leaves_early_is_no_fault(port: int) -> None:
    """Connections that are reset in the middle leave nothing behind."""
    for _ in range(5):
        client = socket.create_connection(("127.0.0.1", port), timeout=5)
        client.sendall(b"GET / HT")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
    wait_until(lambda: get(port, "/x")[0] == 200, "an answer")


@pytest.mark.parametrize(
    ("head", "path", "host"),
    [
        (b"GET http://shop.example.com/a?b HTTP/1.0", "/a", ""),
        (b"GET /a HTTP/1.1\r\nhost: [2001:DB8::1]:8080", "/a", "2001:db8::1"),
        (b"GET //a HTTP/1.1\r\nHost:shop.example.com", "//a", "shop.example.com"),
    ],
)
def test_heads_are_read(head: bytes, path: str, host: str) -> None:
    """Absolute targets, IPv6 hosts and missing blanks are understood."""
    request = parse_head(head, "192.0.2.1")
    assert request is not None
    assert (request.path, request.host) == (path, host)
