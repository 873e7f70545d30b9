"""What a CA has revoked of the fleet's certificates: a hub finds it, and renews it for every device."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from core.events import Warned
from core.fleet_status import FleetCertificate
from core.system.transport import HttpsTransport
from tests.support.appliance import CONFIG, Appliance
from tests.support.etcd import EtcdCluster
from tests.support.revocations import Publisher, list_at, revocation_list

pytestmark = pytest.mark.e2e
NAME = "shop.example.com"


@pytest.fixture
def hub(etcd: EtcdCluster, tmp_path: Path) -> Appliance:
    """A hub with a scripted CA and the real etcd."""
    fleet = f'[fleet]\nendpoints = {json.dumps(etcd.endpoints)}\nrole = "hub"\nserve_challenges = false\n'
    box = Appliance(tmp_path / "hub", CONFIG + fleet)
    box.peers = lambda bundle, identity: HttpsTransport(bundle, {}, identity)
    box.engine = box.reopened()
    box.engine.fleet_init()
    return box


@pytest.fixture
def publisher(hub: Appliance) -> Iterator[Publisher]:
    """The web server of the CA, which names its list in what it issues."""
    transport = HttpsTransport(None, {})
    hub.vendors["127.0.0.1"] = transport
    with Publisher().served() as served:
        hub.ca.extensions = [list_at(f"{served.url}/1.crl")]
        yield served
    transport.close()


def published(etcd: EtcdCluster, version: int) -> x509.Certificate:
    text = etcd.ctl("get", f"certdeck/shared/keys/{NAME}/{version}", "--print-value-only").stdout
    return x509.load_pem_x509_certificate(json.loads(text)["fullchain"].encode())


def publish(hub: Appliance, publisher: Publisher, revoked: Sequence[x509.Certificate]) -> None:
    now = hub.clock.now()
    serials = {each.serial_number: now - timedelta(hours=2) for each in revoked}
    publisher.files["/1.crl"] = revocation_list(hub.ca.authority, serials, now)


def shown(hub: Appliance) -> FleetCertificate:
    [found] = hub.engine.fleet_status().certificates
    return found


def test_a_revoked_certificate_of_the_fleet_is_renewed_by_the_next_run(
    hub: Appliance, publisher: Publisher, etcd: EtcdCluster
) -> None:
    """A hub's scheduled run asks once a day; what the CA's list names is renewed in the same run, and the log says who said so."""
    hub.issue(NAME)
    publish(hub, publisher, [])
    assert hub.engine.renew().renewed == ()
    hub.engine.renew()
    assert publisher.seen == ["GET /1.crl"], "asked once a day"
    hub.clock.advance(days=1)
    publish(hub, publisher, [published(etcd, 1)])
    assert hub.engine.renew(report=hub.told.append).renewed == (NAME,)
    [told] = [each for each in hub.of(Warned) if isinstance(each, Warned) and each.code == "revoked"]
    assert "keyCompromise" in told.what
    assert (shown(hub).version, shown(hub).revoked) == (2, "")


def test_until_it_is_renewed_the_fleet_shows_it(hub: Appliance, publisher: Publisher, etcd: EtcdCluster) -> None:
    """Where the renewal fails, the fleet's status, its check and its notifications name it, and a later run renews it."""
    hub.issue(NAME)
    publish(hub, publisher, [published(etcd, 1)])
    judge = hub.ca.judge
    hub.ca.judge = lambda identifier, kind: {"type": "urn:ietf:params:acme:error:dns", "detail": "NXDOMAIN"}
    assert [each.name for each in hub.engine.renew().failed] == [NAME]
    assert "keyCompromise" in shown(hub).trouble
    [finding] = [each for each in hub.engine.daily_look() if each.id == "fleet"]
    assert (finding.status, f"{NAME} is revoked" in finding.detail) == ("fail", True)
    hub.ca.judge = judge
    hub.clock.advance(days=1)
    assert hub.engine.renew().renewed == (NAME,)
    assert shown(hub).revoked == ""
