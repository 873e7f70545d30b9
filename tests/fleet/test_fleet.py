"""A fleet from its first hub to devices that serve what was issued, over a real etcd."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.etcd import EtcdCluster
from tests.support.fleet_box import FleetBox
from tests.support.pebble import PebbleServer

pytestmark = pytest.mark.e2e

Boxes = Callable[..., FleetBox]


def test_from_init_to_served(
    etcd: EtcdCluster, boxes: Boxes, pebble: PebbleServer, fresh_name: Callable[[str], str]
) -> None:
    """A hub makes the fleet, a device joins and is approved, the hub issues, the device serves it, and status says so."""
    hub = boxes("hub", etcd, "hub", pebble=pebble)
    made = hub.done("fleet", "init")
    assert (made["created"], made["role"], made["state"]) == (True, "hub", "approved")
    assert hub.done("fleet", "init")["created"] is False
    device = boxes("device", etcd, "device")
    asked = device.done("fleet", "join")
    assert asked["state"] == "waiting"
    assert asked["fingerprint"].replace(":", "").startswith(asked["id"])
    assert device.done("fleet", "sync")["state"] == "waiting"
    waiting = [each for each in hub.done("fleet", "devices")["devices"] if each["state"] == "waiting"]
    assert [(each["id"], each["fingerprint"], each["name"]) for each in waiting] == [
        (asked["id"], asked["fingerprint"], "device")
    ]
    hub.done("fleet", "approve", asked["id"], "--fingerprint", asked["fingerprint"])
    issued = hub.done("issue", "-d", fresh_name("shop"), "--name", "shop", "--target", "web")
    received = device.done("fleet", "sync")
    assert received["deployed"] == ["shop"]
    assert device.served() == (device.live("shop") / "fullchain.pem").read_bytes()
    assert device.done("status", "shop")["certificates"][0]["sha256"] == issued["certificate"]["sha256"]
    assert device.done("fleet", "sync")["unchanged"] == ["shop"]
    [box] = [each for each in hub.done("fleet", "status")["devices"] if each["id"] == asked["id"]]
    [one] = box["certificates"]
    assert (one["name"], one["state"], one["served_sha256"]) == ("shop", "deployed", issued["certificate"]["sha256"])
    # The timer's runs: the hub has nothing to do, the device neither, and a forced renewal arrives.
    assert hub.done("--renew")["failed"] == []
    assert hub.done("renew", "shop", "--force")["renewed"] == ["shop"]
    assert device.done("--renew")["renewed"] == ["shop"]
    assert device.served() != b""
    assert device.done("status", "shop")["certificates"][0]["sha256"] != issued["certificate"]["sha256"]
    assert "PRIVATE KEY" not in etcd.everything()


def test_orders_of_the_fleet_count_against_the_limits_of_the_ca(
    etcd: EtcdCluster, boxes: Boxes, pebble: PebbleServer, fresh_name: Callable[[str], str]
) -> None:
    """What a hub orders for the fleet is counted as what it orders for itself, and a forced renewal as another certificate."""
    hub = boxes("hub", etcd, "hub", pebble=pebble)
    config = hub.home / "etc" / "certdeck.toml"
    config.write_text(config.read_text().replace("agree_tos = true\n", 'agree_tos = true\nlimits = "letsencrypt"\n'))
    hub.done("fleet", "init")
    name = fresh_name("shop")

    def used() -> dict[str, int]:
        shown = hub.done("issuer", "show", "ca")["limits"]
        return {each["limit"]: each["used"] for each in shown if each["used"]}

    hub.done("issue", "-d", name, "--name", "shop")
    assert used() == {"orders": 1, "certificates-per-domain": 1, "certificates-per-name-set": 1}
    hub.done("issue", "-d", name, "--name", "shop", "--key-type", "ec-384")
    after = used()
    # Names that the CA has issued for before are exempt from the other two.
    assert (after["orders"], after["certificates-per-domain"]) == (1, 1)


def test_a_certificate_of_the_fleet_is_deleted_on_a_hub(etcd: EtcdCluster, boxes: Boxes) -> None:
    """While devices serve it, that takes --force; then no hub renews it, no key of it is in etcd, and devices keep their files."""
    hub = boxes("hub", etcd, "hub", more='[defaults]\nissuer = "appliance-ca"\n')
    device = boxes("device", etcd, "device")
    hub.done("fleet", "init")
    device.join(hub)
    for name in ("lan", "wan"):
        hub.done("issue", "-d", f"{name}.lan", "--name", name, "--device", device.done("fleet", "join")["id"])
    device.done("fleet", "sync")
    served = device.served()
    assert hub.refused("delete", "lan", "--yes")["code"] == "in-use"
    assert hub.done("delete", "lan", "--yes", "--force") == {"name": "lan", "kept_until": None}
    assert [each["name"] for each in hub.done("fleet", "status")["certificates"]] == ["wan"]
    left = etcd.ctl("get", "", "--prefix", "--keys-only").stdout.split()
    assert [key for key in left if "/lan" in key and not key.startswith("certdeck/reports/")] == []
    device.done("fleet", "sync")
    assert device.served() == served
    assert hub.refused("delete", "lan", "--yes")["code"] == "not-found"
