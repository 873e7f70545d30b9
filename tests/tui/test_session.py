"""The console in a real terminal: it begins, ends, is ended, and never leaves a mess."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.programs import wait_until
from tests.support.showcase import PEM
from tests.support.sources import ROOT
from tests.support.tmux import Terminal

pytestmark = pytest.mark.e2e

PROGRAM = """
import os, sys, threading
from pathlib import Path
from core.errors import UsageError
from tests.support.fake_engine import FakeEngine
from tui.app import run

go_on, ended = Path(sys.argv[1]), Path(sys.argv[2])
engine = FakeEngine()

def hold(event):
    while not go_on.exists():
        threading.Event().wait(0.01)

engine.before_event = hold
renew = engine.renew

def whole(*arguments, **named):
    try:
        return renew(*arguments, **named)
    finally:
        ended.touch()

engine.renew = whole
os.system("stty -a > " + str(ended) + ".before")
try:
    status = run(engine, variables=os.environ)
except UsageError as refused:
    print(refused)
    status = 2
os.system("stty -a > " + str(ended) + ".after 2>/dev/null")
sys.exit(status)
"""


@pytest.fixture
def console(terminals: Callable[..., Terminal], tmp_path: Path) -> Callable[..., Terminal]:
    """Open the console over a fake engine; its renewals wait for the file `go-on` and leave `ended` behind."""

    def open_console(**arguments: object) -> Terminal:
        argv = [sys.executable, "-c", PROGRAM, str(tmp_path / "go-on"), str(tmp_path / "ended")]
        return terminals(argv, cwd=ROOT, **arguments)

    return open_console


def _begin_renewal(terminal: Terminal) -> None:
    terminal.wait_for("^p More")
    terminal.press("r")
    terminal.wait_for("Renew mail?")
    terminal.press("Enter")
    terminal.wait_for("Stop")


def test_q_leaves_the_terminal_as_it_was(console: Callable[..., Terminal], tmp_path: Path) -> None:
    """After q the exit status is 0 and the terminal's settings are those of before."""
    terminal = console()
    terminal.wait_for("^p More")
    terminal.press("q")
    assert terminal.wait_exit() == 0
    assert (tmp_path / "ended.after").read_text() == (tmp_path / "ended.before").read_text()


def test_sigterm_restores_and_finishes(console: Callable[..., Terminal], tmp_path: Path) -> None:
    """SIGTERM puts the terminal in order at once; the operation that runs is finished before the process ends (SF-19)."""
    terminal = console()
    _begin_renewal(terminal)
    os.kill(terminal.pid, signal.SIGTERM)
    terminal.wait_for("still renewing mail; the console exits afterwards")
    assert terminal.is_running
    assert not (tmp_path / "ended").exists()
    (tmp_path / "go-on").touch()
    assert terminal.wait_exit() == 128 + signal.SIGTERM
    assert (tmp_path / "ended").exists()
    assert (tmp_path / "ended.after").read_text() == (tmp_path / "ended.before").read_text()


def test_a_dropped_line_finishes_the_work(console: Callable[..., Terminal], tmp_path: Path) -> None:
    """When the SSH session drops, the operation that runs is finished all the same."""
    terminal = console()
    _begin_renewal(terminal)
    pid = terminal.pid
    terminal.close()
    assert Path(f"/proc/{pid}").exists()
    (tmp_path / "go-on").touch()
    wait_until((tmp_path / "ended").exists, "the end of the renewal")


def test_copy_reaches_the_terminals_clipboard(console: Callable[..., Terminal]) -> None:
    """c on the PEM screen hands the text to the clipboard of the terminal (OSC 52)."""
    terminal = console()
    terminal.wait_for("^p More")
    terminal.press("v")
    terminal.wait_for("BEGIN CERTIFICATE")
    terminal.press("c")
    terminal.wait_for("Copied")
    assert terminal.clipboard == PEM


def test_plain_view_leaves_and_comes_back(console: Callable[..., Terminal]) -> None:
    """p prints the PEM on the bare terminal, and Enter comes back to the console."""
    terminal = console()
    terminal.wait_for("^p More")
    terminal.press("v")
    terminal.wait_for("BEGIN CERTIFICATE")
    terminal.press("p")
    terminal.wait_for("Enter goes back to certdeck.")
    assert "-----END CERTIFICATE-----" in terminal.screen()
    terminal.press("Enter")
    terminal.wait_for("^p More")
    assert terminal.is_running


@pytest.mark.parametrize("term", ["linux", "vt100", "screen"])
def test_poor_terminals(term: str, console: Callable[..., Terminal]) -> None:
    """The console works on a Linux console (ASCII alone), a vt100 and an old screen."""
    terminal = console(term=term)
    screen = terminal.wait_for("^p More")
    assert "certdeck  Acme Box" in screen
    assert screen.isascii() == (term in ("linux", "vt100"))
    if term == "vt100":
        assert "[3" not in terminal.screen(escapes=True).replace("\x1b[39", "").replace("\x1b[49", "")
    terminal.press("q")
    assert terminal.wait_exit() == 0


def test_refuses_a_dumb_terminal(console: Callable[..., Terminal]) -> None:
    """On a terminal of which nothing is known the console does not start, and names the commands (SF-10)."""
    terminal = console(env={"TERM": "dumb"}, term="dumb")
    terminal.wait_for("Use the commands instead")
    assert terminal.wait_exit() == 2
