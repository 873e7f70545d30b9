"""`fleet watch` on every box: what is issued is served everywhere, and hubs stand in for one another."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.etcd import EtcdCluster
from tests.support.fleet_box import FleetBox
from tests.support.pebble import PebbleServer
from tests.support.programs import wait_until

pytestmark = pytest.mark.e2e

Boxes = Callable[..., FleetBox]
FreshName = Callable[[str], str]


def leader_of(etcd: EtcdCluster) -> str:
    """Return the name of the hub that leads; empty where none does."""
    found = etcd.ctl("get", "certdeck/leader", "--print-value-only", check=False).stdout
    return found.partition('"name": "')[2].partition('"')[0]


@pytest.mark.timeout(300)
def test_two_hubs_three_members_five_devices(
    etcds: Callable[..., EtcdCluster],
    boxes: Boxes,
    pebbles: Callable[..., PebbleServer],
    fresh_name: FreshName,
) -> None:
    """One command issues, five devices serve it; the leading hub is killed in its next renewal, and all five get that too."""
    etcd, pebble = etcds(3), pebbles(nosleep=False)
    # The answers stay as long as the lease, and hub-b serves them too: the CA finds them although hub-a is gone.
    lease = "lease_seconds = 8\nserve_challenges = true"
    hub_a = boxes("hub-a", etcd, "hub", pebble=pebble, target=False, fleet=lease)
    hub_b = boxes("hub-b", etcd, "hub", pebble=pebble, target=False, fleet=lease)
    devices = [boxes(f"device-{number}", etcd, "device") for number in range(5)]
    hub_a.done("fleet", "init")
    hub_b.join(hub_a)
    with contextlib.ExitStack() as running:
        leading = running.enter_context(hub_a.watching())
        wait_until(lambda: leader_of(etcd) == "hub-a", "hub-a leads", timeout=30)
        for device in devices:
            device.join(hub_a)
            running.enter_context(device.watching())
        domain = fresh_name("shop")
        first = hub_b.done("issue", "-d", domain, "--name", "shop", timeout=120)
        assert first["state"] == "issued"
        for device in devices:
            wait_until(device.served, f"{device.name} serves it")
        served = {device.served() for device in devices}
        assert len(served) == 1

        running.enter_context(hub_b.watching())
        log = pebble.log
        _ask_for_another(hub_b)
        wait_until(lambda: "certdeck/shared/orders/shop" in etcd.everything(), "the order is placed", every=0.02)
        leading.send_signal(signal.SIGKILL)
        for device in devices:
            wait_until(
                lambda device=device: device.served() not in ({b""} | served),
                f"{device.name} serves the next",
                timeout=60,
            )
        assert len({device.served() for device in devices}) == 1
        new = pebble.log[len(log) :]
        assert (new.count("POST /order-plz"), new.count("Issued certificate serial")) == (1, 1)
        assert leader_of(etcd) == "hub-b"
        wait_until(lambda: hub_b.done("fleet", "status")["behind"] == 0, "nobody is behind", every=0.3)
    assert "PRIVATE KEY" not in etcd.everything()


def _ask_for_another(hub: FleetBox) -> Any:
    """Ask the leading hub for a renewal from another one, without waiting for it."""
    answer = hub.run("renew", "shop", "--force", "--json")
    assert answer.status == 0, answer.out + answer.err
    return answer.json


PRIVATE_CA = '[defaults]\nissuer = "appliance-ca"\n'
ISSUE = ("issue", "-d", "box.lan", "--name", "lan")


def test_a_box_can_be_both(etcd: EtcdCluster, boxes: Boxes) -> None:
    """A hub that is a device too serves what it issues at once, in the same command, also with a key of its own."""
    box = boxes("both", etcd, "both", more=PRIVATE_CA)
    box.done("fleet", "init")
    first = box.done(*ISSUE)["certificate"]["sha256"]
    assert box.served()
    assert box.done("status", "lan")["certificates"][0]["sha256"] == first
    box.done(*ISSUE, "--key-policy", "device")
    assert box.done("status", "lan")["certificates"][0]["sha256"] != first
    assert box.done("fleet", "status")["behind"] == 0
    # A certificate for this box alone stays one.
    box.done("issue", "-d", "own.lan", "--name", "own", "--local")
    assert [each["name"] for each in box.done("fleet", "status")["certificates"]] == ["lan"]
    assert {each["name"] for each in box.done("status")["certificates"]} == {"lan", "own"}
    # On a broken target the certificate is published all the same, and the warning says what this box did.
    box.break_target()
    warnings = box.done(*ISSUE, "--force")["warnings"]
    assert [each["code"] for each in warnings] == ["fleet-device-failed"]


def test_what_watches_outlives_etcd(etcds: Callable[..., EtcdCluster], boxes: Boxes) -> None:
    """All members are killed and come back: the watching device and hub go on by themselves, and nothing is missed."""
    etcd = etcds(3)
    hub, device = boxes("hub", etcd, "hub", more=PRIVATE_CA), boxes("device", etcd, "device")
    hub.done("fleet", "init")
    device.join(hub)
    with hub.watching(), device.watching() as watching:
        hub.done(*ISSUE)
        device.wait_serves_something()
        first = device.served()
        for member in etcd.members:
            etcd.kill(member)
        assert device.served() == first
        for member in etcd.members:
            etcd.start_member(member)
        etcd.wait_ready()
        hub.done(*ISSUE, "--force", timeout=90)
        wait_until(lambda: device.served() != first, "the device serves the next one", timeout=60)
        watching.send_signal(signal.SIGTERM)
        assert watching.wait(30) == 0


def test_a_command_on_the_leading_hub_leaves_it_the_lead(etcd: EtcdCluster, boxes: Boxes) -> None:
    """While a command of the hub that leads holds its lock, its service keeps the lease: no other hub takes over in between."""
    hub, other = boxes("hub", etcd, "hub", more=PRIVATE_CA), boxes("other", etcd, "hub", more=PRIVATE_CA)
    hub.done("fleet", "init")
    other.join(hub)
    with hub.watching():
        wait_until(lambda: leader_of(etcd) == "hub", "the hub leads", timeout=30)
        with other.watching():
            began = _leading_since(etcd)
            for _ in range(3):
                hub.done(*ISSUE, "--force")
            assert (leader_of(etcd), _leading_since(etcd)) == ("hub", began)


def _leading_since(etcd: EtcdCluster) -> int:
    """Return the revision of etcd at which the hub that leads was elected."""
    [found] = json.loads(etcd.ctl("get", "certdeck/leader", "-w", "json").stdout)["kvs"]
    return int(found["create_revision"])


def test_a_device_that_waits_is_let_in_while_it_watches(etcd: EtcdCluster, boxes: Boxes) -> None:
    """A box that asked and watches takes up the answer and what is published without another command."""
    hub, device = boxes("hub", etcd, "hub", more=PRIVATE_CA), boxes("device", etcd, "device")
    hub.done("fleet", "init")
    hub.done(*ISSUE)
    id = device.done("fleet", "join")["id"]
    with device.watching():
        hub.done("fleet", "approve", id)
        device.wait_serves_something()
