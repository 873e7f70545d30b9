"""What went wrong once, each with the promise that it broke."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec.structs import replace

from core.config.edit import write_lineage
from core.config.load import load_lineage
from core.config.model import LineageConfig
from core.errors import AuthorizationFailed, Cancelled, ConfigTestFailed, DirectoryUnreachable, StoreCorrupt
from core.events import RunFinished, Warned
from core.operations import IssueRequest
from core.ports import CancelToken, Completed, Response, TransportFailure
from core.store import orders, renewal_state
from core.store.lineages import folder
from core.x509.certificate import parse_pem
from tests.support.acme_server import problem
from tests.support.appliance import Appliance
from tests.support.transport import Asked

NAME = "shop.example.com"
_DER = Encoding.DER
REFUSES = Completed(returncode=1, output="nginx: [emerg] unknown directive")
GONE = TransportFailure("unreachable", "connection refused")


def test_first_boot_leaves_a_cas_certificate_alone(appliance: Appliance) -> None:
    """A lineage `default` that names no issuer has the default one: the first boot signed over it."""
    appliance.issue("box.example.com", name="default")
    before = appliance.live("default")
    assert not appliance.engine.first_boot().remade
    assert appliance.live("default") == before


def test_a_first_boot_that_was_refused_makes_no_heap_of_versions(appliance: Appliance, tmp_path: Path) -> None:
    """Each boot with a service that refuses made one more certificate."""
    service = appliance.add_service(tmp_path / "srv")
    for _ in range(3):
        service.test_answers.append(REFUSES)
        with pytest.raises(ConfigTestFailed):
            appliance.engine.first_boot()
    result = appliance.engine.first_boot()
    assert result.status.version == 1
    assert service.serves == appliance.live("default")


def waiting(appliance: Appliance, tmp_path: Path) -> None:
    """Leave a lineage whose second version waits."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    service.test_answers.append(REFUSES)
    assert len(appliance.engine.renew(force=True).failed) == 1


def test_a_damaged_version_that_waits_makes_room(appliance: Appliance, tmp_path: Path) -> None:
    """A version that could not be deployed was tried for ever, and the lineage never renewed again."""
    waiting(appliance, tmp_path)
    (folder(appliance.paths, NAME, 2) / "privkey.pem").write_text("garbage")
    assert appliance.engine.renew().renewed == (NAME,)
    assert appliance.engine.status().lineages[0].version == 3


def test_an_expired_version_that_waits_is_not_put_out(appliance: Appliance, tmp_path: Path) -> None:
    """A certificate that had waited until it expired went onto the service and counted as renewed."""
    waiting(appliance, tmp_path)
    appliance.clock.advance(days=95)
    assert appliance.engine.renew().renewed == (NAME,)
    status = appliance.engine.status().lineages[0]
    assert (status.version, status.days_left) == (3, 89)


def test_a_new_one_asked_for_by_name_is_a_new_one(appliance: Appliance, tmp_path: Path) -> None:
    """`--renew NAME --force` deployed what waited instead of ordering."""
    waiting(appliance, tmp_path)
    assert appliance.engine.renew((NAME,), force=True).renewed == (NAME,)
    assert appliance.engine.status().lineages[0].version == 3


def test_an_order_that_has_been_stored_is_not_used_again(appliance: Appliance) -> None:
    """Killed between storing the certificate and forgetting the order, the next renewal fetched the old certificate again."""
    kept: list[Path] = []
    place = appliance.paths.orders / NAME
    honest = appliance.ca.issue

    def keep(csr: object) -> bytes:
        copy = appliance.paths.state / "copy"
        place_files = {path.name: path.read_bytes() for path in place.iterdir()}
        copy.mkdir()
        for name, content in place_files.items():
            (copy / name).write_bytes(content)
        kept.append(copy)
        return honest(csr)

    appliance.ca.issue = keep
    appliance.issue(NAME)
    appliance.ca.issue = honest
    place.mkdir(parents=True, exist_ok=True)
    for path in kept[0].iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    first = appliance.live(NAME)
    assert appliance.engine.renew((NAME,), force=True).renewed == (NAME,)
    assert parse_pem(appliance.live(NAME))[0].serial != parse_pem(first)[0].serial


def with_a_damaged_order_key(appliance: Appliance, damage: str) -> Path:
    """Leave an open order whose key cannot be opened."""
    appliance.issue(NAME)
    appliance.ca.fail("/finalize", TransportFailure("unreachable", "gone"), times=99)
    assert appliance.engine.renew((NAME,), force=True).failed
    appliance.ca._script.clear()
    key = appliance.paths.orders / NAME / "privkey.sealed"
    if damage == "pipe":
        key.unlink()
        os.mkfifo(key)
    else:
        key.write_bytes(b"x" * 100)
    return key


