"""An etcd that answers slowly, and now and then later than anybody waits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.etcd import EtcdCluster
from tests.support.fleet_box import FleetBox
from tests.support.pebble import PebbleServer
from tests.support.relay import Relay

pytestmark = pytest.mark.e2e

TOO_LATE_SECONDS = 3.0
"""A try is given up before that; etcd has done what it was asked all the same."""


@pytest.mark.timeout(240)
def test_a_slow_etcd_orders_nothing_twice(
    etcd: EtcdCluster,
    boxes: Callable[..., FleetBox],
    pebble: PebbleServer,
    fresh_name: Callable[[str], str],
) -> None:
    """Each answer comes late, every ninth too late: one order is placed, one certificate issued, and the device serves it."""
    hub, device = boxes("hub", etcd, "hub", pebble=pebble), boxes("device", etcd, "device")
    hub.done("fleet", "init")
    device.join(hub)
    before = len(pebble.log)
    port = etcd.members[0].client_port
    with Relay(port, hold=lambda number: TOO_LATE_SECONDS if number % 9 == 0 else 0.05) as relay:
        for box in (hub, device):
            config = box.home / "etc" / "certdeck.toml"
            config.write_text(
                config.read_text()
                .replace(etcd.endpoints[0], f"http://127.0.0.1:{relay.port}")
                .replace("lease_seconds = 3", "lease_seconds = 15")
            )
        assert hub.done("issue", "-d", fresh_name("slow"), "--name", "slow", timeout=120)["state"] == "issued"
        assert device.done("fleet", "sync", timeout=120)["deployed"] == ["slow"]
    new = pebble.log[before:]
    assert (new.count("POST /order-plz"), new.count("Issued certificate serial")) == (1, 1)
    assert device.served()
