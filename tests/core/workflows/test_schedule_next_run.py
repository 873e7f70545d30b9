"""When the next scheduled run starts: a moment with cron, a period with systemd."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from core.engine import Engine
from core.workflows.doctoring import machine
from core.workflows.renewing import last_run
from tests.support.appliance import Appliance
from tests.support.clock import NOON
from tests.support.init_system import InitSystem


def box_on(appliance: Appliance, init: InitSystem) -> Engine:
    """Return the appliance's engine on a box with this init system."""
    return Engine(appliance.paths, init.env_of(appliance.engine.env))


def test_systemd_delays_the_next_run(appliance: Appliance, tmp_path: Path) -> None:
    """The next run is a period, as long as the timer's random delay; in it, until the run has started, it is still to come."""
    engine = box_on(appliance, InitSystem(tmp_path / "system"))
    info = engine.set_schedule()
    due, delay = NOON + timedelta(hours=3), timedelta(hours=1)
    assert info.random_delay == delay
    assert (info.timer.next_run, info.timer.next_run_by) == (due, due + delay)
    [told] = machine.timer(engine._reading())
    assert told.detail == "certificates renew automatically; the next run is on 21 Nov 2026 between 15:00 and 16:00 UTC"
    appliance.clock.advance(hours=3, minutes=20)
    found = engine.status().timer
    assert (found.next_run, found.next_run_by) == (due + timedelta(minutes=20), due + delay)
    last_run.record(appliance.paths, last_run.LastRun(at=appliance.clock.now(), outcome="done", error=""))
    found = engine.status().timer
    assert (found.next_run, found.next_run_by) == (due + timedelta(hours=12), due + timedelta(hours=13))


def test_cron_starts_the_next_run_at_its_minute(appliance: Appliance, tmp_path: Path) -> None:
    """cron has no random delay: the next run is one moment."""
    found = box_on(appliance, InitSystem(tmp_path / "system", systemd=False)).set_schedule()
    assert not found.random_delay
    assert (found.timer.next_run is not None, found.timer.next_run_by) == (True, None)