@pytest.mark.parametrize("damage", ["text", "pipe"])
def test_a_damaged_key_of_an_order_leads_to_a_new_order(appliance: Appliance, damage: str) -> None:
    """Neither a renewal nor an issue stops at an order whose key was damaged: a new order replaces it, with a warning."""
    with_a_damaged_order_key(appliance, damage)
    assert appliance.engine.renew((NAME,), force=True).renewed == (NAME,)
    with_a_damaged_order_key(appliance, damage)
    appliance.issue(NAME, force=True)
    assert [each.code for each in appliance.events if isinstance(each, Warned)] == ["order-replaced"]
    assert len(appliance.ca.orders) == 5, "each attempt has an order of its own"
    assert orders.list_orders(appliance.paths) == ()


def test_a_damaged_key_of_an_order_is_told_by_complete(appliance: Appliance) -> None:
    """Completing an order whose key was damaged says to remove the order, not to restore a key that nobody has."""
    key = with_a_damaged_order_key(appliance, "text")
    with pytest.raises(StoreCorrupt) as said:
        appliance.engine.complete(NAME)
    assert said.value.fix == f"Remove the folder {key.parent} and issue the certificate again."


@pytest.mark.parametrize("damage", ["missing", "garbage"])
def test_a_damaged_old_version_does_not_stop_an_open_order(appliance: Appliance, damage: str) -> None:
    """An order goes on although a certificate of an earlier version is missing or cannot be read."""
    appliance.issue(NAME)
    assert appliance.engine.renew((NAME,), force=True).renewed == (NAME,)
    appliance.ca.fail("/finalize", TransportFailure("unreachable", "gone"), times=99)
    assert appliance.engine.renew((NAME,), force=True).failed
    appliance.ca._script.clear()
    old = folder(appliance.paths, NAME, 1) / "cert.pem"
    if damage == "missing":
        old.unlink()
    else:
        old.write_text("garbage")
    placed = len(appliance.ca.orders)
    assert appliance.engine.renew((NAME,), force=True).renewed == (NAME,)
    assert len(appliance.ca.orders) == placed


def test_a_revoked_certificate_is_not_used_again(appliance: Appliance) -> None:
    """`issue` deployed what had been revoked, and the timer left it live."""
    appliance.issue(NAME)
    appliance.engine.revoke(NAME, reason="keyCompromise")
    assert not appliance.issue(NAME).reused
    appliance.engine.revoke(NAME, reason="keyCompromise")
    assert appliance.engine.renew().renewed == (NAME,)


def test_a_mistake_of_ours_in_one_lineage_does_not_stop_the_others(appliance: Appliance) -> None:
    """One unforeseen exception ended the whole run, without a word in `last-run.json`."""
    names = tuple(f"n{i}.example.com" for i in range(12))
    for name in names:
        write_lineage(appliance.paths, LineageConfig(name=name, domains=(name,)))
    honest = appliance.ca.issue

    def odd(csr: object) -> bytes:
        if b"n3.example.com" in csr.public_bytes(_DER):
            raise ZeroDivisionError
        return honest(csr)

    appliance.ca.issue = odd
    report = appliance.engine.renew()
    assert report.renewed == tuple(name for name in sorted(names) if name != "n3.example.com")
    assert [(each.name, each.error.code) for each in report.failed] == [("n3.example.com", "internal")]
    assert appliance.engine.status().timer.last_outcome == "failed"


def test_a_service_that_refuses_is_no_fault_of_the_ca(appliance: Appliance, tmp_path: Path) -> None:
    """A failed deployment behind a fallback issuer ordered from the next one, and blamed the first."""
    text = appliance.paths.config.read_text().replace(
        'issuer = "ca"\n', 'issuer = "ca"\nfallback_issuers = ["b", "c"]\n'
    )
    for name in ("b", "c"):
        text += f'[issuers.{name}]\ndirectory = "https://ca.test/directory"\nagree_tos = true\n'
    appliance.paths.config.write_text(text)
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    state = renewal_state.load(appliance.paths, NAME)
    renewal_state.save(appliance.paths, NAME, replace(state, failures=2))
    appliance.ca.fail("/new-order", Response(status=403, headers={}, body=b"{}"), times=2)
    service.test_answers.append(REFUSES)
    report = appliance.engine.renew((NAME,), force=True)
    assert report.failed[0].error.code == "config-test-failed"
    assert len(appliance.ca.orders) == 2


def test_a_dead_ca_is_asked_once_in_a_run(appliance: Appliance) -> None:
    """Each lineage waited for the same dead CA, one after the other, under the lock."""
    for i in range(8):
        write_lineage(appliance.paths, LineageConfig(name=f"n{i}", domains=(f"n{i}.example.com",)))
    appliance.ca.fail("", GONE, times=99)
    assert len(appliance.engine.renew().failed) == 8
    assert len(appliance.ca.asked) <= 2


