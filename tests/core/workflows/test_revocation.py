"""A certificate that its CA has revoked is seen by the scheduled run, red everywhere, and renewed at once. Over real HTTP."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta

import pytest
from cryptography import x509

from core.engine import Engine
from core.events import Warned
from core.health import health
from core.operations import Finding
from core.ports import CancelToken
from core.store import renewal_state, revocation
from core.store.index import facts_of_all
from core.store.lock import writers_lock
from core.system.transport import HttpsTransport
from core.upload.values import ImportRequest, Part, Upload
from core.workflows.renewing.revocation import ask_when_due
from tests.support.appliance import Appliance
from tests.support.authority import Authority
from tests.support.killer import kills
from tests.support.revocations import Publisher, list_at, ocsp_answer, responder_at, revocation_list
from tests.support.uploads import pem, san, sign

NAME = "shop.example.com"


@pytest.fixture
def publisher(appliance: Appliance) -> Iterator[Publisher]:
    """The web server of the box's CA; the box reaches it over real HTTP."""
    transport = HttpsTransport(None, {})
    appliance.vendors["127.0.0.1"] = transport
    with Publisher().served() as served:
        yield served
    transport.close()


def leaf_of(appliance: Appliance, name: str = NAME) -> x509.Certificate:
    return x509.load_pem_x509_certificate(appliance.live(name))


def publish(appliance: Appliance, publisher: Publisher, *revoked: x509.Certificate, **fields: timedelta) -> None:
    """Put out a new list."""
    now = appliance.clock.now()
    serials = {each.serial_number: now - timedelta(hours=2) for each in revoked}
    publisher.files["/1.crl"] = revocation_list(appliance.ca.authority, serials, now, **fields)


def with_a_list(appliance: Appliance, publisher: Publisher) -> None:
    """Let the CA issue certificates that name its list."""
    appliance.ca.extensions = [list_at(f"{publisher.url}/1.crl")]


def finding(engine: Engine, name: str | None = None) -> list[Finding]:
    return [each for each in engine.doctor(name=name) if each.id == "revocation"]


def test_a_certificate_revoked_by_its_ca_is_renewed_by_the_next_run(appliance: Appliance, publisher: Publisher) -> None:
    """The daily question finds the revocation in the CA's list; the same run renews, and the log says who revoked it."""
    with_a_list(appliance, publisher)
    appliance.issue(NAME)
    publish(appliance, publisher)
    assert appliance.engine.renew().renewed == ()
    assert [each.status for each in finding(appliance.engine)] == ["pass"]
    old = leaf_of(appliance)
    publish(appliance, publisher, old)
    appliance.clock.advance(days=1)
    report = appliance.engine.renew(report=appliance.told.append)
    assert report.renewed == (NAME,)
    assert leaf_of(appliance) != old
    (told,) = [each for each in appliance.of(Warned) if isinstance(each, Warned) and each.code == "revoked"]
    assert "keyCompromise" in told.what
    assert f"{publisher.url}/1.crl" in told.what
    assert not appliance.engine.status().lineages[0].revoked


def test_until_it_is_renewed_it_is_red_everywhere(appliance: Appliance, publisher: Publisher) -> None:
    """Where the renewal fails, status is critical and doctor says since when and why, from what was kept."""
    with_a_list(appliance, publisher)
    appliance.issue(NAME)
    publish(appliance, publisher, leaf_of(appliance))
    appliance.ca.judge = lambda identifier, kind: {"type": "urn:ietf:params:acme:error:dns", "detail": "NXDOMAIN"}
    assert [each.name for each in appliance.engine.renew().failed] == [NAME]
    publisher.seen.clear()
    (row,) = appliance.engine.status().lineages
    assert "revoked" in [reason.code for reason in health(row).reasons]
    assert health(row).level == "critical"
    (found,) = finding(appliance.engine)
    assert (found.status, found.title) == ("fail", NAME)
    assert "keyCompromise" in found.detail
    assert finding(appliance.engine, NAME) == [found]
    assert publisher.seen == [], "status and doctor ask nobody"


