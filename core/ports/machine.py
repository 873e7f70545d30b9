"""This machine: its clocks, randomness, programs and log, and the token by which one thread cancels another."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Protocol

from msgspec import Struct, field

from core.errors import Cancelled


class CancelToken:
    """Lets one thread ask another to stop. Waiting on it ends as soon as it is set."""

    __slots__ = ("_is_set", "_runs")

    def __init__(self) -> None:
        self._is_set = False
        # Held until the token is set. Not an Event: a signal handler that sets it deadlocks if it has interrupted a method of that
        # Event. Not a SimpleQueue: its `get` waits forever if a handler returns, or the process continues, after the timeout.
        self._runs = Lock()
        self._runs.acquire()

    def cancel(self) -> None:
        """Ask to stop. Idempotent; may be called from any thread and from a signal handler."""
        if not self._is_set:
            self._is_set = True
            self._wake_one()

    @property
    def is_cancelled(self) -> bool:
        return self._is_set

    def check(self) -> None:
        """Raise Cancelled (`cancelled`) if the token is set."""
        if self._is_set:
            raise Cancelled(
                "The operation was cancelled.",
                "It was stopped on request.",
                "Start it again at any time; an open order continues where it stopped.",
            )

    def wait(self, seconds: float) -> None:
        """Block for `seconds`, or raise Cancelled (`cancelled`) as soon as the token is set."""
        self.check()
        if self._runs.acquire(timeout=max(0.0, seconds)):
            self._wake_one()  # each wakes the next one
            self.check()

    def _wake_one(self) -> None:
        with contextlib.suppress(RuntimeError):  # a signal handler, or another thread, has already released it
            self._runs.release()


class Clock(Protocol):
    """The time of this machine. Tests move it."""

    def now(self) -> datetime:
        """Return the wall clock, aware UTC."""

    def monotonic(self) -> float:
        """Return seconds of a clock that never jumps."""

    def sleep(self, seconds: float, cancel: CancelToken) -> None:
        """Block for `seconds`; raise Cancelled as soon as `cancel` is set."""


class Random(Protocol):
    """The system's randomness. In tests it is reproducible."""

    def token_bytes(self, count: int) -> bytes:
        """Return `count` cryptographically secure bytes."""

    def uniform(self, low: float, high: float) -> float:
        """Return a float in [low, high]."""


OUTPUT_LIMIT_BYTES = 16 * 1024
"""Default limit of a program's output that is kept."""


class Completed(Struct, frozen=True, kw_only=True):
    """The result of a child process."""

    returncode: int
    """Exit status; negative: killed by that signal."""
    output: str
    """stdout and stderr together, decoded with replacement characters; only the last `output_limit` bytes."""
    timed_out: bool = False


class Runner(Protocol):
    """Runs programs."""

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        cancel: CancelToken | None = None,
        extra_env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        output_limit: int = OUTPUT_LIMIT_BYTES,
    ) -> Completed:
        """Run a program without a shell, in its own process group, with a cleaned environment.

        Ends the whole group after `timeout` seconds. For a program that cannot be started, the result has returncode 127 and the
        reason in `output`.

        Args:
            output_limit: bytes of the output to keep, the last ones.
        """


class SystemLog(Protocol):
    """The system's log."""

    def write(self, message: str, priority: int, fields: Mapping[str, str]) -> None:
        """Write one line to the system's log. Never raises, never blocks.

        Args:
            priority: 3 error, 4 warning, 6 information (syslog(3)).
            fields: names in lower case, letters and `_`; if the log has no fields, they are appended to the message.
        """


class NoSystemLog(Struct, frozen=True):
    """The default: there is no system log."""

    def write(self, message: str, priority: int, fields: Mapping[str, str]) -> None:
        """Write nothing."""


class Host(Protocol):
    """This machine: its name, addresses, accounts and trusted roots."""

    def name(self) -> str:
        """Return the fully qualified host name, otherwise the short one."""

    def addresses(self) -> Sequence[str]:
        """Return the addresses of this box that others can reach: no loopback, no link-local."""

    def resolve(self, name: str) -> Sequence[str]:
        """Return the IPv4 and IPv6 addresses of `name`; empty if it does not resolve. Blocks for some seconds at most."""

    def listening(self, port: int) -> Sequence[str]:
        """Return a description of each listener on a TCP port, one entry per address, for people."""

    def trusted_roots(self) -> str | None:
        """Return the path of the system's trusted root certificates; None if it has none."""

    def user(self) -> str:
        """Return who runs this process: `name`, or `name (via sudo)`, or `systemd`."""


class RunningProgram(Struct, frozen=True, kw_only=True):
    """A program on this box that accepts TCP connections or datagrams. Everything except its numbers is foreign text."""

    name: str
    """File name of its executable, or its process name if the executable cannot be determined."""
    path: str = ""
    """Path of its executable; empty if that cannot be determined."""
    pid: int
    uid: int
    """Effective user: root, or the service's own account."""
    arguments: tuple[str, ...] = ()
    """Its current arguments: some programs overwrite them with a title."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that name a configuration folder."""
    sockets: tuple[tuple[str, int], ...] = ()
    """Address and port of each listening TCP socket; `0.0.0.0` and `::` mean all addresses."""
    folder: str = ""
    """Its working folder."""
    is_contained: bool = False
    """It has a different root file system: its paths are not those of this box."""
    is_private: bool = False
    """It has its own mount namespace: its /tmp may be a different one (systemd's `PrivateTmp=`)."""


class Places(Struct, frozen=True, kw_only=True):
    """Where this box keeps what starts programs automatically."""

    units: Path = Path("/etc/systemd/system")
    systemd: Path = Path("/run/systemd/system")
    """A folder that exists if systemd runs this box."""
    cron: Path = Path("/etc/cron.d")
    root: Path = Path("/")
    """Where the folders of other programs are searched."""
    is_root: bool = False
    program: Callable[[], str | None] = lambda: None
    """Returns the absolute path of the running installation's `certdeck` script; None if there is none."""
