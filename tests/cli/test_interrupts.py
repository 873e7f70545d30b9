"""^C at any moment: words or silence, never Python's own traceback; and soon, whatever a server does."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.system.streams import GRACE_SECONDS
from tests.support.command import ROOT, environment_for, started
from tui import interrupts


@pytest.mark.parametrize("argv", [["status"], ["--renew"], ["--version"], ["issue", "-d", "a.example.com"]])
def test_never_a_traceback_of_ours(home: Path, argv: list[str]) -> None:
    """Pressed while the program was still being loaded, ^C showed where in our files Python had been."""
    for milliseconds in range(5, 125, 8):
        with subprocess.Popen(
            [sys.executable, "-m", "tui", *argv],
            cwd=ROOT,
            env=environment_for(home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as child:
            time.sleep(milliseconds / 1000)
            child.send_signal(signal.SIGINT)
            _, err = child.communicate(timeout=60)
        said = err.decode()
        assert str(ROOT / "core") not in said, (milliseconds, said)
        assert not re.search(rf"{ROOT}/tui/(?!__main__|__init__)", said), (milliseconds, said)
        assert said.count(str(ROOT)) <= 1, "Python may look for our first file: what it does before that is not ours"


def test_a_program_that_ignores_it_goes_on_ignoring_it() -> None:
    """Started with ^C ignored (nohup, a shell's background), it stays ignored."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        interrupts.end_silently()
        interrupts.raise_again()
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_a_thread_nothing_is_touched() -> None:
    """Signals belong to the main thread; a call from another one changes and raises nothing."""
    raised: list[Exception] = []
    before = signal.getsignal(signal.SIGINT)

    def call() -> None:
        try:
            interrupts.end_silently()
        except Exception as exc:  # noqa: BLE001 - whatever it is, it must not be
            raised.append(exc)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert raised == []
    assert signal.getsignal(signal.SIGINT) is before


@pytest.fixture
def silence() -> Iterator[int]:
    """A server that takes connections and says nothing; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_silent_server_keeps_nobody(home: Path, silence: int, number: int) -> None:
    """Stopped while a CA said nothing, it took up to 30 s until the prompt was back; now it is two at the most."""
    (home / "etc").mkdir(parents=True)
    (home / "etc" / "certdeck.toml").write_text(f'[issuers.ca]\ndirectory = "https://127.0.0.1:{silence}/dir"\n')
    with started("issue", "-d", "a.example.com", "--issuer", "ca", "--agree-tos", "--json", home=home) as child:
        _until_asked(silence)
        time.sleep(0.3)
        begun = time.monotonic()
        child.send_signal(number)
        out, err = child.communicate(timeout=60)
        took = time.monotonic() - begun
    assert child.returncode == 1, out + err
    assert b'"cancelled"' in out
    assert b"Traceback" not in err
    assert took < GRACE_SECONDS + 10, "and a busy machine"


def _until_asked(port: int) -> None:
    """Wait until something is connected to a port of this machine."""
    wanted = f"0100007F:{port:04X}"
    for _ in range(1000):
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        if any(row[2] == wanted and row[3] == "01" for row in rows):
            return
        time.sleep(0.01)
    raise AssertionError("nobody has connected")
