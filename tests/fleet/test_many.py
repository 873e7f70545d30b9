"""Many devices with keys of their own: what one transaction of etcd cannot hold is written in several."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.fleet import layout
from core.fleet.etcd import Etcd, in_batches
from core.fleet.gateway import Gateway
from core.fleet.sealing import box_id, new_box_key, public_half
from core.fleet.values import DEVICE, Box, Request, b64, encoded
from core.fleet_choice import Choice
from core.operations import IssueRequest
from core.system import environment
from core.system.transport import HttpsTransport
from core.x509 import csr
from core.x509.key import generate_key
from tests.support.appliance import Appliance
from tests.support.etcd import EtcdCluster

pytestmark = pytest.mark.e2e
DEVICES = 140
"""More than the 128 operations of one transaction."""
NAME = "box.lan"


def test_more_devices_than_a_transaction_holds(etcd: EtcdCluster, tmp_path: Path) -> None:
    """Each gets its own certificate, version after version, and what two versions ago was kept for them is gone."""
    fleet = f'[fleet]\nendpoints = {json.dumps(etcd.endpoints)}\nrole = "hub"\nserve_challenges = false\n'
    hub = Appliance(tmp_path / "hub", '[defaults]\nissuer = "appliance-ca"\n' + fleet)
    hub.peers = lambda bundle, identity: HttpsTransport(bundle, {}, identity)
    hub.engine = hub.reopened()
    hub.engine.fleet_init()
    env = environment({})
    gateway = Gateway(env.peers(None, None), env.clock, etcd.endpoints)
    mine = Etcd(gateway)
    devices = [_box(number) for number in range(DEVICES)]
    _put(mine, {layout.BOXES + box.id: encoded(box) for box in devices})
    der = csr.build_csr(generate_key("ec-256"), (NAME,), common_name=False)
    for version in (1, 2, 3):
        asked = encoded(Request(name="lan", version=version, csr=b64(der)))
        _put(mine, {layout.request(box.id, "lan"): asked for box in devices})
        request = IssueRequest(
            domains=(NAME,), name="lan", force=version > 1, for_fleet=Choice(policy=DEVICE, allow_weaker=True)
        )
        hub.engine.issue(request)
        versions = {key.split("/")[4] for key in mine.keys(f"{layout.KEYS}lan/")}
        assert versions == {str(each) for each in range(max(version - 1, 1), version + 1)}
        delivered = [key for key in mine.keys(layout.DEVICES) if "/certs/" in key]
        assert len(delivered) == DEVICES
        assert mine.keys(layout.ORDERS) == []
    gateway.close()


def _box(number: int) -> Box:
    public = public_half(new_box_key(environment({}).random))
    id = box_id(public)
    return Box(id=id, name=f"device-{number}", role="device", public=b64(public), approved=datetime.now(UTC))


def _put(etcd: Etcd, puts: dict[str, bytes]) -> None:
    for batch in in_batches(puts):
        etcd.commit(batch)
