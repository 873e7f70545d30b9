"""HTTPS over real sockets: trust, limits, deadlines, proxies, and failures in words."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import Cancelled, ConfigError
from core.ports import CancelToken, TransportFailure
from core.system.streams import GRACE_SECONDS, SocketStream, TlsStream, limited
from core.system.transport import BODY_LIMIT_BYTES, POOL_SIZE, HttpsTransport
from core.system.trusted_roots import client_context
from tests.support.authority import Authority, self_signed
from tests.support.programs import free_port
from tests.support.tls_service import http_answer, serving


@pytest.fixture
def bundle(authority: Authority, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    path.write_bytes(authority.root_pem)
    return str(path)


def ask(transport: HttpsTransport, port: int, *, timeout: float = 10.0, host: str = "localhost") -> bytes:
    return transport.request("GET", f"https://{host}:{port}/x", headers={}, timeout=timeout).body


def failure(work: Callable[[], object]) -> TransportFailure:
    with pytest.raises(TransportFailure) as caught:
        work()
    return caught.value


def test_a_bundle_is_trusted_and_connections_are_kept(authority: Authority, bundle: str, tmp_path: Path) -> None:
    """SF-21: a CA of one's own is reached with its bundle, all requests over one connection."""
    transport = HttpsTransport(bundle, {})
    with serving(http_answer(body=b"hello"), authority.leaf(["localhost"]), tmp_path) as service:
        assert [ask(transport, service.port) for _ in range(5)] == [b"hello"] * 5
        assert service.connections == 1
        transport.close()


class _Counting(SocketStream):
    """A connection that counts what it sends."""

    sent = 0

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.sent += 1
        super().write(buffer, timeout)


