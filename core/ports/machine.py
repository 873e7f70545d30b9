"""This machine: its clocks, randomness, programs and log, and how one thread asks another to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field

from core.errors import Cancelled


class CancelToken:
    """Lets one thread ask another to stop. Waiting on it ends at once when it is set."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask to stop. Idempotent, any thread."""
        self._event.set()

    @property
    def is_cancelled(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raise Cancelled (`cancelled`) when somebody asked to stop."""
        if self._event.is_set():
            raise Cancelled(
                "The operation was cancelled.",
                "It was stopped on request.",
                "Start it again at any time; an open order continues where it stopped.",
            )

    def wait(self, seconds: float) -> None:
        """Block for `seconds`, or raise Cancelled (`cancelled`) as soon as somebody asks to stop."""
        self._event.wait(seconds)
        self.check()


class Clock(Protocol):
    """The time of this machine. Tests move it."""

    def now(self) -> datetime:
        """Return the wall clock, aware UTC."""

    def monotonic(self) -> float:
        """Return seconds of a clock that never jumps."""

    def sleep(self, seconds: float, cancel: CancelToken) -> None:
        """Block for `seconds`; raise Cancelled at once when asked to."""


class Random(Protocol):
    """Randomness of the system. In tests it repeats."""

    def token_bytes(self, count: int) -> bytes:
        """Return `count` bytes fit for cryptography."""

    def uniform(self, low: float, high: float) -> float:
        """Return a float in [low, high]."""


OUTPUT_LIMIT_BYTES = 16 * 1024
"""What is kept of a program's output, unless more is asked for."""


class Completed(Struct, frozen=True, kw_only=True):
    """A child process that ended."""

    returncode: int
    """Negative: killed by that signal."""
    output: str
    """stdout and stderr together, decoded with replacement, the last `output_limit` bytes."""
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
        """Run a program without a shell, in its own process group, with a scrubbed environment.

        Ends the whole group when it takes longer than `timeout` seconds. A program that cannot be started comes back as
        returncode 127 with the reason in `output`.

        Args:
            output_limit: bytes of the output that are kept, the last ones.
        """


class SystemLog(Protocol):
    """The system's log."""

    def write(self, message: str, priority: int, fields: Mapping[str, str]) -> None:
        """Write one line to the system's log. Never raises, never waits.

        Args:
            priority: 3 error, 4 warning, 6 information (syslog(3)).
            fields: names in lower case, letters and `_`; where the log has no fields they stand behind the message.
        """


class NoSystemLog(Struct, frozen=True):
    """Where there is no log of the system's."""

    def write(self, message: str, priority: int, fields: Mapping[str, str]) -> None:
        """Write nothing."""


class Host(Protocol):
    """This machine: its name, addresses, accounts and trusted roots."""

    def name(self) -> str:
        """Return the fully qualified host name, or the short one."""

    def addresses(self) -> Sequence[str]:
        """Return the addresses of the box that others can reach: no loopback, no link-local."""

    def resolve(self, name: str) -> Sequence[str]:
        """Return the IPv4 and IPv6 addresses of `name`; empty when it does not resolve. Blocks for seconds at worst."""

    def listening(self, port: int) -> Sequence[str]:
        """Return who listens on a TCP port and on which address, one entry for each address, for people."""

    def trusted_roots(self) -> str | None:
        """Return where the system keeps the certificate authorities that it trusts (path); None where it has none."""

    def user(self) -> str:
        """Return who does this: `name`, or `name (via sudo)`, or `systemd`."""


class RunningProgram(Struct, frozen=True, kw_only=True):
    """A program of this box that takes TCP connections or datagrams. Everything but its numbers is foreign text."""

    name: str
    """File name of its executable, or what it calls itself where the executable cannot be seen."""
    path: str = ""
    """Of its executable; empty where that cannot be seen."""
    pid: int
    uid: int
    """Effective user: root, or the service's own account."""
    arguments: tuple[str, ...] = ()
    """As the process shows them now: some programs write a title over them."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Of its environment, those that name a folder of configuration."""
    sockets: tuple[tuple[str, int], ...] = ()
    """Address and port of each listening TCP socket; `0.0.0.0` and `::` are all addresses."""
    folder: str = ""
    is_contained: bool = False
    """It sees another root file system: its paths are not those of this box."""
    is_private: bool = False
    """It has a mount namespace of its own: its /tmp may be another one (systemd's `PrivateTmp=`)."""


class Places(Struct, frozen=True, kw_only=True):
    """Where this box keeps what starts programs by themselves."""

    units: Path = Path("/etc/systemd/system")
    systemd: Path = Path("/run/systemd/system")
    """A folder that is there when systemd runs the box."""
    cron: Path = Path("/etc/cron.d")
    root: Path = Path("/")
    """Where other programs' folders are looked for."""
    is_root: bool = False
    program: Callable[[], str | None] = lambda: None
    """Finds the `certdeck` script of the running installation, absolute; None when there is none."""
