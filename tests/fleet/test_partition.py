"""A network that falls apart while everything goes on running: two sites, each a network of its own, and the link between them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from tests.support.etcd import EtcdCluster
from tests.support.fleet_box import FleetBox
from tests.support.programs import wait_until

Boxes = Callable[..., FleetBox]
LEASE_SECONDS = 6
PRIVATE_CA = '[defaults]\nissuer = "appliance-ca"\n'
ISSUE = ("issue", "-d", "box.lan", "--name", "lan")


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True)


def _may_make_networks() -> bool:
    if os.getuid() != 0 or shutil.which("ip") is None:
        return False
    return subprocess.run(["unshare", "--net", "true"], check=False, capture_output=True).returncode == 0


pytestmark = [
    pytest.mark.e2e,
    pytest.mark.fleet,
    pytest.mark.skipif(not _may_make_networks(), reason="network namespaces take root and iproute2"),
]


class Site(Struct, frozen=True, kw_only=True):
    """A network namespace, and the address of the machine that it stands for."""

    name: str
    address: str

    @property
    def inside(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name)


class Sites(Struct, frozen=True, kw_only=True):
    """Two sites and the link between them."""

    left: Site
    right: Site

    def cut(self) -> None:
        """Lose every packet between the sites. On the left nothing is told of it: connections stay open and silent."""
        _run("ip", "-n", self.right.name, "link", "set", "link0", "down")

    def join(self) -> None:
        _run("ip", "-n", self.right.name, "link", "set", "link0", "up")


@pytest.fixture
def sites() -> Iterator[Sites]:
    """Two sites, joined."""
    left = Site(name=f"certdeck-{os.getpid()}-l", address="10.213.7.1")
    right = Site(name=f"certdeck-{os.getpid()}-r", address="10.213.7.2")
    with contextlib.ExitStack() as stack:
        for each in (left, right):
            _run("ip", "netns", "add", each.name)
            stack.callback(_run, "ip", "netns", "delete", each.name)
        _run(
            "ip", "-n", left.name, "link", "add", "link0", "type", "veth", "peer", "name", "link0", "netns", right.name
        )
        for each in (left, right):
            _run("ip", "-n", each.name, "address", "add", f"{each.address}/24", "dev", "link0")
            for device in ("lo", "link0"):
                _run("ip", "-n", each.name, "link", "set", device, "up")
        yield Sites(left=left, right=right)


@pytest.fixture
def spread(sites: Sites, tmp_path: Path) -> Iterator[EtcdCluster]:
    """Three members of etcd: the first on the left, two on the right."""
    cluster = EtcdCluster(tmp_path / "etcd", 3)
    for member, site in zip(cluster.members, (sites.left, sites.right, sites.right), strict=True):
        member.host, member.before = site.address, site.inside
    cluster.start()
    yield cluster
    cluster.stop()


def leader_seen_at(etcd: EtcdCluster, number: int) -> str:
    """Return the hub that leads, as a member of etcd knows it; empty where it does not answer."""
    found = etcd.ctl("get", "certdeck/leader", "--print-value-only", check=False, at=etcd.members[number]).stdout
    return found.partition('"name": "')[2].partition('"')[0]


def _lead_etcd(etcd: EtcdCluster, number: int) -> None:
    """Make a member the leader of etcd itself."""
    status = json.loads(etcd.ctl("endpoint", "status", "-w", "json").stdout)
    ids = {each["Endpoint"]: each["Status"] for each in status}
    wanted = ids[etcd.members[number].url]["header"]["member_id"]
    leader = ids[etcd.members[number].url]["leader"]
    if leader != wanted:
        [at] = [each for each in etcd.members if ids[each.url]["header"]["member_id"] == leader]
        etcd.ctl("move-leader", f"{wanted:x}", at=at)


@pytest.mark.timeout(300)
def test_the_old_leader_is_cut_off_and_goes_on_running(sites: Sites, spread: EtcdCluster, boxes: Boxes) -> None:
    """It stops leading, can issue nothing, and another hub leads within two leases; what its site missed gets there afterwards."""
    lease = f"lease_seconds = {LEASE_SECONDS}"
    left, right = sites.left.inside, sites.right.inside
    old = boxes("hub-old", spread, "hub", more=PRIVATE_CA, fleet=lease, before=left)
    new = boxes("hub-new", spread, "hub", more=PRIVATE_CA, fleet=lease, before=right)
    near, far = boxes("near", spread, "device", before=right), boxes("far", spread, "device", before=left)
    old.done("fleet", "init")
    for box in (new, near, far):
        box.join(old)
    with contextlib.ExitStack() as running:
        leading = running.enter_context(old.watching())
        wait_until(lambda: leader_seen_at(spread, 1) == "hub-old", "the first hub leads", timeout=30)
        for box in (new, near, far):
            running.enter_context(box.watching())
        old.done(*ISSUE, timeout=90)
        for device in (near, far):
            device.wait_serves_something()
        first = far.served()
        assert near.served() == first
        # The worst case: etcd itself has to elect, and a lease begins anew then.
        _lead_etcd(spread, 0)
        assert leader_seen_at(spread, 1) == "hub-old", "a command on the leading hub must not cost it the lead"

        sites.cut()
        cut = time.monotonic()
        wait_until(lambda: leader_seen_at(spread, 1) == "hub-new", "the other hub leads", timeout=60, every=0.1)
        took = time.monotonic() - cut
        assert took <= 2 * LEASE_SECONDS
        new.done(*ISSUE, "--force", timeout=90)
        wait_until(lambda: near.served() != first, "the device on its side serves the next version", timeout=100)
        second = near.served()
        # The one that led is alive, and has the CA: it must not issue.
        assert leading.poll() is None
        error = old.refused(*ISSUE, "--force", timeout=90)
        assert error["code"] in ("fleet-unreachable", "not-leading"), error
        assert error["fix"]
        assert far.served() == first

        sites.join()
        wait_until(lambda: far.served() == second, "the device on the other side catches up", timeout=90)
        wait_until(lambda: leader_seen_at(spread, 0) == "hub-new", "both sides know one leader", timeout=30)
        assert leading.poll() is None
        status = old.done("fleet", "status", timeout=90)
    assert [each["version"] for each in status["certificates"]] == [2]
    assert status["behind"] == 0
    assert "PRIVATE KEY" not in spread.everything()
