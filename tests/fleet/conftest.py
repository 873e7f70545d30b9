"""Real etcd, and boxes whose commands are processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.etcd import EtcdCluster
from tests.support.fleet_box import FleetBox


@pytest.fixture
def etcds(tmp_path: Path) -> Iterator[Callable[..., EtcdCluster]]:
    """Start an etcd with the arguments of EtcdCluster, `folder` apart; ended with the test."""
    running: list[EtcdCluster] = []

    def start(members: int = 1, **arguments: Any) -> EtcdCluster:
        cluster = EtcdCluster(tmp_path / f"etcd-{len(running) + 1}", members, **arguments)
        running.append(cluster)
        cluster.start()
        return cluster

    yield start
    for cluster in running:
        cluster.stop()


@pytest.fixture
def etcd(etcds: Callable[..., EtcdCluster]) -> EtcdCluster:
    """An etcd of one member."""
    return etcds()


@pytest.fixture
def boxes(tmp_path: Path) -> Callable[..., FleetBox]:
    """Make a box with the arguments of FleetBox; the first one is its name."""

    def make(name: str, etcd: EtcdCluster, role: str, **arguments: Any) -> FleetBox:
        return FleetBox(tmp_path / "boxes" / name, etcd, role, **arguments)

    return make
