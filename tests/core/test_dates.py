"""Dates as people read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

from core.dates import day_shown, iso_shown, minute_shown, moment_in_words, period_in_words, second_shown


def test_one_form() -> None:
    """The day has its month in letters, so that it cannot be mistaken, and no leading zero; a time names its zone."""
    at = datetime(2026, 12, 1, 3, 4, 5, tzinfo=UTC)
    assert day_shown(date(2026, 11, 29)) == "29 Nov 2026"
    assert (day_shown(at), minute_shown(at)) == ("1 Dec 2026", "1 Dec 2026 03:04 UTC")
    assert second_shown(at) == "1 Dec 2026 03:04:05 UTC"


def test_a_stored_day_or_month() -> None:
    """The date of a fact, which may be a month, is shown in the same form."""
    assert (iso_shown("2026-08-05"), iso_shown("2026-07")) == ("5 Aug 2026", "Jul 2026")


def test_a_time_is_shown_in_its_own_zone() -> None:
    """A local time shows its own day, and its zone."""
    late = datetime(2026, 11, 29, 23, 30, tzinfo=UTC).astimezone(timezone(timedelta(hours=1), "CET"))
    assert minute_shown(late) == "30 Nov 2026 00:30 CET"


def test_a_time_in_a_sentence() -> None:
    """After `on`, a sentence says the day and then the time, or between which times."""
    first = datetime(2026, 11, 29, 3, 0, tzinfo=UTC)
    assert moment_in_words(first) == "29 Nov 2026 at 03:00 UTC"
    assert period_in_words(first, None) == moment_in_words(first)
    assert period_in_words(first, first + timedelta(hours=1)) == "29 Nov 2026 between 03:00 and 04:00 UTC"
