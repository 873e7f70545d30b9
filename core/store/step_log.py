"""`log/certdeck.log` with every step of every run, with `[log] level = "debug"`: for unattended runs (CC-26).

The same lines as for the system's log, so they hold no secret. The file is 0600 and starts again at 5 MB; one older one is kept.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

DEBUG = "debug"
MOST_BYTES = 5_000_000
_LEVELS = {3: "ERROR", 4: "WARNING", 6: "INFO"}


class StepLog:
    """The port `SystemLog`, onto a file."""

    def __init__(self, path: Path, now: datetime) -> None:
        """`now`: when what is written happened."""
        self._path = path
        self._now = now

    def write(self, message: str, priority: int, fields: Mapping[str, str]) -> None:
        """Append one line. Never raises: a log that cannot be written must not stop the work."""
        said = "".join(f" {name}={value!r}" for name, value in fields.items())
        at = self._now.astimezone(UTC)
        line = f"{at:%Y-%m-%dT%H:%M:%S}Z {_LEVELS.get(priority, 'INFO')} {message}{said}\n"
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with suppress(FileNotFoundError):
                if self._path.stat().st_size > MOST_BYTES:
                    os.replace(self._path, f"{self._path}.1")
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            handle = os.open(self._path, flags, 0o600)
            try:
                # One call: lines of several threads stay whole.
                os.write(handle, line.encode("utf-8", "backslashreplace"))
            finally:
                os.close(handle)
