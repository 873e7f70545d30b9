"""How much is sent to the terminal for a key, measured through a pty that answers no queries."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.sources import ROOT

pytestmark = pytest.mark.e2e

PROGRAM = """
import os, sys
from tests.support.fake_engine import FakeEngine
from tui.app import run

sys.exit(run(FakeEngine(), variables=os.environ, plain="--plain" in sys.argv))
"""
DOWN, UP = b"\x1b[B", b"\x1b[A"
QUIET_SECONDS = 0.8


class Line:
    """The console's end of a line of 80x24."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def until_quiet(self) -> bytes:
        """Return what comes until nothing comes any more."""
        got = b""
        while select.select([self._descriptor], [], [], QUIET_SECONDS)[0]:
            got += os.read(self._descriptor, 65536)
        return got

    def until(self, words: bytes) -> bytes:
        got, end = b"", time.monotonic() + 60
        while words not in got:
            assert time.monotonic() < end, got
            got += self.until_quiet()
        return got

    def press(self, key: bytes) -> int:
        """Return how many bytes a key costs, whatever follows it included."""
        os.write(self._descriptor, key)
        return len(self.until_quiet())


@contextmanager
def _console(term: str, *options: str) -> Iterator[Line]:
    ours, its = os.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key not in ("COLORTERM", "NO_COLOR", "LC_ALL")}
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *options],
        cwd=ROOT,
        env={**environment, "TERM": term},
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    try:
        line = Line(ours)
        line.until(b"More")
        yield line
        os.write(ours, b"q")
        line.until_quiet()
    except OSError:
        pass  # the program has ended, and its terminal with it
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(30)
        os.close(ours)


@pytest.mark.parametrize(
    ("term", "options", "most"),
    [
        pytest.param("xterm-256color", (), 1500, id="usual"),
        pytest.param("xterm-256color", ("--plain",), 1000, id="plain"),
        pytest.param("vt100", (), 1000, id="serial"),
    ],
)
def test_a_step_of_the_cursor_is_cheap(term: str, options: tuple[str, ...], most: int) -> None:
    """A step of the cursor sends at most 1,500 bytes on a usual terminal and 1,000 on a serial line, the details included."""
    with _console(term, *options) as line:
        costs = [line.press(key) for key in (DOWN, DOWN, DOWN, DOWN, UP, UP)]
        assert min(costs) > 0
        assert max(costs) <= most, costs


def test_passing_rows_on_a_slow_line_draws_no_details() -> None:
    """Five steps in one go on a slow line cost less than two: the details are drawn once, where the cursor rests."""
    with _console("vt100", "--plain") as line:
        one = line.press(DOWN)
        assert line.press(DOWN * 5) < 2 * one


def test_an_ignored_key_costs_nearly_nothing() -> None:
    """Down at the end of the list sends no row and no panel."""
    with _console("xterm-256color") as line:
        line.press(b"G")
        assert line.press(DOWN) < 50