def test_one_question_a_day_and_one_for_all_certificates_of_a_list(appliance: Appliance, publisher: Publisher) -> None:
    """A list is read once for all its certificates, once a day, by scheduled runs alone."""
    with_a_list(appliance, publisher)
    for name in (NAME, "mail.example.com", "www.example.com"):
        appliance.issue(name)
    publish(appliance, publisher)
    appliance.engine.renew((NAME,))
    appliance.engine.renew(dry_run=True)
    assert publisher.seen == []
    for _ in range(3):
        appliance.engine.renew()
        appliance.clock.advance(hours=5)
    assert publisher.seen == ["GET /1.crl"]
    appliance.clock.advance(hours=6)
    appliance.engine.renew()
    assert publisher.seen == ["GET /1.crl"] * 2


def test_a_responder_is_asked_before_lists(appliance: Appliance, publisher: Publisher) -> None:
    """OCSP is one small answer; the list is read only where the responder gives none."""
    appliance.ca.extensions = [list_at(f"{publisher.url}/1.crl"), responder_at(f"{publisher.url}/ocsp")]
    appliance.issue(NAME)
    publish(appliance, publisher)
    now = appliance.clock.now()
    publisher.responder = lambda request: ocsp_answer(appliance.ca.authority, leaf_of(appliance), now)
    appliance.engine.renew()
    assert publisher.seen == ["POST /ocsp"]
    publisher.seen.clear()
    publisher.responder = lambda request: b"out of order"
    appliance.clock.advance(days=1)
    publish(appliance, publisher, leaf_of(appliance))
    assert appliance.engine.renew().renewed == (NAME,)
    assert publisher.seen == ["POST /ocsp", "GET /1.crl"]


@pytest.mark.parametrize("kind", ["gone", "broken", "old", "dead"])
def test_a_question_without_an_answer_alarms_nobody(appliance: Appliance, publisher: Publisher, kind: str) -> None:
    """A list that is gone, broken or out of date, or a dead server: the run is as good as any, and doctor says why."""
    with_a_list(appliance, publisher)
    if kind == "dead":
        appliance.ca.extensions = [list_at("http://127.0.0.1:9/1.crl")]
    appliance.issue(NAME)
    if kind == "broken":
        publisher.files["/1.crl"] = b"<html>"
    elif kind == "old":
        publish(appliance, publisher, leaf_of(appliance), age=timedelta(days=30))
    report = appliance.engine.renew(report=appliance.told.append)
    assert (report.renewed, report.failed, report.warnings) == ((), (), ())
    assert appliance.engine.status().timer.last_outcome == "done"
    assert health(appliance.engine.status().lineages[0]).reasons[:-1] == (), "the timer alone"
    (found,) = finding(appliance.engine)
    assert found.status == "skip"
    assert "could not be queried" in found.why


def test_an_answer_holds_until_its_end_although_the_next_question_fails(
    appliance: Appliance, publisher: Publisher
) -> None:
    """A good answer counts until nextUpdate; afterwards nothing is known any more, which is no alarm either."""
    with_a_list(appliance, publisher)
    appliance.issue(NAME)
    publish(appliance, publisher)
    appliance.engine.renew()
    publisher.files.clear()
    appliance.clock.advance(days=2)
    appliance.engine.renew()
    assert [each.status for each in finding(appliance.engine)] == ["pass"]
    appliance.clock.advance(days=6)
    appliance.engine.renew()
    assert [each.status for each in finding(appliance.engine)] == ["skip"]


def test_it_can_be_switched_off(appliance: Appliance, publisher: Publisher) -> None:
    """With `check_revocation = false` nobody is asked."""
    with_a_list(appliance, publisher)
    appliance.configure("check_revocation = false\n")
    appliance.issue(NAME)
    appliance.engine.renew()
    assert publisher.seen == []
    assert ["check_revocation" in each.detail for each in finding(appliance.engine)] == [True]


def test_a_certificate_without_places_costs_nothing(appliance: Appliance) -> None:
    """A box whose certificates say nothing about revocation keeps no file for it."""
    appliance.issue(NAME)
    appliance.engine.renew()
    assert not appliance.paths.revocation.exists()


def test_a_busy_lock_loses_no_revocation(appliance: Appliance, publisher: Publisher) -> None:
    """Found while another certdeck holds the lock, it is asked for again by the next run."""
    with_a_list(appliance, publisher)
    appliance.issue(NAME)
    publish(appliance, publisher, leaf_of(appliance))
    with writers_lock(appliance.paths, appliance.engine.env, "something else"):
        appliance.engine.renew()
    assert renewal_state.load(appliance.paths, NAME).revoked is None
    assert appliance.engine.renew().renewed == (NAME,)


