"""`doctor --listen`: the file of the self-test stays up until somebody stops it, and whoever asks is told."""

from __future__ import annotations

import json
import signal
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.support.command import command, process, started
from tests.support.fake_engine import FakeEngine
from tests.support.programs import free_port, wait_until

PATH = "/.well-known/acme-challenge/test.txt"


def configured(home: Path, text: str) -> None:
    (home / "etc").mkdir(parents=True, exist_ok=True)
    (home / "etc" / "certdeck.toml").write_text(f"[http01]\n{text}\n")


def is_up(port: int) -> bool:
    try:
        return get(port)[0] == 200
    except OSError:
        return False


def get(port: int, path: str = PATH, host: str = "shop.example.com") -> tuple[int, bytes]:
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": host})
    try:
        with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310 - it is http
            return answer.status, answer.read()
    except urllib.error.HTTPError as exc:
        return exc.code, exc.read()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_is_up_until_it_is_stopped(home: Path, number: signal.Signals) -> None:
    """The file answers with its text; a signal ends it with status 0 and one JSON object that says who asked for what."""
    port = free_port()
    configured(home, f'address = "127.0.0.1"\nport = {port}')
    with started("doctor", "--listen", "--json", home=home) as child:
        wait_until(lambda: is_up(port), "the file being up", timeout=30)
        assert get(port) == (200, b"Let's Encrypt Ready")
        assert get(port, "/other")[0] == 404
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(f"GET {PATH} HTTP/1.1\r\nHost: e\x1b[31mvil\r\n\r\n".encode())
            raw.recv(1000)
        child.send_signal(number)
        out, err = child.communicate(timeout=30)
    assert child.returncode == 0
    said = json.loads(out)
    assert (said["address"], said["port"], said["path"]) == ("127.0.0.1", port, PATH)
    assert said["count"] == len(said["requests"]) >= 4
    assert [each["found"] for each in said["requests"][-3:]] == [True, False, True]
    assert said["requests"][-2]["host"] == "shop.example.com"
    assert said["requests"][-2]["address"] == "127.0.0.1"
    assert all(each["host"].isprintable() for each in said["requests"])
    assert "\x1b" not in str(err)


def test_it_ends_after_its_seconds(home: Path) -> None:
    """With --seconds it ends on its own, also when nobody has asked."""
    configured(home, f'address = "127.0.0.1"\nport = {free_port()}')
    answer = process("doctor", "--listen", "--seconds", "1", home=home)
    assert (answer.status, answer.out.strip()) == (0, "No request for the test file arrived.")
    assert PATH in answer.err


def test_a_port_that_is_taken_is_an_error(home: Path) -> None:
    """Where somebody else has the port, the answer is the error that an order would meet."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        configured(home, f'address = "127.0.0.1"\nport = {taken.getsockname()[1]}')
        answer = process("doctor", "--listen", "--json", home=home)
    assert answer.status == 1
    assert answer.error["code"] == "port-unavailable"


def test_with_a_webroot_the_file_is_put_there(home: Path, tmp_path: Path) -> None:
    """In webroot mode the file lies in the folder while it runs, and is gone afterwards."""
    root = tmp_path / "www"
    root.mkdir()
    configured(home, f'mode = "webroot"\nwebroot = "{root}"')
    with started("doctor", "--listen", "--json", home=home) as child:
        file = root / PATH.lstrip("/")
        wait_until(file.exists, "the file", timeout=30)
        assert file.read_bytes() == b"Let's Encrypt Ready"
        child.send_signal(signal.SIGTERM)
        out, _ = child.communicate(timeout=30)
    assert json.loads(out)["webroot"] == str(root)
    assert not list(root.iterdir())


@pytest.mark.parametrize(
    "argv",
    [
        ["--listen", "shop"],
        ["--listen", "-d", "a.example.com"],
        ["--seconds", "5"],
        ["--listen", "--seconds", "0"],
        ["--listen", "--seconds", "x"],
    ],
)
def test_wrong_usage(argv: list[str]) -> None:
    """What cannot be meant together is wrong usage, status 2."""
    answer = command("doctor", *argv, "--json", engine=FakeEngine())
    assert answer.status == 2
    assert answer.error["code"] == "usage"