def test_head_and_body_leave_together(authority: Authority, bundle: str, tmp_path: Path) -> None:
    """Over TLS the pieces of a request are sent as one, when the reply is read; much of it is not held back."""
    with serving(http_answer(body=b"hello"), authority.leaf(["localhost"]), tmp_path) as service:
        connection = socket.create_connection(("127.0.0.1", service.port))
        connection.setblocking(False)
        below = _Counting(connection)
        with limited(10.0, None):
            stream = TlsStream(below, client_context(bundle), "localhost")
            begun = below.sent
            stream.write(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n")
            stream.write(b"ab")
            assert below.sent == begun
            assert stream.read(1000).startswith(b"HTTP/1.1 200")
            assert below.sent == begun + 1
            stream.write(bytes(100_000))
            assert below.sent == begun + 2
        stream.close()


def test_repeated_headers_are_joined(authority: Authority, bundle: str, tmp_path: Path) -> None:
    """Several Link headers, as CAs send them, all arrive."""
    transport = HttpsTransport(bundle, {})
    talk = http_answer(headers='Link: <a>;rel="index"\r\nLink: <b>;rel="alternate"\r\n')
    with serving(talk, authority.leaf(["localhost"]), tmp_path) as service:
        answer = transport.request("GET", f"https://localhost:{service.port}/", headers={})
        assert answer.headers["link"] == '<a>;rel="index", <b>;rel="alternate"'
        transport.close()


def test_a_request_is_sent_as_its_address_says(authority: Authority, bundle: str, tmp_path: Path) -> None:
    """What is escaped stays so, the rest is escaped; credentials in the address are sent, and only an unusual port."""
    seen = []

    def talk(connection: socket.socket) -> None:
        seen.append(connection.recv(10_000).decode())
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with serving(talk, authority.leaf(["localhost"]), tmp_path) as service:
        address = f"https://me:p%40ss@localhost:{service.port}/é/a%2Fb;c?q=ü&r=%20x#part"
        HttpsTransport(bundle, {}).request("POST", address, headers={"User-Agent": "certdeck"})
    first, *headers = seen[0].split("\r\n")
    assert first == "POST /%C3%A9/a%2Fb;c?q=%C3%BC&r=%20x HTTP/1.1"
    assert sorted(filter(None, headers)) == [
        "Accept-Encoding: identity",
        "Authorization: Basic bWU6cEBzcw==",
        "Content-Length: 0",
        f"Host: localhost:{service.port}",
        "User-Agent: certdeck",
    ]


@pytest.mark.parametrize(
    "address", ["ftp://localhost/x", "https://xn--\u200d.example/", "https://\u2488.example/", "https://a..example/"]
)
def test_an_address_that_cannot_be_asked_is_a_failure_in_words(address: str) -> None:
    """Neither another scheme nor a host that is no name ends in a traceback."""
    assert failure(lambda: HttpsTransport(None, {}).request("GET", address, headers={})).kind == "unreachable"


@pytest.mark.parametrize("kind", ["unknown-ca", "wrong-name", "expired", "self-signed"])
def test_a_server_that_does_not_verify_is_untrusted(
    authority: Authority, bundle: str, tmp_path: Path, kind: str
) -> None:
    """Each way of not verifying is `untrusted`, with the reason."""
    leaf = {
        "unknown-ca": lambda: Authority.new("Stranger").leaf(["localhost"]),
        "wrong-name": lambda: authority.leaf(["other.example"]),
        "expired": lambda: authority.leaf(["localhost"], days_left=-1),
        "self-signed": lambda: self_signed(["localhost"]),
    }[kind]()
    with serving(http_answer(), leaf, tmp_path) as service:
        failed = failure(lambda: ask(HttpsTransport(bundle, {}), service.port))
    assert failed.kind == "untrusted"
    words = {"unknown-ca": "issuer", "wrong-name": "localhost", "expired": "expired", "self-signed": "self-signed"}
    assert words[kind] in str(failed)
    assert ".." not in str(failed), "OpenSSL ends one of its sentences with a full stop of its own"


def test_redirects_and_server_errors_come_back_as_they_are(authority: Authority, bundle: str, tmp_path: Path) -> None:
    """Nothing is followed and nothing repeated here."""
    transport = HttpsTransport(bundle, {})
    talk = http_answer(status="307 Temporary Redirect", headers="Location: https://elsewhere.invalid/\r\n")
    with serving(talk, authority.leaf(["localhost"]), tmp_path) as service:
        answer = transport.request("GET", f"https://localhost:{service.port}/", headers={})
        assert (answer.status, answer.headers["location"]) == (307, "https://elsewhere.invalid/")
        transport.close()


def test_bodies_are_cut(authority: Authority, bundle: str, tmp_path: Path) -> None:
    """A body beyond 4 MiB is cut there, said to be cut, and the connection is not used again."""
    transport = HttpsTransport(bundle, {})
    with serving(http_answer(body=b"x" * (2 * BODY_LIMIT_BYTES)), authority.leaf(["localhost"]), tmp_path) as service:
        answer = transport.request("GET", f"https://localhost:{service.port}/", headers={})
        assert (len(answer.body), answer.truncated) == (BODY_LIMIT_BYTES, True)
        ask(transport, service.port)
        assert service.connections == 2
        transport.close()


def test_a_bundle_without_an_end_is_refused() -> None:
    """`ca_bundle = "/dev/zero"` was read until the memory was full."""
    with pytest.raises(ConfigError, match="/dev/zero"):
        HttpsTransport("/dev/zero", {})


def test_what_is_no_answer_is_said_in_words(authority: Authority, bundle: str, tmp_path: Path) -> None:
    """Headers beyond all bounds were told by the name of a Python class."""
    talk = http_answer(headers="".join(f"X-{number}: y\r\n" for number in range(20_000)))
    with serving(talk, authority.leaf(["localhost"]), tmp_path) as service:
        failed = failure(lambda: ask(HttpsTransport(bundle, {}), service.port))
    assert "the response was not valid HTTP" in str(failed)


def silent(connection: socket.socket) -> None:
    """Take the request and say nothing."""
    while connection.recv(1000):
        pass


def drip(connection: socket.socket) -> None:
    """Answer one byte at a time, for ever."""
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


def drip_head(connection: socket.socket) -> None:
    """Send one header a byte at a time, for ever."""
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


def drip_chunk(connection: socket.socket) -> None:
    """Send the length of a chunk a digit at a time, for ever."""
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"0")
        time.sleep(0.02)


def drip_chunk_and_close(connection: socket.socket) -> None:
    """The same where the connection is to end with the reply."""
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"0")
        time.sleep(0.02)


def test_what_follows_a_response_is_no_response(authority: Authority, bundle: str, tmp_path: Path) -> None:
    """A second response in the same packet is not taken for that to the next request, which gets a connection of its own."""
    connections = []

    def twice(connection: socket.socket) -> None:
        connections.append(connection)
        while b"\r\n\r\n" in connection.recv(10_000):
            first, second = (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + each for each in (b"1", b"2"))
            connection.sendall(first + second)

    with serving(twice, authority.leaf(["localhost"]), tmp_path) as service:
        transport = HttpsTransport(bundle, {})
        assert [ask(transport, service.port) for _ in range(3)] == [b"1", b"1", b"1"]
    assert len(connections) == 3


def more_to_come(connection: socket.socket) -> None:
    """Announce a response again and again, faster than anybody reads."""
    connection.recv(1000)
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


