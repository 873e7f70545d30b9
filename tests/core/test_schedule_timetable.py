"""When the scheduled run is due."""

from __future__ import annotations

import time as system_time
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UsageError
from core.schedule.timetable import PRESETS, TWICE_DAILY, Timetable, clock_time, timetable_for, too_rare

SATURDAY_NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = 86400.0


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("preset", "times", "next_run", "words", "pause_hours"),
    [
        (None, (), "2026-11-21T15:00", "every day at 03:00 and 15:00", 12),
        ("twice-daily", (), "2026-11-21T15:00", "every day at 03:00 and 15:00", 12),
        ("daily", (), "2026-11-22T03:00", "every day at 03:00", 24),
        ("weekly", (), "2026-11-22T23:30", "every Sunday at 23:30", 7 * 24),
        ("weekly", ("4:05",), "2026-11-22T04:05", "every Sunday at 04:05", 7 * 24),
        ("daily", ("13:00",), "2026-11-21T13:00", "every day at 13:00", 24),
        (None, ("20:00", "04:00", "12:00", "4:00"), "2026-11-21T20:00", "every day at 04:00, 12:00 and 20:00", 8),
    ],
)
def test_presets_and_times(
    preset: str | None, times: tuple[str, ...], next_run: str, words: str, pause_hours: int
) -> None:
    """Twice a day, the reference systems' 03:00 (ST-28) and Sunday 23:30 (SO-35), and any times: when, and how long between."""
    found = timetable_for(preset, times)
    assert found.next_run(SATURDAY_NOON) == at(next_run)
    assert found.words == words
    assert found.longest_pause == timedelta(hours=pause_hours)
    assert found.preset == (preset or {2: "twice-daily", 3: "custom"}[len(found.times)])


@pytest.mark.parametrize(
    ("preset", "times"),
    [
        ("hourly", ()),
        ("", ()),
        (None, ("24:00",)),
        (None, ("03:60",)),
        (None, ("3",)),
        (None, ("",)),
        (None, ("03:00:00",)),
        (None, ("-3:00",)),
        (None, ("03:00\n* * * * * root sh",)),
        (None, ("\u0663:\u0660\u0660",)),
        ("daily", ("03:00", "04:00")),
        ("twice-daily", ("03:00",)),
        (None, tuple(f"{hour}:{minute}" for hour in range(13) for minute in (10, 40))),
    ],
)
def test_nonsense_is_refused(preset: str | None, times: tuple[str, ...]) -> None:
    """Unknown presets, times that are none, too many of them, and a preset with another number of times are wrong usage."""
    with pytest.raises(UsageError) as refused:
        timetable_for(preset, times)
    assert all((refused.value.what, refused.value.why, refused.value.fix))


def test_the_next_run_is_always_ahead() -> None:
    """At the very moment of a run the next one is meant."""
    assert TWICE_DAILY.next_run(at("2026-11-21T15:00")) == at("2026-11-22T03:00")
    assert TWICE_DAILY.next_run(at("2026-12-31T15:00:01")) == at("2027-01-01T03:00")


def test_times_are_those_of_the_box(monkeypatch: pytest.MonkeyPatch) -> None:
    """03:00 is local time, on both sides of a change of the clocks."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    system_time.tzset()
    daily = timetable_for("daily", ())
    assert daily.next_run(at("2026-10-24T12:00")) == at("2026-10-25T02:00")
    assert daily.next_run(at("2026-10-23T12:00")) == at("2026-10-24T01:00")
    assert timetable_for(None, ("02:30",)).next_run(at("2026-03-28T12:00")) in {
        at("2026-03-29T00:30"),
        at("2026-03-29T01:30"),
    }
    monkeypatch.setenv("TZ", "UTC")
    system_time.tzset()


@given(
    times=st.sets(st.times(), min_size=1, max_size=5),
    weekday=st.none() | st.integers(0, 6),
    seconds=st.integers(0, 20 * 366 * 86400),
)
def test_no_pause_is_longer_than_said(times: set[time], weekday: int | None, seconds: int) -> None:
    """The next run is ahead, on its day, at one of the times, and not further than the longest pause."""
    table = Timetable(tuple(sorted({each.replace(second=0, microsecond=0) for each in times})), weekday)
    moment = SATURDAY_NOON + timedelta(seconds=seconds)
    found = table.next_run(moment)
    assert timedelta() < found - moment <= table.longest_pause
    assert found.time() in table.times
    assert weekday in (None, found.weekday())


def test_moved_times_stay_on_their_day() -> None:
    """A time is moved by less than an hour and never past midnight, so that Sunday stays Sunday."""
    weekly = timetable_for("weekly", ())
    assert weekly.most_delay_minutes == 29
    assert weekly.later_by(29).clock_times == ("23:59",)
    assert TWICE_DAILY.most_delay_minutes == 59
    assert TWICE_DAILY.later_by(59).clock_times == ("03:59", "15:59")


@pytest.mark.parametrize(
    ("preset", "before_end_days", "refused"),
    [
        ("weekly", 30, False),  # 90 days
        ("weekly", 15, False),  # 45 days, as from 2028
        ("weekly", 80 / 24, True),  # 160 hours
        ("daily", 80 / 24, False),
        ("twice-daily", 80 / 24, False),
        ("daily", 0.5, True),  # a day, as private CAs give it
        ("twice-daily", 0.5, True),
        ("twice-daily", 1, False),
    ],
)
def test_two_runs_before_the_end(preset: str, before_end_days: float, refused: bool) -> None:
    """A rhythm is too rare when a certificate could run out after one failed run: weekly with 160 hours (SO-35)."""
    assert too_rare(timetable_for(preset, ()), before_end_days * DAY) is refused


def test_every_preset_is_one() -> None:
    """Each word offered is understood and found again."""
    assert [timetable_for(each, ()).preset for each in PRESETS] == list(PRESETS)


def test_clock_time() -> None:
    """Hours may be written with one digit."""
    assert (clock_time("3:07"), clock_time(" 23:59 ")) == (time(3, 7), time(23, 59))
