"""How often and how long a stumbling CA is asked again: about five times, within a minute."""

from __future__ import annotations

from datetime import datetime

from core.errors import CertdeckError
from core.ports import CancelToken, Clock, Random

PAUSES_SECONDS = (0.25, 1.0, 3.0, 8.0)
WHOLE_SECONDS = 60.0
SHORT_SECONDS = 10.0
"""A rate limit that ends within this time is waited for; a longer one is the caller's to plan with."""


class Patience:
    """One request's patience."""

    def __init__(self, clock: Clock, random: Random, cancel: CancelToken) -> None:
        self._clock = clock
        self._random = random
        self._cancel = cancel
        self._started = clock.monotonic()
        self._pauses = iter(PAUSES_SECONDS)

    def is_short(self, until: datetime | None) -> bool:
        """Return whether the server names a moment, and it is near."""
        return until is not None and (until - self._clock.now()).total_seconds() <= SHORT_SECONDS

    def wait_or_raise(self, error: CertdeckError, until: datetime | None = None) -> None:
        """Wait a little longer than last time, not less than until `until`; raise `error` when that would be too long."""
        pause = next(self._pauses, None)
        if pause is None:
            raise error
        pause *= self._random.uniform(0.8, 1.2)  # many boxes must not come back in the same instant
        if until is not None:
            pause = max(pause, (until - self._clock.now()).total_seconds())
        if self._clock.monotonic() - self._started + pause > WHOLE_SECONDS:
            raise error
        self._clock.sleep(pause, self._cancel)