@pytest.mark.parametrize("talk", [silent, drip, drip_head, drip_chunk, drip_chunk_and_close, more_to_come])
def test_a_deadline_holds_for_the_whole_reply(
    authority: Authority, bundle: str, tmp_path: Path, talk: Callable[[socket.socket], None]
) -> None:
    """A server that hangs, or sends a byte now and then, is a timeout."""
    with serving(talk, authority.leaf(["localhost"]), tmp_path) as service:
        began = time.monotonic()
        failed = failure(lambda: ask(HttpsTransport(bundle, {}), service.port, timeout=0.3))
        assert failed.kind == "timeout"
        assert time.monotonic() - began < 20


@pytest.mark.parametrize("talk", [silent, drip, drip_head, drip_chunk, more_to_come])
def test_a_request_is_left_soon_after_a_cancellation(
    authority: Authority, bundle: str, tmp_path: Path, talk: Callable[[socket.socket], None]
) -> None:
    """A server that hangs does not keep somebody who wants to stop, and no thread is left behind."""
    cancel = CancelToken()
    threads = threading.active_count()
    with serving(talk, authority.leaf(["localhost"]), tmp_path) as service:
        url = f"https://localhost:{service.port}/"
        threading.Timer(0.1, cancel.cancel).start()
        began = time.monotonic()
        with pytest.raises(Cancelled):
            HttpsTransport(bundle, {}).request("GET", url, headers={}, cancel=cancel)
        assert time.monotonic() - began < 0.1 + GRACE_SECONDS + 10  # of 30; this machine may be busy
    assert threading.active_count() <= threads + 1, "the server's own thread may still end"


def test_a_response_on_its_way_is_taken_after_a_cancellation(authority: Authority, bundle: str, tmp_path: Path) -> None:
    """What the server has done is known, not guessed: a response that comes within the grace time counts."""
    cancel = CancelToken()

    def late(connection: socket.socket) -> None:
        connection.recv(1000)
        cancel.cancel()
        time.sleep(0.2)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")

    with serving(late, authority.leaf(["localhost"]), tmp_path) as service:
        url = f"https://localhost:{service.port}/"
        assert HttpsTransport(bundle, {}).request("GET", url, headers={}, cancel=cancel).body == b"done"


def test_many_threads_share_a_transport(authority: Authority, bundle: str, tmp_path: Path) -> None:
    """Renewals side by side use one pool: every response belongs to its request."""
    transport = HttpsTransport(bundle, {})
    with serving(http_answer(body=b"hello"), authority.leaf(["localhost"]), tmp_path) as service:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: ask(transport, service.port), range(200)))
        assert answers == [b"hello"] * 200
        assert service.connections <= 8
        transport.close()


def test_idle_connections_are_few(authority: Authority, bundle: str, tmp_path: Path) -> None:
    """After many requests at once only POOL_SIZE connections are kept, and the one used last is used again."""
    transport = HttpsTransport(bundle, {})
    together = threading.Barrier(POOL_SIZE + 4)

    def at_once(connection: socket.socket) -> None:
        connection.recv(4096)
        together.wait(60)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        http_answer(body=b"again")(connection)

    with serving(at_once, authority.leaf(["localhost"]), tmp_path) as service:
        with ThreadPoolExecutor(POOL_SIZE + 4) as pool:
            list(pool.map(lambda _: ask(transport, service.port, timeout=60), range(POOL_SIZE + 4)))
        assert [ask(transport, service.port) for _ in range(3)] == [b"again"] * 3
        assert service.connections == POOL_SIZE + 4
        assert _open_sockets_to(service.port) == POOL_SIZE
        transport.close()
        assert _open_sockets_to(service.port) == 0