def test_a_stop_ends_the_questions(appliance: Appliance, publisher: Publisher) -> None:
    """Somebody who stops the run does not wait for a CA's server; nothing is kept of what was not asked."""
    with_a_list(appliance, publisher)
    appliance.issue(NAME)
    cancel = CancelToken()
    cancel.cancel()
    appliance.engine.renew(cancel=cancel)
    assert publisher.seen == []
    assert revocation.load(appliance.paths.revocation) == {}


def test_an_upload_that_was_revoked_waits_for_a_person(appliance: Appliance, publisher: Publisher) -> None:
    """Nobody can renew an upload: the run says what to bring, and status is critical."""
    authority: Authority = appliance.ca.authority
    leaf = authority.leaf([NAME])
    above = authority.intermediate
    certificate = sign(
        NAME,
        leaf.key,
        issuer=above.certificate.subject,
        issuer_key=above.key,
        not_before=appliance.clock.now() - timedelta(days=1),
        not_after=appliance.clock.now() + timedelta(days=90),
        extensions=[san(NAME), (list_at(f"{publisher.url}/1.crl"), False)],
    )
    given = Upload((Part("a", pem(certificate) + authority.chain_pem), Part("b", leaf.key_pem)))
    appliance.engine.import_upload(ImportRequest(name="shop", upload=given, force=True))
    publish(appliance, publisher, certificate)
    (skipped,) = appliance.engine.renew().skipped
    assert skipped.needs_you
    assert "certdeck import shop" in skipped.why
    assert health(appliance.engine.status().lineages[0]).level == "critical"


def test_the_time_of_the_file_says_when_cas_are_asked_again(appliance: Appliance, publisher: Publisher) -> None:
    """The short way of an idle run ends when CAs are to be asked again; a time that only a wrong clock can have left is void."""
    with_a_list(appliance, publisher)
    appliance.issue(NAME)
    publish(appliance, publisher)
    appliance.engine.renew()
    now = appliance.clock.now().timestamp()
    assert revocation.asked_again_at(appliance.paths.revocation, now) == now + revocation.PAUSE_SECONDS
    ahead = now + 30 * 86400
    os.utime(appliance.paths.revocation, (ahead, ahead))
    assert revocation.asked_again_at(appliance.paths.revocation, now) == now


def test_an_upload_of_a_certificate_that_was_found_revoked_gets_a_hint(
    appliance: Appliance, publisher: Publisher
) -> None:
    """What a CA said about a live certificate is known when somebody brings that certificate again."""
    with_a_list(appliance, publisher)
    appliance.issue(NAME)
    text = appliance.live(NAME)
    publish(appliance, publisher, leaf_of(appliance))
    appliance.ca.judge = lambda identifier, kind: {"type": "urn:ietf:params:acme:error:dns", "detail": "NXDOMAIN"}
    appliance.engine.renew()
    checked = appliance.engine.check_upload(Upload((Part("a", text),)))
    (found,) = [each for each in checked.checks if each.id == "revoked"]
    assert found.status == "warn"
    assert "by its CA" in found.detail
    assert f"{publisher.url}/1.crl" in found.detail


def test_killed_at_any_step_the_revocation_is_marked_or_asked_for_again(
    appliance: Appliance, publisher: Publisher
) -> None:
    """Whoever dies between the answer and the mark leaves no kept answer, so that the next run asks and renews."""
    with_a_list(appliance, publisher)
    appliance.issue(NAME)
    publish(appliance, publisher, leaf_of(appliance))
    view = appliance.engine._view()
    asked = ask_when_due(view, facts_of_all(appliance.paths)[0], None)
    assert asked is not None
    assert list(asked.revoked) == [NAME]
    with appliance.engine._writing("renew", appliance.told.append) as context:
        for where in kills(appliance.paths.state, lambda: asked.settle(context)):
            is_marked = renewal_state.load(appliance.paths, NAME).revoked is not None
            is_kept = bool(revocation.load(appliance.paths.revocation))
            assert is_marked or not is_kept, where
