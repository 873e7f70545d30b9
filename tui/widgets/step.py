"""One line of progress: its title, its state, and when it began and ended."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct

WAITING: Final = "waiting"
RUNNING: Final = "running"
DONE: Final = "done"
FAILED: Final = "failed"
WARNED: Final = "warned"


class Step(Struct):
    """One line of progress."""

    label: str
    detail: str = ""
    state: str = WAITING
    """`waiting`, `running`, `done`, `failed`, `warned`."""
    began: datetime | None = None
    ended: datetime | None = None

    def start(self, at: datetime, detail: str = "") -> None:
        """Begin, or continue with another text."""
        if self.state in (WAITING, RUNNING):
            self.state = RUNNING
            self.began = self.began or at
            self.detail = detail or self.detail

    def end(self, at: datetime, detail: str = "", state: str = DONE) -> None:
        """End the step."""
        self.state, self.ended = state, at
        self.began = self.began or at
        self.detail = detail or self.detail

    def seconds(self, now: datetime) -> float | None:
        """Return how long it took, or has taken so far."""
        if self.began is None or self.state == WAITING:
            return None
        return max(((self.ended or now) - self.began).total_seconds(), 0.0)
