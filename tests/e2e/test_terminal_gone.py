"""A terminal that goes away under the console, as when an SSH connection breaks: the process ends, and no processor spins."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e
CONSOLE = [sys.executable, "-c", "from tui.__main__ import program; program()"]
SETTLED_SECONDS = 15.0


def started(home: Path, *, controls: bool) -> tuple[subprocess.Popen[bytes], int]:
    """Start the console in a terminal of its own, and return once it has drawn. `controls`: the terminal can hang it up."""
    ours, theirs = pty.openpty()

    def own_terminal() -> None:
        os.setsid()
        if controls:
            os.close(os.open(os.ttyname(0), os.O_RDWR))

    env = {"CERTDECK_HOME": str(home), "HOME": str(home), "PATH": os.environ["PATH"], "TERM": "xterm-256color"}
    process = subprocess.Popen(
        CONSOLE,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=env,
        cwd=Path(__file__).parents[2],
        preexec_fn=own_terminal,
    )
    os.close(theirs)
    drawn = b""
    while b"certdeck" not in drawn:
        assert select.select([ours], [], [], SETTLED_SECONDS)[0], drawn
        drawn += os.read(ours, 65536)
    return process, ours


@pytest.mark.parametrize("controls", [True, False], ids=["hung-up", "nobody-said-so"])
@pytest.mark.parametrize("keys", [b"", b"?"], ids=["home", "help"])
def test_the_process_ends_with_its_terminal(home: Path, controls: bool, keys: bytes) -> None:
    """Whether the system hangs it up or only the reads end, the console ends by itself within seconds."""
    process, terminal = started(home, controls=controls)
    os.write(terminal, keys)
    os.close(terminal)
    try:
        assert process.wait(SETTLED_SECONDS) == 129
    finally:
        process.kill()
        process.wait()
