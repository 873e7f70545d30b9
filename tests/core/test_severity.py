"""The colour of a certificate: the table, its edges, and lives of every length."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.severity import DAY, days_left, severity

NOW = 1_795_262_400.0
HOUR = 3600.0
ORDER = ("red", "yellow", "green")


def colour(life_days: float, left_days: float) -> str:
    """Return the severity of a certificate of that life with so much of it left."""
    end = NOW + left_days * DAY
    return severity(end - life_days * DAY, end, NOW)


@pytest.mark.parametrize(
    ("left", "wanted"),
    [
        (365, "green"),
        (31, "green"),
        (30.999, "yellow"),
        (30, "yellow"),
        (15, "yellow"),
        (8, "yellow"),
        (7.999, "red"),
        (7, "red"),
        (1, "red"),
        (0.5, "red"),
        (0, "red"),
        (-1, "red"),
        (-400, "red"),
    ],
)
@pytest.mark.parametrize("life", [90, 100, 200, 398, 3650])
def test_the_days_decide(life: float, left: float, wanted: str) -> None:
    """From 90 days of life on: green above 30 whole days left, yellow 8 to 30, red 7 or fewer (ST-45)."""
    if left <= life:
        assert colour(life, left) == wanted


@pytest.mark.parametrize(
    ("life", "yellow_from", "red_from"),
    [
        pytest.param(64, 64 / 3, 64 * 7 / 90, id="64-days"),
        pytest.param(47, 47 / 3, 47 * 7 / 90, id="47-days"),
        pytest.param(45, 15, 3.5, id="45-days"),
        pytest.param(160 / 24, 160 / 24 / 3, 160 / 24 * 7 / 90, id="160-hours"),
        pytest.param(1, 1 / 3, 7 / 90, id="one-day"),
        pytest.param(89, 89 / 3, 89 * 7 / 90, id="89-days"),
    ],
)
def test_a_short_life_is_judged_in_proportion(life: float, yellow_from: float, red_from: float) -> None:
    """Below 90 days of life: yellow from a third of it left, red from 7/90 of it, so that a new one is never red (ST-45)."""
    minute = 60 / DAY
    assert colour(life, life) == "green"
    assert colour(life, yellow_from + minute) == "green"
    assert colour(life, yellow_from - minute) == "yellow"
    assert colour(life, red_from + minute) == "yellow"
    assert colour(life, red_from - minute) == "red"
    assert colour(life, 0) == "red"
    assert colour(life, -1) == "red"


def test_ninety_days_less_a_second_are_ninety_days() -> None:
    """Public CAs write a life of 90 days as 90 days less one second, both ends counted: the day counts hold for it."""
    life = 90 - 1 / DAY
    assert [colour(life, left) for left in (31, 30.5, 8, 7.5)] == ["green", "yellow", "yellow", "red"]
    assert colour(90 - 2 / DAY, 30.5) == "green"


@pytest.mark.parametrize(
    ("left_seconds", "days"),
    [(42 * DAY, 42), (42 * DAY - 1, 41), (DAY, 1), (DAY - 1, 0), (1, 0), (0, 0), (-1, -1), (-DAY, -1), (-DAY - 1, -2)],
)
def test_days_left_are_whole_days(left_seconds: float, days: int) -> None:
    """Days are rounded down: 0 on the last day, negative once it is over (ST-45)."""
    found = days_left(NOW - 100 * DAY, NOW + left_seconds, NOW)
    assert found == days
    assert type(found) is int


@pytest.mark.parametrize("begins_in", [1.0, HOUR, 90 * DAY, 3650 * DAY])
def test_not_yet_valid_is_red_like_expired(begins_in: float) -> None:
    """A certificate with its start in the future was green; clients refuse it as they refuse an expired one."""
    begin = NOW + begins_in
    assert (severity(begin, begin + 90 * DAY, NOW), days_left(begin, begin + 90 * DAY, NOW)) == ("red", 0)
    assert severity(begin, begin + 90 * DAY, begin) == "green"


@given(st.floats(0.01, 4000), st.floats(-10, 4000))
def test_time_only_makes_it_worse(life: float, left: float) -> None:
    """Whatever the life, a later moment is never judged better than an earlier one."""
    left = min(left, life)
    earlier, later = colour(life, left), colour(life, left - life / 10)
    assert ORDER.index(later) <= ORDER.index(earlier)


@given(st.floats(90, 4000), st.floats(-10, 4000))
def test_colour_and_days_tell_the_same(life: float, left: float) -> None:
    """The number of days that is shown and the colour beside it never contradict each other."""
    left = min(left, life)
    days = days_left(NOW - 5000 * DAY, NOW + left * DAY, NOW)
    assert colour(life, left) == ("green" if days > 30 else "yellow" if days >= 8 else "red")


def test_it_loads_nothing() -> None:
    """The module is asked ten thousand times in a row, and brings no other module along."""
    code = (
        "import sys; before = set(sys.modules); import core.severity;"
        "assert set(sys.modules) - before <= {'core', 'core.severity', '__future__'}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
