"""Where private keys are, who can open them, and what a policy forbids."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.fleet.sealing import Master, box_id, fingerprint, open_with, public_half, seal_to, verify
from core.fleet.values import unb64
from core.fleet_errors import FleetForged
from core.paths import Paths
from core.store.fleet import BOX_KEY, MASTER_KEY
from core.store.vault import Vault
from core.system import environment
from tests.support.clock import FakeRandom
from tests.support.command import environment_for
from tests.support.etcd import EtcdCluster
from tests.support.fleet_box import FleetBox
from tests.support.programs import ROOT

pytestmark = pytest.mark.e2e

Boxes = Callable[..., FleetBox]


def secret(box: FleetBox, record: str) -> bytes:
    """Return a secret of a box's vault."""
    env = environment({"CERTDECK_HOME": str(box.home)})
    home = box.home
    return Vault(Paths(home / "etc", home / "state", home / "run", home / "log"), env).get(record)


def value_of(etcd: EtcdCluster, key: str) -> dict[str, str]:
    """Return a JSON value of etcd."""
    found: dict[str, str] = json.loads(etcd.ctl("get", key, "--print-value-only").stdout)
    return found


def live_key(box: FleetBox, name: str) -> bytes:
    return (box.live(name) / "privkey.pem").read_bytes()


@pytest.fixture
def fleet(etcd: EtcdCluster, boxes: Boxes) -> tuple[FleetBox, FleetBox]:
    """A hub with the private CA, and a device that was let in."""
    hub = boxes("hub", etcd, "hub", more='[defaults]\nissuer = "appliance-ca"\n')
    hub.done("fleet", "init")
    device = boxes("device", etcd, "device")
    device.join(hub)
    return hub, device


ISSUE = ("issue", "-d", "box.lan", "--name", "lan")


def test_a_key_of_the_policy_master_is_open_to_the_hubs_and_its_device_alone(
    fleet: tuple[FleetBox, FleetBox], etcd: EtcdCluster
) -> None:
    """At rest it is sealed under the master key, on its way to the device; nothing in etcd is in the clear (CC-12)."""
    hub, device = fleet
    hub.done(*ISSUE)
    device.done("fleet", "sync")
    key = live_key(device, "lan")
    place = "certdeck/shared/keys/lan/1"
    stored = unb64(value_of(etcd, place)["sealed"])
    assert Master(secret(hub, MASTER_KEY)).open(stored, place) == key
    with pytest.raises(FleetForged):
        open_with(secret(device, BOX_KEY), stored, place)
    everything = etcd.everything()
    assert "PRIVATE KEY" not in everything
    assert key.decode().splitlines()[1] not in everything
    assert "key=" in hub.run("log", "--json").out or "seal it to device" in hub.run("log", "--json").out


def test_a_key_of_the_policy_hybrid_needs_both(fleet: tuple[FleetBox, FleetBox], etcd: EtcdCluster) -> None:
    """At rest neither the master key nor the device's key alone opens it; the device gets it all the same (CC-13)."""
    hub, device = fleet
    hub.done(*ISSUE, "--key-policy", "hybrid")
    id = device.done("fleet", "join")["id"]
    device.done("fleet", "sync")
    key = live_key(device, "lan")
    assert "sealed" in value_of(etcd, "certdeck/shared/keys/lan/1")
    assert value_of(etcd, "certdeck/shared/keys/lan/1")["sealed"] == ""
    place = f"certdeck/shared/keys/lan/1/{id}"
    stored = unb64(value_of(etcd, place)["sealed"])
    inner = Master(secret(hub, MASTER_KEY)).open(stored, place)
    assert b"PRIVATE KEY" not in inner
    fleet_id = str(hub.done("fleet", "status")["fleet"])
    with pytest.raises(FleetForged):
        open_with(secret(device, BOX_KEY), stored, f"{fleet_id}/{id}/lan/1")
    assert open_with(secret(device, BOX_KEY), inner, f"{fleet_id}/{id}/lan/1") == key


def test_a_key_of_the_policy_device_never_leaves(fleet: tuple[FleetBox, FleetBox], etcd: EtcdCluster) -> None:
    """Only a signing request leaves the device: its key is neither in etcd nor anywhere on the hub (CC-14)."""
    hub, device = fleet
    with device.watching():
        hub.done(*ISSUE, "--key-policy", "device")
        device.wait_serves_something()
    key = live_key(device, "lan")
    body = key.decode().splitlines()[1]
    assert body not in etcd.everything()
    assert not [path for path in hub.home.rglob("*") if path.is_file() and body.encode() in path.read_bytes()]
    hub.done("fleet", "status")
    told = device.run("log", "--json").out
    assert "sign the request" in told


