"""What is said to a service over a socket of its own, and its answer."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.system.talker import SocketTalker
from tests.support.authority import self_signed


@contextmanager
def serving(listening: socket.socket, *answers: bytes, closes: bool = True) -> Iterator[list[bytes]]:
    """Answer one connection: `answers` after what is said. `closes`: and end it, as haproxy does."""
    heard: list[bytes] = []
    done = threading.Event()

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            heard.append(connection.recv(65536))
            for answer in answers:
                connection.sendall(answer)
            if not closes:
                done.wait(10)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        done.set()
        thread.join(10)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the socket is."""
    return tmp_path / "s"


@pytest.fixture
def listening(path: Path) -> Iterator[socket.socket]:
    """A Unix socket that somebody listens at."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
        made.listen()
        yield made


def test_an_answer_ends_with_the_connection(path: Path, listening: socket.socket) -> None:
    """All that comes until the end is the answer, in whatever pieces."""
    with serving(listening, b"Committing", b"\nSuccess!\n\n") as heard:
        said = SocketTalker().say(str(path), b"commit ssl cert x\n", timeout=5)
    assert (said.returncode, said.output) == (0, "Committing\nSuccess!\n\n")
    assert heard == [b"commit ssl cert x\n"]


def test_an_answer_ends_with_silence(path: Path, listening: socket.socket) -> None:
    """Where the connection stays open for the next command, silence ends the answer."""
    with serving(listening, b"true\n> ", closes=False):
        assert SocketTalker().say(str(path), b"x\n", timeout=5).output == "true\n> "


def test_no_answer_is_no_success(path: Path, listening: socket.socket) -> None:
    """A service that says nothing within the time, that ends the connection, or that is not there, has not answered."""
    with serving(listening, closes=False):
        late = SocketTalker().say(str(path), b"x\n", timeout=0.2)
    assert (late.returncode, late.timed_out) == (1, True)
    with serving(listening):
        assert "without a response" in SocketTalker().say(str(path), b"x\n", timeout=5).output
    assert "No such file" in SocketTalker().say(f"{path}-not", b"x\n", timeout=5).output
    assert SocketTalker().say("nonsense", b"x\n", timeout=5).returncode == 1


def test_over_tls(tmp_path: Path) -> None:
    """An address instead of a path is spoken to over TLS, whatever certificate it has: memcached is told that way."""
    self_signed(["x.example.com"]).write(tmp_path / "c", tmp_path / "k")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "c", tmp_path / "k")
    with socket.create_server(("127.0.0.1", 0)) as plain, context.wrap_socket(plain, server_side=True) as secured:
        address = f"127.0.0.1:{plain.getsockname()[1] if plain.fileno() != -1 else secured.getsockname()[1]}"
        with serving(secured, b"OK\r\n", closes=False) as heard:
            assert SocketTalker().say(address, b"refresh_certs\r\n", timeout=5).output == "OK\r\n"
    assert heard == [b"refresh_certs\r\n"]
