"""How the program ends: at once, with everything written, and after what still works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import ROOT, environment_for, process

_LATER = """
import atexit, sys, threading, time
from tui import __main__ as program
atexit.register(print, "taken apart", flush=True)
def work(goes_on=threading.Event()):
    goes_on.wait(0.2)
    print("done", flush=True)
def main():
    if sys.argv[1:]: threading.Thread(target=work).start()
    return 7
program.main = main
program.program()
"""


@pytest.mark.parametrize(("words", "said"), [((), ""), (("thread",), "done\ntaken apart\n")])
def test_only_a_thread_at_work_is_waited_for(home: Path, words: tuple[str, ...], said: str) -> None:
    """The process ends with the command's status and is not taken apart; a thread that still works is waited for as usual."""
    done = subprocess.run(
        [sys.executable, "-c", _LATER, *words], check=False, cwd=ROOT, env=environment_for(home), capture_output=True
    )
    assert (done.returncode, done.stdout.decode(), done.stderr) == (7, said, b"")


def test_everything_is_written(home: Path) -> None:
    """A result longer than a buffer of Python arrives to its last line."""
    answer = process("dns", "kinds", "--json", home=home, fresh=True)
    assert len(answer.json["kinds"]) > 5
