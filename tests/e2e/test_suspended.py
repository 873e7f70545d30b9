"""The console in a shell's hands: stopped and brought back, and started where it cannot be seen."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.programs import find_program, wait_until
from tests.support.tmux import Terminal

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
CONSOLE = f"{sys.executable} -m tui"


def console_of(shell: int) -> int:
    """Return the process that a shell has started; waits for it."""
    children = Path(f"/proc/{shell}/task/{shell}/children")
    wait_until(lambda: bool(children.read_text().split()), "the console's start")
    return int(children.read_text().split()[0])


@pytest.mark.parametrize("how", ["^Z", "SIGTSTP", "SIGSTOP"])
def test_fg_draws_the_console_again(home: Path, terminals: Callable[..., Terminal], how: str) -> None:
    """Stopped by ^Z or a signal, the shell has its terminal; `fg` draws everything again, and keys are read by one thread."""
    terminal = terminals([find_program("bash"), "--norc"], env={"CERTDECK_HOME": str(home), "PS1": "ready> "}, cwd=ROOT)
    terminal.wait_for("ready>")
    terminal.type(CONSOLE)
    terminal.press("Enter")
    screen = terminal.wait_for("Host name")
    console = console_of(terminal.pid)
    threads = len(os.listdir(f"/proc/{console}/task"))
    if how == "^Z":
        terminal.press("C-z")
    else:
        os.kill(console, getattr(signal, how))
    terminal.wait_for("Stopped")
    terminal.type("clear; echo still $((40 + 2))")
    terminal.press("Enter")
    terminal.wait_for("still 42")
    terminal.type("fg")
    terminal.press("Enter")
    terminal.wait_for("Browsers warn")
    wait_until(lambda: terminal.screen() == screen, "the same screen as before")
    assert len(os.listdir(f"/proc/{console}/task")) == threads


def test_a_console_that_cannot_be_seen_says_so(home: Path, terminals: Callable[..., Terminal]) -> None:
    """With standard error redirected nothing could be drawn: words on the terminal, status 2."""
    words = [find_program("sh"), "-c", f"{CONSOLE} 2> {home}.err; echo status $?; read -r _"]
    terminal = terminals(words, env={"CERTDECK_HOME": str(home)}, cwd=ROOT)
    screen = terminal.wait_for("status 2")
    assert "standard error, which is redirected" in " ".join(screen.split())
