"""The machine's clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from core.ports import CancelToken


class SystemClock:
    """The port `Clock`: the time of this machine. A cancellation ends a sleep."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float, cancel: CancelToken) -> None:
        cancel.wait(max(0.0, seconds))
