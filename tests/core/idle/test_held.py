"""What is due and held up by something else than its own time is looked at again by every scheduled run."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from tests.core.idle.test_repeat import NAME, again, box, run
from tests.support.acme_server import problem
from tests.support.appliance import Appliance

__all__ = ["box"]


@pytest.mark.parametrize("hours", [2, 30, 24 * 7])
def test_a_run_that_waits_for_a_ca_is_not_repeated_beyond_that(box: Appliance, hours: int) -> None:
    """Where a certificate that is due waits because its CA has said stop, it is ordered when that time is over."""
    box.clock.advance(days=70)
    refusal = problem("serverInternal", 503, headers={"retry-after": str(hours * 3600)})
    box.ca.fail("/new-order", refusal, times=1)
    assert run(box).renewed == ()
    begun, waited = box.clock.now(), 0
    while (box.clock.now() - begun) < timedelta(hours=hours, minutes=5):
        box.clock.advance(hours=1)
        memo = again(box)
        if memo is not None:
            waited += 1
            assert box.clock.now() - begun < timedelta(hours=hours), "it has not noticed that it may order"
        elif run(box).renewed:
            return
    assert run(box).renewed == (NAME,)


def test_a_run_that_waits_for_a_window_is_not_repeated(box: Appliance) -> None:
    """What is due and waits for the window of its service is deployed by the first run in that window."""
    text = box.paths.config.read_text()
    box.paths.config.write_text(text.replace("[targets.web]\n", '[targets.web]\nwindow = "02:00-04:00"\n'))
    box.ca.has_renewal_info = False
    box.clock.advance(days=70)
    local = box.clock.now().astimezone()
    box.clock.set((local.replace(hour=15, minute=0) + timedelta(days=1)).astimezone(UTC))
    for _ in range(3):
        assert run(box).renewed == ()
        box.clock.advance(hours=3)
    box.clock.advance(hours=2, minutes=30)
    assert again(box) is None
    assert run(box).renewed == (NAME,)
