"""The system's log over real sockets: journald's own protocol, syslog's, and neither."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.system.system_log import LocalLog


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with a path short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="log"))
    yield folder
    shutil.rmtree(folder)


def listening(path: Path) -> socket.socket:
    """Return a bound socket."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind(str(path))
    made.settimeout(5)
    return made


def test_journald_gets_fields(place: Path) -> None:
    """One datagram with a field a line; foreign line ends cannot make a field of their own."""
    with listening(place / "journal") as sock:
        log = LocalLog(place / "journal", place / "syslog")
        log.write("shop: it failed\nPRIORITY=0", 3, {"event": "failed", "code": "x\nSYSLOG_IDENTIFIER=sshd"})
        lines = sock.recv(65536).decode().splitlines()
    assert lines == [
        "MESSAGE=shop: it failed PRIORITY=0",
        "PRIORITY=3",
        "SYSLOG_IDENTIFIER=certdeck",
        "CERTDECK_EVENT=failed",
        "CERTDECK_CODE=x SYSLOG_IDENTIFIER=sshd",
    ]


def test_syslog_gets_a_line(place: Path) -> None:
    """Without journald the fields stand behind the message, quoted where they have blanks."""
    with listening(place / "syslog") as sock:
        LocalLog(place / "journal", place / "syslog").write("it failed", 3, {"event": "failed", "why": "no way"})
        said = sock.recv(65536).decode()
    assert said.startswith("<27>certdeck[")
    assert said.endswith(']: it failed event=failed why="no way"')


def test_no_log_is_no_failure(place: Path) -> None:
    """Without a socket, or with one that nobody reads, nothing is raised and nothing waits."""
    log = LocalLog(place / "journal", place / "syslog")
    log.write("x", 6, {})
    listening(place / "journal").close()
    log.write("x", 6, {})