def test_a_mistyped_request_is_no_failed_renewal(appliance: Appliance) -> None:
    """Two failed `issue` runs on a healthy lineage sent its next renewal to staging and showed an error for weeks."""
    appliance.issue(NAME)
    appliance.ca.judge = lambda identifier, kind: {"type": "urn:ietf:params:acme:error:dns", "detail": "NXDOMAIN"}
    with pytest.raises(AuthorizationFailed):
        appliance.issue(NAME, "typo.example.com")
    state = renewal_state.load(appliance.paths, NAME)
    assert (state.failures, state.last_error) == (0, None)
    assert load_lineage(appliance.paths, NAME).domains == (NAME,)


def test_what_somebody_stopped_is_not_finished_by_the_timer(appliance: Appliance) -> None:
    """A cancelled order was issued and deployed at night."""
    cancel = CancelToken()
    honest = appliance.ca.issue

    def stop(csr: object) -> bytes:
        cancel.cancel()
        return honest(csr)

    appliance.ca.issue = stop
    appliance.ca.processing_looks = 3
    with pytest.raises(Cancelled):
        appliance.engine.issue(IssueRequest(domains=(NAME,)), cancel=cancel)
    record = orders.load_order(appliance.paths, NAME)
    assert record is not None
    assert record.stage == orders.STOPPED
    assert appliance.reopened().renew().renewed == ()
    assert appliance.issue(NAME).status.version == 1
    assert len(appliance.ca.orders) == 1


def test_a_run_with_failures_is_not_done(appliance: Appliance) -> None:
    """The log said `done` of a run in which a lineage had failed."""
    write_lineage(appliance.paths, LineageConfig(name="n", domains=("n.example.com",)))
    appliance.ca.fail("", GONE, times=99)
    appliance.engine.renew(report=appliance.told.append)
    assert [event.outcome for event in appliance.of(RunFinished)] == ["failed"]


def test_the_stand_in_waits_for_the_others(appliance: Appliance, tmp_path: Path) -> None:
    """The fallback's own renewal and its deployment for somebody else ran side by side and undid each other."""
    services = [appliance.add_service(tmp_path / "srv", f"web{i}") for i in range(6)]
    for i in range(6):
        appliance.issue(f"n{i}.example.com", targets=(f"web{i}",))
    appliance.engine.first_boot()
    appliance.clock.advance(days=340)
    appliance.ca.fail("", GONE, times=9999)
    report = appliance.engine.renew(force=True)
    assert report.renewed == ("default",)
    assert {service.serves for service in services} == {appliance.live("default")}


def test_the_issuer_that_issued_is_the_method(appliance: Appliance) -> None:
    """A certificate that the private CA gave as a fallback was shown as had by http-01."""
    text = appliance.paths.config.read_text().replace(
        'issuer = "ca"\n', 'issuer = "ca"\nfallback_issuers = ["appliance-ca"]\n'
    )
    appliance.paths.config.write_text(text)
    appliance.issue(NAME)
    renewal_state.save(appliance.paths, NAME, replace(renewal_state.load(appliance.paths, NAME), failures=2))
    appliance.ca.fail("", GONE, times=99)
    assert appliance.engine.renew((NAME,), force=True).renewed == (NAME,)
    status = appliance.engine.status().lineages[0]
    assert (status.method, status.ca) == ("private-ca", "appliance-ca")


def test_a_ca_that_is_out_of_reach_keeps_the_order(appliance: Appliance) -> None:
    """Rubbish instead of the certificate cost an order each time."""
    appliance.ca.fail("/certificate", GONE, times=99)
    with pytest.raises(DirectoryUnreachable):
        appliance.issue(NAME)
    assert appliance.engine.open_orders() == (NAME,)


def test_a_ca_that_stumbles_over_replaces_gets_an_order_without(appliance: Appliance) -> None:
    """A CA that answers `replaces` with HTTP 500 held every renewal up."""
    appliance.ca.meta["renewalInfo"] = True
    appliance.issue(NAME)
    spoilt: list[str] = []

    def stumble(asked: Asked) -> Response | None:
        from base64 import urlsafe_b64decode

        payload = json.loads(asked.body or b"{}")["payload"]
        if b"replaces" not in urlsafe_b64decode(payload + "=" * (-len(payload) % 4)):
            return None
        spoilt.append("replaces")
        return problem("serverInternal", 500, "could not find order")

    appliance.ca.fail("/new-order", stumble, times=9)
    begun = appliance.clock.now()
    assert appliance.engine.renew(force=True).renewed == (NAME,)
    assert spoilt == ["replaces"]
    assert (appliance.clock.now() - begun).total_seconds() < 5


def test_a_master_key_that_cannot_be_read_spoils_no_deployment(appliance: Appliance) -> None:
    """Who may not read the master key had a deployment that was never finished, at every run anew."""
    appliance.issue("nas.local", issuer="self-signed")
    key = appliance.paths.master_key
    if key.exists():
        key.unlink()
    key.mkdir()  # reading it fails, for root too
    report = appliance.engine.renew(force=True, report=appliance.told.append)
    assert report.renewed == ("nas.local",)
    assert list(appliance.paths.transactions.glob("*.json")) == []
    assert "old-key-not-sealed" in [event.code for event in appliance.events if isinstance(event, Warned)]
