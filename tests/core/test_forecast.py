"""What announced lifetimes do to a box, by tables."""

from __future__ import annotations

from datetime import date, time
from itertools import pairwise

import pytest

from core.forecast import CertificateThen, Forecast, Subject, forecast
from core.lifetimes import LIFETIMES, announced, changes_between
from core.schedule.timetable import TWICE_DAILY, Timetable

TODAY = date(2026, 11, 21)
WEEKLY = Timetable((time(23, 30),), 6)


def subject(**given: object) -> Subject:
    values = {"name": "shop", "issuer": "letsencrypt", "kind": "letsencrypt", "lifetime_days": 90.0, **given}
    return Subject(**values)


def box(*subjects: Subject, day: date, timetable: Timetable | None = TWICE_DAILY, has_timer: bool = True) -> Forecast:
    return forecast(subjects, day, today=TODAY, timetable=timetable, has_timer=has_timer)


def then(day: date, timetable: Timetable | None = TWICE_DAILY, **given: object) -> CertificateThen:
    return box(subject(**given), day=day, timetable=timetable).certificates[0]


def codes(each: CertificateThen) -> list[str]:
    return [problem.code for problem in each.problems]


@pytest.mark.parametrize(
    ("day", "kind", "profile", "now", "days", "every"),
    [
        (date(2027, 2, 9), "letsencrypt", "", 90, 90, 60),
        (date(2027, 2, 10), "letsencrypt", "", 90, 64, 64 * 2 / 3),
        (date(2028, 2, 15), "letsencrypt", "classic", 90, 64, 64 * 2 / 3),
        (date(2028, 2, 16), "letsencrypt", "classic", 90, 45, 30),
        (date(2029, 3, 15), "letsencrypt", "", 90, 45, 30),
        (date(2027, 1, 1), "letsencrypt", "tlsserver", 45, 45, 30),
        (date(2029, 4, 1), "letsencrypt", "shortlived", 6.67, 160 / 24, 80 / 24),
        (date(2027, 1, 1), "letsencrypt", "", None, 90, 60),
        (date(2027, 3, 14), "public", "", 180, 180, 150),
        (date(2027, 3, 15), "public", "", 180, 100, 70),
        (date(2029, 3, 15), "public", "", 90, 47, 47 * 2 / 3),
        (date(2027, 3, 15), "public", "", 90, 90, 60),
        (date(2029, 3, 15), "public", "", None, 47, 47 * 2 / 3),
        (date(2026, 12, 1), "upload", "", 365, 200, 170),
        (date(2029, 3, 15), "upload", "", 365, 47, 47 * 2 / 3),
        (date(2029, 3, 15), "private", "", 365, 365, 335),
        (date(2029, 3, 15), "private", "", 0.5, 0.5, 0.25),
    ],
)
def test_lifetimes_and_renewals(
    day: date, kind: str, profile: str, now: float | None, days: float, every: float
) -> None:
    """Each kind of certificate lives as long as was announced for that day, and renews by the usual rule."""
    found = then(day, kind=kind, profile=profile, lifetime_days=now)
    assert found.lifetime_days == pytest.approx(days)
    assert found.renews_every_days == pytest.approx(every)
    assert found.renewals_per_year == pytest.approx(365.25 / every)
    assert bool(found.source) == (kind != "private" and (kind == "letsencrypt" or days != now))


@pytest.mark.parametrize(
    ("day", "given", "timetable", "expected"),
    [
        (date(2027, 1, 1), {"renew_days_before": 30}, TWICE_DAILY, []),
        (date(2027, 2, 10), {"renew_days_before": 42}, TWICE_DAILY, []),
        (date(2027, 2, 10), {"renew_days_before": 43}, TWICE_DAILY, ["renew-days-before"]),
        (date(2028, 2, 16), {"renew_days_before": 31}, TWICE_DAILY, ["renew-days-before"]),
        (date(2027, 1, 1), {}, WEEKLY, []),
        (date(2028, 2, 16), {"renew_days_before": 10}, WEEKLY, ["timer-too-rare"]),
        (date(2028, 2, 16), {"profile": "shortlived"}, WEEKLY, ["timer-too-rare"]),
        (date(2028, 2, 16), {"profile": "shortlived"}, TWICE_DAILY, []),
        (date(2028, 2, 16), {"profile": "shortlived"}, None, []),
        (date(2028, 2, 16), {"by_hand": True}, WEEKLY, ["manual-dns"]),
        (date(2028, 2, 16), {"auto_renew": False}, WEEKLY, ["auto-renew-off"]),
        (date(2028, 2, 16), {"kind": "upload", "is_ordered": False}, WEEKLY, ["upload"]),
    ],
)
def test_settings_that_become_impossible(
    day: date, given: dict[str, object], timetable: Timetable | None, expected: list[str]
) -> None:
    """Days before the end, times of the run and work by hand are named where they no longer fit the lifetime."""
    assert codes(then(day, timetable, **given)) == expected


def test_the_sum_is_told() -> None:
    """Orders a week are summed for each CA and for all; what nobody is asked for does not count."""
    many = [subject(name=f"n{number}") for number in range(400)]
    own = subject(name="own", issuer="self-signed", kind="private", is_ordered=False)
    found = box(*many, own, day=date(2028, 2, 16))
    assert found.orders_per_week == pytest.approx(400 * 7 / 30)
    assert [(each.name, each.certificates) for each in found.issuers] == [("letsencrypt", 400)]
    assert [each.code for each in found.problems] == ["rate-limit"]
    assert found.runs_per_week == 14
    assert box(*many[:9], day=date(2028, 2, 16), timetable=WEEKLY).runs_per_week == 1
    off = box(many[0], day=TODAY, has_timer=False)
    assert [each.code for each in off.problems] == ["no-timer"]
    assert off.runs_per_week == 0


def test_the_table_of_dates_is_in_order() -> None:
    """Each announcement has its source, lifetimes only get shorter, and what lies between two days is told."""
    for one, other in pairwise(LIFETIMES):
        if (one.whose, one.profile) == (other.whose, other.profile):
            assert one.since < other.since
            assert one.days > other.days
    assert all(each.source for each in LIFETIMES)
    assert [str(each.since) for each in changes_between(TODAY, date(2028, 2, 16))] == [
        "2027-02-10",
        "2027-03-15",
        "2028-02-16",
    ]
    assert announced("public", date(2019, 1, 1)) is None


@pytest.mark.parametrize(
    ("lifetime", "said"), [(365.0, "about once a year."), (100.0, "about 5 times a year."), (1.0, "valid for 1 day.")]
)
def test_numbers_of_an_upload_are_read_as_words(lifetime: float, said: str) -> None:
    """How often an uploaded certificate has to be replaced, and how long it is valid, is told in the singular where it is one."""
    texts = [
        problem.text
        for self_signed in (True, False)
        for one in box(subject(kind="upload", lifetime_days=lifetime, self_signed=self_signed), day=TODAY).certificates
        for problem in one.problems
    ]
    assert any(said in text for text in texts)
