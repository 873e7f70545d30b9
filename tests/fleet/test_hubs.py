"""Two hubs: one orders, and another takes over the same order when it is gone."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.support.command import environment_for
from tests.support.etcd import EtcdCluster
from tests.support.fleet_box import FleetBox
from tests.support.pebble import PebbleServer
from tests.support.programs import ROOT, wait_until

pytestmark = pytest.mark.e2e

Boxes = Callable[..., FleetBox]
FreshName = Callable[[str], str]


@pytest.fixture
def hubs(etcd: EtcdCluster, boxes: Boxes, pebble: PebbleServer) -> tuple[FleetBox, FleetBox]:
    """Two hubs of one fleet."""
    return _two_hubs(etcd, boxes, pebble)


@pytest.fixture
def believing(pebbles: Callable[..., PebbleServer]) -> PebbleServer:
    """A CA that looks at no answer: else it may look while the hub that serves it is dead, and the order ends there."""
    return pebbles(always_valid=True)


def _two_hubs(etcd: EtcdCluster, boxes: Boxes, pebble: PebbleServer) -> tuple[FleetBox, FleetBox]:
    first = boxes("hub-a", etcd, "hub", pebble=pebble)
    first.done("fleet", "init")
    second = boxes("hub-b", etcd, "hub", pebble=pebble)
    second.join(first)
    return first, second


def test_a_second_hub_shares_the_account(
    hubs: tuple[FleetBox, FleetBox], fresh_name: FreshName, etcd: EtcdCluster
) -> None:
    """Both hubs order with one account: its key came to the second one through etcd, sealed."""
    first, second = hubs
    first.done("issue", "-d", fresh_name("one"), "--name", "one")
    second.done("issue", "-d", fresh_name("two"), "--name", "two")
    urls = {box.done("account", "list")["accounts"][0]["url"] for box in hubs}
    assert len(urls) == 1
    assert "PRIVATE KEY" not in etcd.everything()


KILLED = """
import os, signal, sys
from core.fleet.etcd import Etcd
from tui.__main__ import main
step, seen, original = int(sys.argv[1]), 0, Etcd.commit
def commit(self, puts, deletes=(), guards=(), **more):
    global seen
    is_order = any("/orders/" in key or "/accounts/" in key or "/challenges/" in key for key in (*puts, *deletes))
    is_last = any("/certificates/" in key for key in puts) and bool(guards) and guards[0].key == "certdeck/leader"
    if not (is_order or is_last):
        return original(self, puts, deletes, guards, **more)
    seen += 1
    if seen == step and sys.argv[2] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    original(self, puts, deletes, guards, **more)
    if seen == step and sys.argv[2] == "after":
        os.kill(os.getpid(), signal.SIGKILL)
Etcd.commit = commit
sys.exit(main(sys.argv[3:]))
"""


def killed_at(box: FleetBox, step: int, when: str, *argv: str) -> None:
    """Run a command that kills itself before or after its n-th write of an order."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(step), when, *argv],
        check=False,
        cwd=ROOT,
        env=environment_for(box.home),
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode(errors="replace")


STEPS = {
    1: "the account key is in etcd",
    2: "the account is in etcd",
    3: "the order is in etcd",
    4: "the answers are published",
    5: "the key is in etcd",
    6: "the answers are gone",
    7: "the certificate is published",
}
"""The writes of a first order, in their order."""
QUICK = [(3, "after"), (5, "after")]


@pytest.mark.parametrize(
    ("step", "when"),
    [
        pytest.param(step, when, id=f"{step}-{when}", marks=() if (step, when) in QUICK else pytest.mark.fleet)
        for step in STEPS
        for when in ("before", "after")
    ],
)
def test_a_hub_killed_in_the_middle_is_followed_by_the_other(
    etcd: EtcdCluster, boxes: Boxes, believing: PebbleServer, fresh_name: FreshName, step: int, when: str
) -> None:
    """Wherever the first hub dies, the second one ends with one certificate, of the same order once that was placed."""
    pebble = believing
    first, second = _two_hubs(etcd, boxes, pebble)
    domain = fresh_name("shop")
    before = pebble.log
    killed_at(first, step, when, "issue", "-d", domain, "--name", "shop")

    def is_published() -> bool:
        run = second.run("--renew", "--json")
        assert run.json["failed"] == []
        return bool(second.done("fleet", "status")["certificates"][0]["version"])

    wait_until(is_published, "the second hub publishes it", timeout=30, every=0.3)
    new = pebble.log[len(before) :]
    assert new.count("Issued certificate serial") == 1
    placed = new.count("POST /order-plz")
    assert placed == (2 if (step, when) == (3, "before") else 1), new


def test_a_new_account_key_reaches_the_other_hub(hubs: tuple[FleetBox, FleetBox], fresh_name: FreshName) -> None:
    """After a rollover on one hub the other one orders with the new key, and with the same account."""
    first, second = hubs
    first.done("issue", "-d", fresh_name("one"), "--name", "one")
    second.done("issue", "-d", fresh_name("two"), "--name", "two")
    before = first.done("account", "list")["accounts"][0]
    first.done("account", "rollover", "ca")
    second.done("issue", "-d", fresh_name("three"), "--name", "three")
    after = [box.done("account", "list")["accounts"][0] for box in hubs]
    assert {each["url"] for each in after} == {before["url"]}
    assert {each.get("thumbprint") for each in after} != {before.get("thumbprint")} or before.get("thumbprint") is None
