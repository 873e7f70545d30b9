"""Devices that switch all or none."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from core.fleet.values import BACK, DEPLOY, STAGE, Certificate
from core.workflows.fleet.together import next_phase
from tests.support.etcd import EtcdCluster
from tests.support.fleet_box import FleetBox
from tests.support.programs import wait_until

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("phase", "states", "after"),
    [
        (STAGE, ["staged", ""], None),
        (STAGE, ["staged", "failed"], None),
        (STAGE, ["staged", "staged"], DEPLOY),
        (STAGE, [], None),
        (DEPLOY, ["deployed", "staged"], None),
        (DEPLOY, ["deployed", "failed"], BACK),
        (DEPLOY, ["deployed", "deployed"], None),
        (BACK, ["deployed", "deployed"], None),
    ],
)
def test_what_follows_from_what_devices_say(phase: str, states: list[str], after: str | None) -> None:
    """All staged: switch. One that refuses after the switch: all go back. One that is silent: wait."""
    one = Certificate(name="a", spec={}, all_or_none=True, version=2, phase=phase)
    assert next_phase(one, states, NOW) == after


def test_after_going_back_all_try_again_later() -> None:
    """The next try begins with staging, not before its time."""
    one = Certificate(name="a", spec={}, all_or_none=True, version=2, phase=BACK, next_attempt=NOW)
    assert next_phase(one, ["deployed"], NOW - timedelta(seconds=1)) is None
    assert next_phase(one, ["deployed"], NOW) == STAGE


@pytest.mark.e2e
@pytest.mark.timeout(240)
def test_one_that_refuses_takes_all_back(etcd: EtcdCluster, boxes: Callable[..., FleetBox]) -> None:
    """The first version reaches both; of the second, which one device's service refuses, both end with the first again."""
    hub = boxes("hub", etcd, "hub", more='[defaults]\nissuer = "appliance-ca"\n')
    hub.done("fleet", "init")
    devices = [boxes(name, etcd, "device") for name in ("good", "bad")]
    for device in devices:
        device.join(hub)
    issue = ("issue", "-d", "box.lan", "--name", "lan", "--all-or-none")
    with contextlib.ExitStack() as running:
        for device in devices:
            running.enter_context(device.watching())
        hub.done(*issue, timeout=90)
        for device in devices:
            device.wait_serves_something()
        first = devices[0].served()
        assert devices[1].served() == first
        devices[1].break_target()
        hub.done(*issue, "--force", timeout=90)

        def is_back() -> bool:
            hub.run("--renew")
            found = hub.done("fleet", "status")["certificates"][0]
            return bool(found["last_error"]) and devices[0].served() == first

        wait_until(is_back, "all are back", timeout=60, every=0.5)
        assert devices[1].served() == first
