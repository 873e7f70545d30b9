"""Writes to the system log: to journald in its own protocol, with fields; else to syslog (RFC 3164), with fields in the text."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

JOURNAL = Path("/run/systemd/journal/socket")
SYSLOG = Path("/dev/log")
_NAME = "certdeck"
_DAEMON = 3 << 3
"""Syslog facility: system daemon."""
_MOST_BYTES = 32 * 1024
"""Limit of a message: a datagram that is too long is lost completely."""


class LocalLog:
    """The port `SystemLog`."""

    def __init__(self, journal: Path = JOURNAL, syslog: Path = SYSLOG) -> None:
        self._journal = journal
        self._syslog = syslog

    def write(self, message: str, priority: int, fields: Mapping[str, str]) -> None:
        message = _line(message)
        if self._journal.exists():
            own = {"MESSAGE": message, "PRIORITY": str(priority), "SYSLOG_IDENTIFIER": _NAME}
            named = {f"CERTDECK_{name.upper()}": _line(value) for name, value in fields.items()}
            text = "".join(f"{name}={value}\n" for name, value in (own | named).items())
            self._send(self._journal, text)
        elif self._syslog.exists():
            said = "".join(f" {name}={_quoted(_line(value))}" for name, value in fields.items())
            self._send(self._syslog, f"<{_DAEMON | priority}>{_NAME}[{os.getpid()}]: {message}{said}")

    def _send(self, place: Path, text: str) -> None:
        import socket

        # A log that does not accept messages must neither stop nor delay the work.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.connect(str(place))
            sock.send(text.encode("utf-8", "replace"))


def _line(text: str) -> str:
    return " ".join(text.split())[: _MOST_BYTES // 16]


def _quoted(value: str) -> str:
    return value if value and " " not in value and '"' not in value else '"' + value.replace('"', "'") + '"'
