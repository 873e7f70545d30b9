"""When the name servers are asked again, and when the order goes on by itself. Pure: time comes in as seconds that never jump."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from core.errors import CertdeckError
from core.operations import RecordView

FIRST_PAUSE: Final = 2.0
"""Seconds between the first looks: whoever has just set a record wants to see it."""
LONGEST_PAUSE: Final = 15.0
_GROWTH: Final = 1.25
LONG_LOOK: Final = 1.0
COUNTDOWN: Final = 5.0
"""Seconds in which the order can still be held back once every server has every record."""
BUSY_COUNTDOWN: Final = 15.0
"""The same after somebody else held the lock."""


def pause_after(looks: int) -> float:
    """Return how long to wait after so many looks."""
    return float(min(FIRST_PAUSE * _GROWTH ** max(looks - 1, 0), LONGEST_PAUSE))


class Watch(Struct):
    """What is known of the name servers, and what comes next."""

    by_itself: bool = True
    """Go on without being asked once every server has every record."""
    views: tuple[RecordView, ...] = ()
    looked_at: datetime | None = None
    next_look: datetime | None = None
    """By the wall clock, for people."""
    is_looking: bool = False
    error: CertdeckError | None = None
    """Why the last look found nothing."""
    looks: int = 0
    """Since the pauses began short."""
    _began_at: float = 0.0
    _next_at: float = 0.0
    _answer_at: float | None = None

    @property
    def is_ready(self) -> bool:
        """Every server that answers has every record."""
        return bool(self.views) and all(view.is_seen for view in self.views)

    def missing(self) -> list[str]:
        """Return the servers that answer and do not have every record, by name."""
        found = (
            one.server
            for view in self.views
            for one in view.servers
            if one.state in ("lacks", "refuses") and one.server
        )
        return list(dict.fromkeys(found))

    # -- looking -----------------------------------------------------------------------------------------------------

    def is_due(self, at: float) -> bool:
        """Tell whether to look now. Not while the countdown runs: what it waits for has been seen."""
        return not self.is_looking and self._answer_at is None and at >= self._next_at

    def begin(self, at: float) -> None:
        """A look has begun."""
        self.is_looking, self._began_at = True, at

    def takes_long(self, at: float) -> bool:
        """Tell whether a look is under way for so long that it is worth a word."""
        return self.is_looking and at - self._began_at >= LONG_LOOK

    def took(self, found: Sequence[RecordView] | CertdeckError, at: float, now: datetime) -> None:
        """A look has ended."""
        self.is_looking = False
        self.looks += 1
        pause = pause_after(self.looks)
        self._next_at, self.next_look = at + pause, now + timedelta(seconds=pause)
        if isinstance(found, CertdeckError):
            self.error = found
            return
        self.views, self.looked_at, self.error = tuple(found), now, None
        if not self.is_ready:
            self._answer_at = None
        elif self.by_itself and self._answer_at is None:
            self._answer_at = at + COUNTDOWN

    def found(self, views: Sequence[RecordView], now: datetime) -> None:
        """Somebody else looked, and not every server had every record."""
        if views:
            self.views, self.looked_at = tuple(views), now
        self._answer_at = None

    def pause(self) -> None:
        """Stop the countdown: nobody sees it."""
        self._answer_at = None

    def look_soon(self) -> None:
        """Look as soon as possible, and often again."""
        self.looks, self._next_at, self._answer_at = 0, 0.0, None

    # -- going on by itself ------------------------------------------------------------------------------------------

    def seconds_to_answer(self, at: float) -> float | None:
        """Return what is left of the countdown; None: there is none."""
        return None if self._answer_at is None else max(self._answer_at - at, 0.0)

    def toggle(self, at: float) -> None:
        """Go on by itself, or wait for the person; begins or stops the countdown."""
        self.by_itself = not self.by_itself
        self._answer_at = at + COUNTDOWN if self.by_itself and self.is_ready else None

    def hold(self) -> None:
        """Wait for the person from now on: it was tried, and did not work."""
        self.by_itself, self._answer_at = False, None

    def postpone(self, at: float) -> None:
        """Count once more, longer: somebody else is at work."""
        if self._answer_at is not None or (self.by_itself and self.is_ready):
            self._answer_at = at + BUSY_COUNTDOWN
