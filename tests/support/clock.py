"""Time and chance held by the test."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta

from core.ports import CancelToken

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class FakeClock:
    """A clock that only sleeping, or the test, moves. Thread-safe."""

    def __init__(self, now: datetime = NOON) -> None:
        self._start = now
        self._passed = 0.0
        self._lock = threading.Lock()
        self.naps: list[float] = []
        """Every sleep, in seconds."""

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return 1000.0 + self._passed

    def sleep(self, seconds: float, cancel: CancelToken) -> None:
        cancel.check()
        with self._lock:
            self.naps.append(seconds)
            self._passed += max(0.0, seconds)
        cancel.check()

    def advance(self, **duration: float) -> None:
        """Let time pass: `advance(days=3)`."""
        with self._lock:
            self._passed += timedelta(**duration).total_seconds()

    def set(self, now: datetime) -> None:
        """Put the wall clock somewhere else without letting time pass."""
        self._start = now - timedelta(seconds=self._passed)


class FakeRandom:
    """The same numbers in every run."""

    def __init__(self, seed: int = 1) -> None:
        self._source = random.Random(seed)

    def token_bytes(self, count: int) -> bytes:
        return self._source.randbytes(count)

    def uniform(self, low: float, high: float) -> float:
        return self._source.uniform(low, high)
