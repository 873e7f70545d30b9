"""A terminal with somebody in front: starts a program on a pseudo-terminal of 80 x 24, presses keys, and says when it answers."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

DOWN, UP, ESCAPE, PALETTE = "\x1b[B", "\x1b[A", "\x1b", "\x10"
_PATIENCE_SECONDS = 60.0
_QUIET_SECONDS = 0.1
_RESTING_SECONDS = 0.002
"""Processor time within the quiet time that a console with nothing to do may take: its clock and its cursor."""
_ANSWERS = {
    b"\x1b[6n": b"\x1b[1;1R",
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",
    b"\x1b[?2048$p": b"\x1b[?2048;0$y",
    b"\x1b[c": b"\x1b[?62;c",
}
"""What programs ask a terminal, and what one says."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came for a key."""

    milliseconds: float
    """Until the last byte, after which it was quiet."""
    size: int
    """Bytes."""


class Typist:
    """A program on a terminal."""

    def __init__(self, pid: int, terminal: int) -> None:
        self._pid = pid
        self._terminal = terminal

    def wait_for(self, text: str) -> None:
        """Wait until a text has been drawn."""
        seen = b""
        while text.encode() not in seen:
            chunk = self._read(_PATIENCE_SECONDS)
            assert chunk, f"{text!r} was not drawn: {seen[-300:]!r}"
            seen += chunk
            seen = seen[-100_000:]

    def press(self, key: str) -> Answered:
        """Press a key and wait until what it draws is drawn."""
        begun = last = time.perf_counter()
        os.write(self._terminal, key.encode())
        size, patience = 0, _PATIENCE_SECONDS
        while True:
            used = self._used_seconds()
            chunk = self._read(patience)
            if chunk:
                last, patience = time.perf_counter(), _QUIET_SECONDS
                size += len(chunk)
            elif not self._is_working(used):
                return Answered((last - begun) * 1000, size)

    def _is_working(self, used: float) -> bool:
        """Tell whether it has done something since it had `used` so much time, or waits for a processor: on a busy machine a
        program that is quiet need not have finished."""
        states = (text.rsplit(")", 1)[1].split()[0] for text in self._of_threads("stat"))
        return self._used_seconds() - used > _RESTING_SECONDS or "R" in states

    def _used_seconds(self) -> float:
        """Return its processor time, to the nanosecond."""
        return sum(int(text.split()[0]) for text in self._of_threads("schedstat")) / 1e9

    def _of_threads(self, name: str) -> Iterator[str]:
        for each in Path(f"/proc/{self._pid}/task").glob(f"*/{name}"):
            with suppress(OSError):  # it has ended
                yield each.read_text()

    def settle(self, seconds: float = 0.5) -> None:
        """Wait until nothing has been drawn for so long."""
        while self._read(seconds):
            pass

    @property
    def cpu_seconds(self) -> float:
        values = Path(f"/proc/{self._pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def peak_mib(self) -> float:
        lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

    def _read(self, seconds: float) -> bytes:
        if not select.select([self._terminal], [], [], seconds)[0]:
            return b""
        try:
            chunk = os.read(self._terminal, 65536)
        except OSError:
            return b""
        for question, answer in _ANSWERS.items():
            if question in chunk:
                os.write(self._terminal, answer)
        return chunk


@contextmanager
def typing_at(argv: Sequence[str], env: Mapping[str, str]) -> Iterator[Typist]:
    """Start a program on a terminal; it is killed in the end."""
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.execve(argv[0], list(argv), {**env, "TERM": "xterm-256color", "COLORTERM": "truecolor"})  # noqa: S606
    try:
        yield Typist(pid, terminal)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