def _open_sockets_to(port: int) -> int:
    """Count the established connections of this process to a port of loopback that have not been closed on this side."""
    lines = Path("/proc/self/net/tcp").read_text().splitlines()[1:]
    ours = {os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd") if _is_there(name)}
    remote = f"0100007F:{port:04X}"
    return sum(line.split()[2] == remote and f"socket:[{line.split()[9]}]" in ours for line in lines)


def _is_there(name: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{name}")


def test_a_server_that_hangs_up_is_unreachable(authority: Authority, bundle: str, tmp_path: Path) -> None:
    """A connection that breaks before the answer has no answer."""
    with serving(lambda connection: None, authority.leaf(["localhost"]), tmp_path) as service:
        assert failure(lambda: ask(HttpsTransport(bundle, {}), service.port)).kind == "unreachable"


def test_plain_http_on_the_port_is_said(bundle: str) -> None:
    """A server without TLS is told from one that is down."""
    with serving(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as service:
        failed = failure(lambda: ask(HttpsTransport(bundle, {}), service.port))
    assert failed.kind == "unreachable"
    assert "TLS" in str(failed)


def test_a_closed_port_and_an_unknown_name_are_unreachable(bundle: str) -> None:
    """Nothing there, or no such name: unreachable, each in words."""
    transport = HttpsTransport(bundle, {})
    assert "refused" in str(failure(lambda: ask(transport, free_port())))
    assert "does not resolve" in str(failure(lambda: ask(transport, 1, host="no-such-name.invalid")))


@pytest.mark.parametrize(
    "content", [None, b"", b"rubbish", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_an_unusable_bundle_is_a_configuration_error(tmp_path: Path, content: bytes | None) -> None:
    """A missing or damaged ca_bundle is named at once, not at the first handshake."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        HttpsTransport(str(path), {})
    assert str(path) in caught.value.what


def connect_proxy(seen: list[bytes]) -> Callable[[socket.socket], None]:
    """Be a proxy that tunnels to where it is asked to."""

    def talk(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(1000)
        seen.append(head)
        port = int(head.split(b" ")[1].rpartition(b":")[2])
        with socket.create_connection(("127.0.0.1", port)) as further:
            connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            # One thread for both ways: reading and writing one TLS connection in two breaks it now and then.
            while True:
                try:
                    for ready in select.select([connection, further], [], [])[0]:
                        chunk = ready.recv(65536)
                        if not chunk:
                            return
                        (further if ready is connection else connection).sendall(chunk)
                except (OSError, ValueError):
                    return  # the test has closed the connection

    return talk


def test_a_proxy_is_used_with_its_credentials(authority: Authority, bundle: str, tmp_path: Path) -> None:
    """HTTPS_PROXY is honoured, its credentials go to the proxy alone."""
    seen: list[bytes] = []
    with (
        serving(http_answer(body=b"through"), authority.leaf(["localhost"]), tmp_path) as service,
        serving(connect_proxy(seen)) as proxy,
    ):
        transport = HttpsTransport(bundle, {"HTTPS_PROXY": f"http://me:s%40cret@127.0.0.1:{proxy.port}"})
        assert ask(transport, service.port) == b"through"
        transport.close()
    assert b"CONNECT localhost:" in seen[0]
    assert (
        b"Proxy-Authorization: Basic bWU6c0BjcmV0" in seen[0] or b"proxy-authorization: Basic bWU6c0BjcmV0" in seen[0]
    )


def test_a_proxy_that_is_spoken_to_over_tls(authority: Authority, bundle: str, tmp_path: Path) -> None:
    """An https:// proxy is verified, and the server's TLS runs inside the proxy's."""
    seen: list[bytes] = []
    leaf = authority.leaf(["localhost"])
    with (
        serving(http_answer(body=b"inside"), leaf, tmp_path) as service,
        serving(connect_proxy(seen), leaf, tmp_path) as proxy,
    ):
        transport = HttpsTransport(bundle, {"HTTPS_PROXY": f"https://localhost:{proxy.port}"})
        assert ask(transport, service.port) == b"inside"
        transport.close()
    assert b"CONNECT localhost:" in seen[0]


def test_no_proxy_is_honoured(authority: Authority, bundle: str, tmp_path: Path) -> None:
    """Hosts in NO_PROXY are asked directly."""
    with serving(http_answer(body=b"direct"), authority.leaf(["localhost"]), tmp_path) as service:
        variables = {"https_proxy": f"http://127.0.0.1:{free_port()}", "NO_PROXY": "example.com,localhost"}
        transport = HttpsTransport(bundle, variables)
        assert ask(transport, service.port) == b"direct"
        transport.close()


def test_a_proxy_that_is_down_is_named_without_its_password(bundle: str) -> None:
    """The failure says that it was the proxy, and never shows its credentials."""
    variables = {"HTTPS_PROXY": f"http://me:hunter2@127.0.0.1:{free_port()}"}
    failed = failure(lambda: ask(HttpsTransport(bundle, variables), 1))
    assert "proxy" in str(failed)
    assert "hunter2" not in str(failed)


def test_credentials_in_a_url_are_not_shown(bundle: str) -> None:
    """Failures name host and port, never what stands before the @."""
    transport = HttpsTransport(bundle, {})
    url = f"https://me:hunter2@localhost:{free_port()}/"
    assert "hunter2" not in str(failure(lambda: transport.request("GET", url, headers={})))


def test_system_roots_stay_trusted_beside_a_bundle(bundle: str) -> None:
    """SO-09: a bundle adds to what the system trusts."""
    alone = len(HttpsTransport(None, {})._context.get_ca_certs())
    assert len(HttpsTransport(bundle, {})._context.get_ca_certs()) == alone + 1