def test_a_policy_is_not_weakened_silently(fleet: tuple[FleetBox, FleetBox], etcd: EtcdCluster) -> None:
    """A weaker policy is refused without the option for it; with it the device takes it and says so."""
    hub, device = fleet
    hub.done(*ISSUE, "--key-policy", "hybrid")
    device.done("fleet", "sync")
    error = hub.refused(*ISSUE, "--key-policy", "master", status=2)
    assert error["code"] == "usage"
    assert "--allow-weaker-policy" in error["fix"]
    hub.done(*ISSUE, "--key-policy", "master", "--allow-weaker-policy", "--force")
    assert device.done("fleet", "sync")["deployed"] == ["lan"]
    assert "key-policy-weakened" in device.run("log", "--json").out


def test_a_device_refuses_a_weaker_policy_that_no_hub_has_allowed(
    fleet: tuple[FleetBox, FleetBox], etcd: EtcdCluster
) -> None:
    """Whoever can write to etcd, and even a hub that forgot it, cannot make a device take a weaker policy."""
    hub, device = fleet
    hub.done(*ISSUE, "--key-policy", "hybrid")
    device.done("fleet", "sync")
    before = device.served()
    certificate = value_of(etcd, "certdeck/shared/certificates/lan")
    etcd.ctl("put", "certdeck/shared/certificates/lan", json.dumps({**certificate, "policy": "master"}))
    hub.done("renew", "lan", "--force")
    answer = device.run("fleet", "sync", "--json")
    assert answer.status == 1
    assert "weaker" in answer.json["failed"][0]["error"]["why"]
    assert device.served() == before


def test_what_no_hub_has_signed_is_refused(fleet: tuple[FleetBox, FleetBox], etcd: EtcdCluster) -> None:
    """A delivery that was changed, or moved from another name, is refused; what is served stays."""
    hub, device = fleet
    hub.done(*ISSUE)
    id = device.done("fleet", "join")["id"]
    device.done("fleet", "sync")
    before = device.served()
    place = f"certdeck/devices/{id}/certs/lan"
    value = etcd.ctl("get", place, "--print-value-only").stdout
    etcd.ctl("put", place, value.replace("box.lan", "evil.lan").replace('\\"version\\": 1', '\\"version\\": 2'))
    etcd.ctl("put", f"certdeck/devices/{id}/certs/other", value)
    answer = device.run("fleet", "sync", "--json")
    assert {each["error"]["code"] for each in answer.json["failed"]} == {"fleet-forged"}
    assert {each["name"] for each in answer.json["failed"]} == {"lan", "other"}
    assert device.served() == before
    behind = hub.done("fleet", "status")["devices"]
    assert any(one["state"] == "failed" for box in behind for one in box["certificates"])


def test_removing_a_device_rotates_what_it_had(
    etcd: EtcdCluster, fleet: tuple[FleetBox, FleetBox], boxes: Boxes
) -> None:
    """Nothing is sealed to a removed device any more, and the others get a new key."""
    hub, device = fleet
    other = boxes("other", etcd, "device")
    other.join(hub)
    hub.done(*ISSUE)
    for box in (device, other):
        box.done("fleet", "sync")
    old = live_key(other, "lan")
    id = device.done("fleet", "join")["id"]
    assert hub.done("fleet", "remove", id)["rotated"] == ["lan"]
    other.done("fleet", "sync")
    assert live_key(other, "lan") != old
    assert id not in etcd.ctl("get", "", "--prefix", "--keys-only").stdout
    served = device.served()
    assert served
    device.run("fleet", "sync")
    assert device.served() == served
    hub.refused("fleet", "remove", id)


def test_removing_a_hub_changes_the_master_key(
    etcd: EtcdCluster, fleet: tuple[FleetBox, FleetBox], boxes: Boxes
) -> None:
    """A removed hub's master key opens nothing of what is in etcd afterwards; a hub that stayed takes over the new one."""
    hub, device = fleet
    stays = boxes("stays", etcd, "hub")
    gone = boxes("gone", etcd, "hub")
    for box in (stays, gone):
        box.join(hub)
    hub.done(*ISSUE)
    old = Master(secret(gone, MASTER_KEY))
    hub.done("fleet", "remove", gone.done("fleet", "join")["id"])
    for key in etcd.ctl("get", "certdeck/shared/keys/", "--prefix", "--keys-only").stdout.split():
        with pytest.raises(FleetForged):
            old.open(unb64(value_of(etcd, key)["sealed"]), key)
    assert stays.done("renew", "lan", "--force")["failed"] == []
    assert device.done("fleet", "sync")["deployed"] == ["lan"]


