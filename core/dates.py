"""Dates and times as people read them: `29 Nov 2026 03:00 UTC` in lists and facts, `on 29 Nov 2026 at 03:00 UTC` in sentences.

JSON, files and logs for machines have RFC 3339 instead.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache


def day_shown(at: date) -> str:
    """Return the day of a date, or of a time in its own zone: `29 Nov 2026`."""
    return _day(at.year, at.month, at.day)


def minute_shown(at: datetime) -> str:
    """Return a time in its own zone, which is named: `29 Nov 2026 03:00 UTC`."""
    return f"{day_shown(at)} {at:%H:%M %Z}".rstrip()


def moment_in_words(at: datetime) -> str:
    """Return a time in its own zone as it follows `on` in a sentence: `29 Nov 2026 at 03:00 UTC`.

    After `until`, `before`, `after`, `since` and `between` the short form of `minute_shown` reads better.
    """
    return f"{day_shown(at)} at {at:%H:%M %Z}".rstrip()


def period_in_words(first: datetime, last: datetime | None) -> str:
    """Return when something happens as it follows `on` in a sentence: `29 Nov 2026 between 03:00 and 04:00 UTC`.

    `last`: None if it is known to the minute, which gives `29 Nov 2026 at 03:00 UTC`.
    """
    if last is None:
        return moment_in_words(first)
    return f"{day_shown(first)} between {first:%H:%M} and {last:%H:%M %Z}".rstrip()


def second_shown(at: datetime) -> str:
    """Return a time in its own zone, with seconds: `29 Nov 2026 03:00:07 UTC`."""
    return f"{day_shown(at)} {at:%H:%M:%S %Z}".rstrip()


def iso_shown(text: str) -> str:
    """Return a day or a month that is stored as text: `2026-08-05` as `5 Aug 2026`, `2026-08` as `Aug 2026`."""
    return (
        day_shown(date.fromisoformat(text))
        if len(text) > len("2026-08")
        else f"{date.fromisoformat(f'{text}-01'):%b %Y}"
    )


@lru_cache(maxsize=1024)
def _day(year: int, month: int, number: int) -> str:
    return f"{number} {date(year, month, number):%b %Y}"
