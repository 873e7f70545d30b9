"""Time as the machine has it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from core.ports import CancelToken


class SystemClock:
    """The port `Clock`: the time of this machine; sleeping ends when somebody asks to stop."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float, cancel: CancelToken) -> None:
        cancel.wait(max(0.0, seconds))
