"""etcd 3.5 in place of the 3.4 of Debian 12: the same tests, and members of both beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fleet.test_access import *  # noqa: F403 - run again, with the etcd of this module
from tests.fleet.test_faults import *  # noqa: F403
from tests.fleet.test_hubs import (  # noqa: F401
    believing,
    hubs,
    test_a_new_account_key_reaches_the_other_hub,
    test_a_second_hub_shares_the_account,
)
from tests.fleet.test_service import *  # noqa: F403
from tests.fleet.test_together import *  # noqa: F403
from tests.support.etcd import EtcdCluster
from tests.support.fleet_box import FleetBox
from tests.support.programs import ROOT, wait_until

NEWER = ROOT / ".servers" / "etcd-3.5" / "etcd"

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.fleet,
    pytest.mark.skipif(not NEWER.exists(), reason="etcd 3.5 could not be fetched"),
]


@pytest.fixture
def etcds(tmp_path: Path) -> Iterator[Callable[..., EtcdCluster]]:
    """Start an etcd 3.5 with the arguments of EtcdCluster, `folder` apart; ended with the test."""
    running: list[EtcdCluster] = []

    def start(members: int = 1, **arguments: Any) -> EtcdCluster:
        cluster = EtcdCluster(tmp_path / f"etcd-{len(running) + 1}", members, program=str(NEWER), **arguments)
        running.append(cluster)
        cluster.start()
        return cluster

    yield start
    for cluster in running:
        cluster.stop()


def test_etcd_is_updated_under_a_fleet(tmp_path: Path, boxes: Callable[..., FleetBox]) -> None:
    """Members of 3.4 are replaced by 3.5, one after the other, while a hub issues and a device receives."""
    cluster = EtcdCluster(tmp_path / "etcd", 3)
    cluster.start()
    try:
        hub = boxes("hub", cluster, "hub", more='[defaults]\nissuer = "appliance-ca"\n')
        device = boxes("device", cluster, "device")
        hub.done("fleet", "init")
        device.join(hub)
        with device.watching():
            hub.done("issue", "-d", "box.lan", "--name", "lan")
            device.wait_serves_something()
            cluster.program = str(NEWER)
            for member in cluster.members:
                before = device.served()
                cluster.kill(member)
                cluster.start_member(member)
                cluster.wait_ready()
                hub.done("issue", "-d", "box.lan", "--name", "lan", "--force", timeout=90)
                wait_until(lambda before=before: device.served() != before, "the device serves it", timeout=60)
        versions = {cluster.post(each, "maintenance/status", {})["version"] for each in cluster.members}
        assert {each.rpartition(".")[0] for each in versions} == {"3.5"}
    finally:
        cluster.stop()
