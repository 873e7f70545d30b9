"""When the name servers are queried again and when the order continues automatically. Pure: it takes monotonic seconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from core.errors import CertdeckError
from core.operations import RecordView

FIRST_PAUSE: Final = 2.0
"""Seconds between the first checks, which are frequent because a record may just have been set."""
LONGEST_PAUSE: Final = 15.0
_GROWTH: Final = 1.25
LONG_LOOK: Final = 1.0
COUNTDOWN: Final = 5.0
"""Seconds in which the order can still be stopped after every server has every record."""
BUSY_COUNTDOWN: Final = 15.0
"""The same, after another process held the lock."""


def pause_after(looks: int) -> float:
    """Return the seconds to wait after that many checks."""
    return float(min(FIRST_PAUSE * _GROWTH ** max(looks - 1, 0), LONGEST_PAUSE))


class Watch(Struct):
    """The state at the name servers, and what happens next."""

    by_itself: bool = True
    """Continue automatically once every server has every record."""
    views: tuple[RecordView, ...] = ()
    looked_at: datetime | None = None
    next_look: datetime | None = None
    """Wall clock time, for display."""
    is_looking: bool = False
    error: CertdeckError | None = None
    """Why the last check failed."""
    looks: int = 0
    """Checks since the pauses were last reset to short."""
    _began_at: float = 0.0
    _next_at: float = 0.0
    _answer_at: float | None = None

    @property
    def is_ready(self) -> bool:
        """Whether every responding server has every record."""
        return bool(self.views) and all(view.is_seen for view in self.views)

    def missing(self) -> list[str]:
        """Return the names of the responding servers that lack a record."""
        found = (
            one.server
            for view in self.views
            for one in view.servers
            if one.state in ("lacks", "refuses") and one.server
        )
        return list(dict.fromkeys(found))

    # -- looking -----------------------------------------------------------------------------------------------------

    def is_due(self, at: float) -> bool:
        """Return whether to check now. Not during the countdown, which starts when all records have been seen."""
        return not self.is_looking and self._answer_at is None and at >= self._next_at

    def begin(self, at: float) -> None:
        """Record that a check has begun."""
        self.is_looking, self._began_at = True, at

    def takes_long(self, at: float) -> bool:
        """Return whether a check has been running so long that this should be shown."""
        return self.is_looking and at - self._began_at >= LONG_LOOK

    def took(self, found: Sequence[RecordView] | CertdeckError, at: float, now: datetime) -> None:
        """Record the result of a check."""
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
        """Record that a check elsewhere found records missing."""
        if views:
            self.views, self.looked_at = tuple(views), now
        self._answer_at = None

    def pause(self) -> None:
        """Stop the countdown because it is not visible."""
        self._answer_at = None

    def look_soon(self) -> None:
        """Check as soon as possible, and frequently again."""
        self.looks, self._next_at, self._answer_at = 0, 0.0, None

    # -- going on by itself ------------------------------------------------------------------------------------------

    def seconds_to_answer(self, at: float) -> float | None:
        """Return the seconds left of the countdown; None if there is none."""
        return None if self._answer_at is None else max(self._answer_at - at, 0.0)

    def toggle(self, at: float) -> None:
        """Set whether to continue automatically or wait for the user; starts or stops the countdown."""
        self.by_itself = not self.by_itself
        self._answer_at = at + COUNTDOWN if self.by_itself and self.is_ready else None

    def hold(self) -> None:
        """Wait for the user from now on, after an attempt failed."""
        self.by_itself, self._answer_at = False, None

    def postpone(self, at: float) -> None:
        """Restart a longer countdown because another process holds the lock."""
        if self._answer_at is not None or (self.by_itself and self.is_ready):
            self._answer_at = at + BUSY_COUNTDOWN
