"""When the scheduled run is due: times of day, on every day or one day of the week. Pure arithmetic on local wall-clock time.

The presets are twice a day, as Let's Encrypt recommends for ARI, and those of the reference systems: daily at 03:00
(ST-28) and Sundays at 23:30 (SO-35). The random delay of up to an hour keeps many boxes from contacting a CA at the same time
(SF-14).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from msgspec import Struct

from core.errors import UsageError

PRESETS = ("twice-daily", "daily", "weekly")
RANDOM_DELAY = timedelta(hours=1)
_LATE = 1.5
"""Times the longest interval: a run that is later than that, plus its delay, was missed."""
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SUNDAY = 6
_MOST_TIMES = 24
_DAY = timedelta(days=1)


class Timetable(Struct, frozen=True):
    """The times at which the run is due."""

    times: tuple[time, ...]
    """Local times, in order, without seconds; at least one."""
    weekday: int | None = None
    """0 is Monday; None is every day."""

    @property
    def preset(self) -> str:
        """The name of the matching preset of `schedule on --preset`, or `custom`."""
        if self.weekday is not None:
            return "weekly" if len(self.times) == 1 else "custom"
        return {1: "daily", 2: "twice-daily"}.get(len(self.times), "custom")

    @property
    def clock_times(self) -> tuple[str, ...]:
        """The times as text: `03:00`, `15:00`."""
        return tuple(f"{each:%H:%M}" for each in self.times)

    @property
    def words(self) -> str:
        """The whole timetable as text: `every day at 03:00 and 15:00`."""
        *first, last = self.clock_times
        when = f"{', '.join(first)} and {last}" if first else last
        return f"every {'day' if self.weekday is None else DAYS[self.weekday]} at {when}"

    @property
    def rhythm(self) -> str:
        """`every 3 hours` if all intervals are equal, otherwise `words`."""
        pause = self.longest_pause
        if self.weekday is None and len(self.times) > 2 and pause * len(self.times) == _DAY:
            hours = pause // timedelta(hours=1)
            return "every hour" if hours == 1 else f"every {hours} hours"
        return self.words

    @property
    def longest_pause(self) -> timedelta:
        """The longest time between two runs."""
        minutes = [each.hour * 60 + each.minute for each in self.times]
        cycle = 24 * 60 * (1 if self.weekday is None else 7)
        pauses = [after - before for before, after in zip(minutes, [*minutes[1:], minutes[0] + cycle], strict=True)]
        return timedelta(minutes=max(pauses))

    @property
    def missed_after(self) -> timedelta:
        """How long after a run the next one counts as missed."""
        return self.longest_pause * _LATE + RANDOM_DELAY

    @property
    def random_delay(self) -> timedelta:
        """The maximum random delay of a run; shorter if runs are close together, so that two of them stay apart."""
        return min(RANDOM_DELAY, self.longest_pause / 4)

    def next_run(self, now: datetime) -> datetime:
        """Return the first due time after `now` (aware UTC), by this box's time zone and without random delays."""
        today = now.astimezone().date()
        for days in range(9):
            day = today + days * _DAY
            if self.weekday is not None and day.weekday() != self.weekday:
                continue
            for each in self.times:
                moment = datetime.combine(day, each).astimezone(UTC)
                if moment > now:
                    return moment
        raise AssertionError("a week has all days")

    def later_by(self, minutes: int) -> Timetable:
        """Return a timetable with every time moved; at most by `most_delay_minutes`."""
        moved = [each.hour * 60 + each.minute + minutes for each in self.times]
        return Timetable(tuple(time(each // 60, each % 60) for each in moved), self.weekday)

    @property
    def most_delay_minutes(self) -> int:
        """The maximum delay, less than an hour, that moves no time to another day."""
        last = self.times[-1]
        return min(59, 23 * 60 + 59 - last.hour * 60 - last.minute)


TWICE_DAILY = Timetable((time(3), time(15)))
_TABLES = {
    "twice-daily": TWICE_DAILY,
    "daily": Timetable((time(3),)),
    "weekly": Timetable((time(23, 30),), _SUNDAY),
}


def timetable_for(preset: str | None, at: Sequence[str]) -> Timetable:
    """Return the requested timetable: a preset, times of day (`03:00`), or a preset at other times.

    Raises UsageError (`usage`).
    """
    if preset is not None and preset not in _TABLES:
        raise UsageError(
            f"There is no preset {preset!r}.",
            "A preset sets how often the scheduled run starts.",
            f"Use one of {', '.join(PRESETS)}, or give times of day.",
        )
    base = _TABLES[preset or "twice-daily"]
    if not at:
        return base
    found = Timetable(tuple(sorted({clock_time(each) for each in at})), base.weekday)
    if len(found.times) > _MOST_TIMES:
        raise UsageError(
            f"{len(found.times)} times a day are too many.",
            "Each run sends requests to CAs, which limit them.",
            f"Give at most {_MOST_TIMES} times.",
        )
    if preset in ("daily", "twice-daily") and len(found.times) != len(base.times):
        raise UsageError(
            f"{preset} does not match {len(found.times)} time{'s' if len(found.times) > 1 else ''} of day.",
            f"It needs {len(base.times)}.",
            "Give that many times, or omit the preset: times alone mean every day.",
        )
    return found


def clock_time(text: str) -> time:
    """Return the time of day in `03:00` or `3:00`. Raises UsageError (`usage`)."""
    found = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", text.strip())
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise UsageError(
            f"{text!r} is not a valid time of day.",
            "A time of day is from 00:00 to 23:59.",
            "Write it as 03:00 or 23:30.",
        )
    return time(int(found[1]), int(found[2]))


def fitting(before_end_seconds: float) -> Timetable:
    """Return the least frequent timetable, twice a day or more often, that is frequent enough for a certificate.

    If even every hour is not enough, that is returned.

    Args:
        before_end_seconds: see `too_rare`.
    """
    for hours in (12, 8, 6, 4, 3, 2):
        found = _every(hours)
        if not too_rare(found, before_end_seconds):
            return found
    return _every(1)


def _every(hours: int) -> Timetable:
    first = 3 % hours
    return Timetable(tuple(time(hour) for hour in range(first, 24, hours)))


def too_rare(timetable: Timetable, before_end_seconds: float) -> bool:
    """Return whether a certificate could expire between two runs.

    Two runs have to fit between the time when it is due and its expiry: one may fail, and a CA's advice (ARI) may come as late
    as half of that time. So a week is too long for lifetimes below 42 days, such as the 160 hours of `shortlived`.

    Args:
        before_end_seconds: seconds from the time when it is due to its expiry.
    """
    return timetable.longest_pause.total_seconds() > before_end_seconds / 2
