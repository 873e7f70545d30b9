"""When a certificate is due, for every lifetime that CAs give or have announced, and when a failure is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.renewal import DAY, choose_in_window, due_at, next_retry, renew_days_problem

START = 1_795_262_400.0
HOUR = 3600.0
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def left_when_due(life_days: float, **settings: float | int | None) -> float:
    """Return how many days are left at the moment it is due."""
    end = START + life_days * DAY
    return (end - due_at(START, end, **settings)) / DAY


@pytest.mark.parametrize(
    ("life", "left"),
    [
        pytest.param(90, 30, id="90-days"),
        pytest.param(64, 64 / 3, id="64-days-2027"),
        pytest.param(47, 47 / 3, id="47-days-2029"),
        pytest.param(45, 15, id="45-days-2028"),
        pytest.param(160 / 24, 80 / 24, id="160-hours"),
        pytest.param(10, 10 / 3, id="ten-days"),
        pytest.param(9.99, 9.99 / 2, id="below-ten-days"),
        pytest.param(1, 0.5, id="one-day"),
        pytest.param(100, 30, id="100-days"),
        pytest.param(200, 30, id="200-days"),
        pytest.param(365, 30, id="a-year"),
        pytest.param(3650, 30, id="ten-years"),
    ],
)
def test_the_lifetime_decides(life: float, left: float) -> None:
    """A third of the life is left when it is due, half under ten days, 30 days at most (ST-29, CL-05, SF-12, SF-13, SO-05)."""
    assert left_when_due(life) == pytest.approx(left)


@pytest.mark.parametrize(
    ("days", "life", "left"),
    [
        pytest.param(30, 90, 30, id="30-of-90"),
        pytest.param(30, 64, 30, id="30-of-64"),
        pytest.param(30, 45, 30, id="30-of-45"),
        pytest.param(60, 90, 60, id="60-of-90"),
        pytest.param(1, 90, 1, id="1-of-90"),
        pytest.param(45, 365, 45, id="45-of-365"),
        pytest.param(2, 160 / 24, 2, id="2-of-160-hours"),
        pytest.param(30, 160 / 24, 80 / 24, id="30-of-160-hours-cannot-work"),
        pytest.param(30, 30, 10, id="30-of-30-cannot-work"),
        pytest.param(44, 45, 15, id="44-of-45-cannot-work"),
        pytest.param(0, 90, 30, id="0-cannot-work"),
        pytest.param(-5, 90, 30, id="negative-cannot-work"),
    ],
)
def test_configured_days_hold_where_they_can(days: int, life: float, left: float) -> None:
    """`renew_days_before` decides, but where it would renew all the time or never the lifetime does (CC-17)."""
    assert left_when_due(life, renew_days_before=days) == pytest.approx(left)
    assert (renew_days_problem(days, life * DAY) is None) is (left == days)


@pytest.mark.parametrize(
    ("days", "life", "sentence"),
    [
        (30, 90, None),
        (30, 160 / 24, "The certificate is valid for 7 days, so it would be renewed almost constantly."),
        (90, 90, "The certificate is valid for 90 days, so it would be renewed almost constantly."),
        (61, 90, "The certificate is valid for 90 days, so it would be renewed almost constantly."),
        (0, 90, "It would renew on the last day or later."),
    ],
)
def test_days_that_cannot_work_are_explained(days: int, life: float, sentence: str | None) -> None:
    """A number of days that cannot work for a lifetime is refused with the reason (CC-17)."""
    assert renew_days_problem(days, life * DAY) == sentence


def test_the_ca_decides_first() -> None:
    """The moment chosen in the CA's window comes before what is configured and before the rule (RFC 9773)."""
    end = START + 90 * DAY
    chosen = START + 58.25 * DAY
    assert due_at(START, end, ari_chosen=chosen) == chosen
    assert due_at(START, end, renew_days_before=10, ari_chosen=chosen) == chosen


def test_the_ca_can_ask_for_it_at_once() -> None:
    """A window in the past, as before a revocation, makes it due."""
    assert due_at(START, START + 90 * DAY, ari_chosen=START - DAY) == START - DAY


@pytest.mark.parametrize(
    ("life", "left"), [pytest.param(90, 15, id="90-days"), pytest.param(160 / 24, 40 / 24, id="160-hours")]
)
@pytest.mark.parametrize("chosen_days_after_end", [-0.01, 0, 3650])
def test_a_late_window_does_not_let_it_run_out(life: float, left: float, chosen_days_after_end: float) -> None:
    """A CA whose window lies at or after the end does not get its way: half of what the rule leaves is the latest."""
    end = START + life * DAY
    assert left_when_due(life, ari_chosen=end + chosen_days_after_end * DAY) == pytest.approx(left)


@given(
    life=st.floats(0.05, 4000),
    days=st.none() | st.integers(-10, 5000),
    chosen=st.none() | st.floats(-10 * DAY, 5000 * DAY),
)
def test_it_is_always_due_in_time_and_never_at_birth(life: float, days: int | None, chosen: float | None) -> None:
    """With any settings it is due before its end, and without the CA's word a new certificate is never due at once."""
    end = START + life * DAY
    due = due_at(START, end, renew_days_before=days, ari_chosen=None if chosen is None else START + chosen)
    assert due < end
    if chosen is None:
        assert due >= START + life * DAY * 0.32


@pytest.mark.parametrize(("share", "hours"), [(0.0, 0), (0.25, 12), (0.5, 24), (1.0, 48)])
def test_a_moment_of_the_window(share: float, hours: int) -> None:
    """The random share places the moment between the window's ends (RFC 9773 §4.2)."""
    assert choose_in_window(NOW, NOW + timedelta(hours=48), share) == NOW + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("failures", "pause"),
    [
        (0, timedelta(minutes=1)),
        (1, timedelta(minutes=1)),
        (2, timedelta(minutes=10)),
        (3, timedelta(minutes=100)),
        (4, timedelta(days=1)),
        (5, timedelta(days=1)),
        (1000, timedelta(days=1)),
    ],
)
def test_failures_are_tried_again_ever_later(failures: int, pause: timedelta) -> None:
    """After about 1, 10 and 100 minutes, then daily; chance adds up to a tenth (CC-19, SF-16)."""
    assert next_retry(failures, NOW, 0.0) == NOW + pause
    assert next_retry(failures, NOW, 0.5) == NOW + pause * 1.05
    assert next_retry(failures, NOW, 1.0) == NOW + pause * 1.1
