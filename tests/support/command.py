"""`certdeck` as a call: arguments in; exit status, stdout and stderr out.

answer = command("status", "--json", engine=FakeEngine())    # in this process, over a double
answer = process("--renew", home=home)                       # in a process of its own, over the real world
answer.json                                                  # fails unless stdout is exactly one JSON object
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import warm
from tests.support.fake_engine import FakeEngine
from tui.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = [sys.executable, "-c", "from tui.__main__ import program; program()"]

OF_THE_START = ("PYTHON", "LANG", "LC_", "LD_")
"""Beginnings of the variables that count while Python or its libraries start."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a command came back with."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Return the one JSON object on stdout."""
        value = json.loads(self.out)
        assert isinstance(value, dict), self.out
        assert self.out.endswith("}\n"), self.out
        return value

    @property
    def error(self) -> dict[str, Any]:
        """Return the error of a failure under --json: nothing else is in the object."""
        assert list(self.json) == ["error"], self.out
        error: dict[str, Any] = self.json["error"]
        return error


class FakeStream(io.StringIO):
    """A text stream that says of itself what the test wants."""

    def __init__(self, text: str = "", *, terminal: bool = False, encoding: str = "utf-8") -> None:
        super().__init__(text)
        self._terminal = terminal
        self._encoding = encoding

    @property
    def encoding(self) -> str:
        return self._encoding

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        text.encode(self._encoding)  # as strict as a real stream
        return super().write(text)


@contextlib.contextmanager
def _standard_input(stream: FakeStream) -> Iterator[None]:
    before, sys.stdin = sys.stdin, stream
    try:
        yield
    finally:
        sys.stdin = before


def command(
    *argv: str, engine: FakeEngine | None = None, terminal: bool = False, typed: str = "", encoding: str = "utf-8"
) -> Answer:
    """Run a command in this process over a double of the engine.

    Args:
        terminal: all three streams are a terminal, and `typed` is what the person there types.
        encoding: of stdout and stderr.
    """
    fake: Any = engine or FakeEngine()
    out, err = (FakeStream(terminal=terminal, encoding=encoding) for _ in range(2))
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        _standard_input(FakeStream(typed, terminal=terminal)),
    ):
        status = main(list(argv), engine_factory=lambda: fake)
    return Answer(status=status, out=out.getvalue(), err=err.getvalue())


def environment_for(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a certdeck process."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home.parent),
        "CERTDECK_HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        **more,
    }


def process(
    *argv: str,
    home: Path,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    timeout: float = 100,
    before: Sequence[str] = (),
    fresh: bool = False,
) -> Answer:
    """Run a command in a process of its own.

    Args:
        env: added to its environment.
        before: a program that starts it, such as `env` or `setpriv`.
        fresh: start a Python for it, in a test of how certdeck starts; the others fork one (`tests/support/warm.py`).
    """
    variables = environment_for(home, **(env or {}))
    if fresh or before or any(name.startswith(OF_THE_START) for name in env or {}):
        done = subprocess.run(
            [*before, *SCRIPT, *argv],
            check=False,
            cwd=ROOT,
            env=variables,
            input=stdin,
            capture_output=True,
            timeout=timeout,
        )
    else:
        done = warm.run(argv, env=variables, stdin=stdin, timeout=timeout)
    return Answer(status=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())


@contextlib.contextmanager
def started(
    *argv: str, home: Path, env: Mapping[str, str] | None = None, before: Sequence[str] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command in a process of its own, for a test that does something to it meanwhile; it is gone afterwards."""
    # Whoever starts the tests in the background has them ignore these two, and children inherit that.
    with subprocess.Popen(
        ["env", "--default-signal=INT,HUP", *before, *SCRIPT, *argv],
        cwd=ROOT,
        env=environment_for(home, **(env or {})),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        try:
            yield child
        finally:
            child.kill()
