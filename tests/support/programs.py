"""Child programs for tests: found, started, waited for by looking, and ended by their own pid."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_GIVEN_OUT = Path(tempfile.gettempdir()) / f"certdeck-test-ports-{os.getuid()}"
"""Has a byte for each port. A test process keeps those of its ports locked until it ends: no other one is given the same."""
_given_out: set[int] = set()
_ports: list[int] = []
"""The open file: POSIX drops the locks as soon as one handle of it is closed."""


class NotThere(RuntimeError):
    """Something that a test waits for did not come, or a program is missing."""


def find_program(name: str) -> str:
    """Return the path of a server program: `.servers/bin` first, then PATH, then where Debian keeps daemons."""
    path = os.pathsep.join(
        [
            str(ROOT / ".servers" / "bin"),
            os.environ.get("PATH", ""),
            "/usr/sbin",
            "/sbin",
            "/usr/bin",
            *map(str, Path("/usr/lib/postgresql").glob("*/bin")),
        ]
    )
    found = shutil.which(name, path=path)
    if found is None:
        raise NotThere(f"{name} is missing: run `make servers` once")
    return found


def free_port() -> int:
    """Return a loopback port that is free for TCP and UDP, below those that outgoing connections use.

    It is never given out twice, not to another test process of this machine either: a server may start long after this.
    """
    chooser = random.Random(os.urandom(8))
    for _ in range(400):
        port = chooser.randrange(10_000, 32_000)
        if port in _given_out or not _is_ours(port):
            continue
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        _given_out.add(port)
        return port
    raise NotThere("no free port")


def _is_ours(port: int) -> bool:
    if not _ports:
        _ports.append(os.open(_GIVEN_OUT, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    try:
        fcntl.lockf(_ports[0], fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


def wait_until(condition: Callable[[], object], what: str, *, timeout: float = 60.0, every: float = 0.01) -> None:
    """Look at `condition` every few milliseconds until it holds; raise NotThere with `what` when it never does."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise NotThere(f"{what} did not happen within {timeout:g} s")
        time.sleep(every)


def answers(port: int) -> bool:
    """Tell whether something accepts TCP connections on a loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(10)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Program:
    """One running child with its output in a file."""

    def __init__(self, argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        self.log = log
        self.argv = list(argv)
        with log.open("ab") as output:
            self._child = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), **(env or {})},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def is_running(self) -> bool:
        return self._child.poll() is None

    def wait_for_port(self, port: int, *, timeout: float = 60.0) -> None:
        """Return as soon as the program accepts connections on `port`."""

        def up() -> bool:
            if not self.is_running:
                raise NotThere(f"{self.argv[0]} ended: {self.log.read_text(errors='replace')[-2000:]}")
            return answers(port)

        wait_until(up, f"{self.argv[0]} listening on {port}", timeout=timeout)

    def stop(self) -> None:
        """End it: politely first, then not. Idempotent."""
        if self.is_running:
            self._child.terminate()
            try:
                self._child.wait(5)
            except subprocess.TimeoutExpired:
                self._child.kill()
        self._child.wait()