KILLED = """
import os, signal, sys
from core.fleet.gateway import Gateway
from tui.__main__ import main
step, seen, original = int(sys.argv[1]), 0, Gateway.call
def call(self, path, body, **more):
    global seen
    done = [each for each in body.get("success", ()) if "request_range" not in each]
    is_write = path in ("kv/deleterange", "auth/user/delete", "auth/role/delete") or (path == "kv/txn" and done)
    seen += bool(is_write)
    answer = original(self, path, body, **more)
    if is_write and seen == step:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
Gateway.call = call
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("step", [2, 5, *(pytest.param(step, marks=pytest.mark.fleet) for step in (3, 4, 6))])
def test_a_removal_that_was_killed_is_completed(
    etcd: EtcdCluster, fleet: tuple[FleetBox, FleetBox], boxes: Boxes, step: int
) -> None:
    """Wherever the removal of a hub dies, the same command completes it: no key that the hub knew opens anything afterwards."""
    hub, device = fleet
    gone = boxes("gone", etcd, "hub")
    id = gone.join(hub)
    hub.done(*ISSUE)
    old = Master(secret(gone, MASTER_KEY))
    killed = [sys.executable, "-c", KILLED, str(step), "fleet", "remove", id]
    done = subprocess.run(killed, check=False, cwd=ROOT, env=environment_for(hub.home), capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode(errors="replace")
    [shown] = [each["state"] for each in hub.done("fleet", "devices")["devices"] if each["id"] == id]
    assert shown == "removing"
    assert hub.done("fleet", "remove", id, timeout=90)["rotated"] == ["lan"]
    left = etcd.ctl("get", "", "--prefix", "--keys-only").stdout
    assert id not in left
    for key in (each for each in left.split() if each.startswith("certdeck/shared/keys/")):
        with pytest.raises(FleetForged):
            old.open(unb64(value_of(etcd, key)["sealed"]), key)
    assert device.done("fleet", "sync")["deployed"] == ["lan"]
    assert hub.done("renew", "lan", "--force")["failed"] == []


def test_sealing_is_bound_to_its_place() -> None:
    """What is sealed to a box opens with its key, at its place, and nowhere else; an id is the beginning of the fingerprint."""
    random = FakeRandom()
    private, other = random.token_bytes(32), random.token_bytes(32)
    assert private != other
    sealed = seal_to(public_half(private), b"secret", "a/b")
    assert open_with(private, sealed, "a/b") == b"secret"
    for key, place, value in ((other, "a/b", sealed), (private, "a/c", sealed), (private, "a/b", sealed[:-1])):
        with pytest.raises(FleetForged):
            open_with(key, value, place)
    assert fingerprint(public_half(private)).replace(":", "").startswith(box_id(public_half(private)))
    master = Master.new(random)
    signature = master.sign(b"text", "a")
    verify(master.verifying, b"text", signature, "a")
    for text, place in ((b"texT", "a"), (b"text", "b")):
        with pytest.raises(FleetForged):
            verify(master.verifying, text, signature, place)
    assert "secret" not in repr(master)


def test_files_of_the_vault_stay_closed(fleet: tuple[FleetBox, FleetBox]) -> None:
    """No file of a device but the live key itself holds a private key in the clear."""
    hub, device = fleet
    hub.done(*ISSUE)
    device.done("fleet", "sync")
    found = [path for path in device.home.rglob("*") if path.is_file() and not path.is_symlink() and _has_key(path)]
    assert {path.name for path in found} <= {"privkey.pem", "key.pem"}


def _has_key(path: Path) -> bool:
    return b"PRIVATE KEY" in path.read_bytes()


def test_a_device_that_was_away_gets_its_own_later(
    etcd: EtcdCluster, fleet: tuple[FleetBox, FleetBox], boxes: Boxes
) -> None:
    """With keys of their own, devices that were away or came later get certificates of the same version when they answer."""
    hub, device = fleet
    late = boxes("late", etcd, "device")
    with device.watching():
        hub.done(*ISSUE, "--key-policy", "device")
        device.wait_serves_something()
        served = device.served()
        late.join(hub)
        hub.done("--renew")
        assert late.done("fleet", "sync")["requested"] == ["lan"]
        assert hub.done("--renew")["renewed"] == ["lan"]
        assert late.done("fleet", "sync")["deployed"] == ["lan"]
        assert (device.served(), late.served() != served) == (served, True)
    assert hub.done("--renew")["renewed"] == []
    assert {each["version"] for each in hub.done("fleet", "status")["certificates"]} == {1}
