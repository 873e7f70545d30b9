"""Many certificates that are due at once are renewed over several runs, those that end first come first (SF-14)."""

from __future__ import annotations

import pytest

from core.events import Report, VersionSwitched
from core.ports import CancelToken
from core.workflows.renewing.spread import LEAST, quota
from tests.core.workflows.test_rate_limits import due
from tests.support.appliance import Appliance

NOW = 1_800_000_000.0
DAY = 86400.0
HALF_DAY = DAY / 2


@pytest.mark.parametrize(
    ("number", "days_left", "most", "taken"),
    [
        (1, 30, 150, LEAST),
        (20, 0.1, 150, LEAST),
        (100, 30, 150, LEAST),
        (620, 30, 150, 20),
        (1240, 30, 150, 40),
        (10_000, 30, 150, 150),
        (100, 0.1, 150, 100),
        (500, 0.1, 150, 150),
        (100, -1, 150, 100),
        (100, 0.1, 5, LEAST),
    ],
)
def test_how_many_a_run_takes(number: int, days_left: float, most: int, taken: int) -> None:
    """As few as give each its turn in half of the time it has left; never less than twenty, never more than the CA's rate."""
    assert quota([NOW + days_left * DAY] * number, NOW, HALF_DAY, most) == taken


def test_every_certificate_gets_its_turn_in_time() -> None:
    """Run after run by the rule, each certificate is renewed with a quarter of the time left that it had at first."""
    ends = sorted(NOW + DAY * (4 + number % 27) for number in range(900))
    left, now, runs = ends, NOW, 0
    while left:
        taken = quota(left, now, HALF_DAY, 150)
        assert all(end - now >= (end - NOW) / 4 for end in left[:taken])
        left, now, runs = left[taken:], now + HALF_DAY, runs + 1
    assert runs > 6


def test_a_box_spreads_its_renewals(appliance: Appliance) -> None:
    """70 due certificates of a CA with a rate take several runs; each takes those that end first, and says when the rest comes."""
    text = appliance.paths.config.read_text()
    appliance.paths.config.write_text(text.replace("agree_tos = true\n", "agree_tos = true\norders_per_run = 30\n", 1))
    by_end = due(appliance, 70)
    dry = appliance.reopened().renew(dry_run=True)
    first = appliance.reopened().renew()
    assert set(dry.due) == set(first.renewed) == set(by_end[:20])
    assert len(first.skipped) == 50
    assert all("each run renews 20, starting with those that expire first" in each.why for each in first.skipped)
    assert all(each.renew_at is not None and each.renew_at > appliance.clock.now() for each in first.skipped)
    second = appliance.reopened().renew()
    assert set(second.renewed) == set(by_end[20:40])
    assert appliance.reopened().renew((by_end[-1],)).renewed == (by_end[-1],), "who asks by name gets it"


def test_nothing_is_spread_without_a_rate(appliance: Appliance) -> None:
    """A CA of somebody's own without `orders_per_run` gets all that is due in one run."""
    assert len(due(appliance, 40)) == len(appliance.engine.renew().renewed)


def test_a_run_that_is_stopped_goes_on_in_the_next(appliance: Appliance) -> None:
    """After SIGTERM no other renewal begins; those that had not begun are no failures, and the next run does all of them."""
    due(appliance, 30)
    cancel = CancelToken()
    done = 0

    def stop(told: Report) -> None:
        nonlocal done
        done += isinstance(told.event, VersionSwitched)
        if done == 5:
            cancel.cancel()

    first = appliance.engine.renew(report=stop, cancel=cancel)
    assert 5 <= len(first.renewed) <= 13
    assert all(each.error.code == "cancelled" for each in first.failed)
    assert len(first.failed) <= 8, "those under way when it was stopped"
    assert all("the next run continues" in each.why for each in first.skipped)
    second = appliance.reopened().renew()
    assert (len(first.renewed) + len(second.renewed), second.failed) == (30, ())
