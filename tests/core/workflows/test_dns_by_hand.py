"""Orders whose DNS records a person sets: two steps, days apart, and no challenge is ever burnt."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import AuthorizationFailed, Cancelled, NotFound, ReloadFailed, UsageError
from core.events import ChallengePresented, OrderCreated, RecordsRequired, RunFinished, Warned
from core.operations import Issued, IssueRequest, Pending
from core.ports import CancelToken, Completed
from tests.support.acme_server import problem
from tests.support.appliance import Appliance

NAME = "example.com"
BOTH = (NAME, f"*.{NAME}")
TXT = f"_acme-challenge.{NAME}"


@pytest.fixture
def box(appliance: Appliance) -> Appliance:
    """A box whose zone is there, empty, at two servers; and a CA that looks whether the records stand."""
    appliance.dns.zone(NAME, "192.0.2.53", "198.51.100.53")

    def judge(identifier: str, kind: str) -> dict[str, str] | None:
        if appliance.dns.values(TXT) or kind != "dns-01":
            return None
        return {"type": "urn:ietf:params:acme:error:dns", "detail": "no TXT record found"}

    appliance.ca.judge = judge
    return appliance


def begin(box: Appliance, *domains: str, **given: object) -> Pending:
    request = IssueRequest(domains=domains or BOTH, manual=True, **given)
    outcome = box.engine.issue(request, report=box.told.append)
    assert isinstance(outcome, Pending)
    return outcome


def set_records(box: Appliance, pending: Pending) -> None:
    for name in {record.name for record in pending.records}:
        box.dns.set(name, "TXT", *(record.value for record in pending.records if record.name == name))


def complete(box: Appliance, name: str = NAME, **given: object) -> Issued | Pending:
    return box.reopened().complete(name, report=box.told.append, **given)


def answered(box: Appliance) -> int:
    """How many challenges the CA was told to look at."""
    return len(box.of(ChallengePresented))


def test_the_first_step_shows_all_records_and_asks_nothing_of_the_dns(box: Appliance) -> None:
    """All records at once, until when the order lives, and no look at what nobody can have set yet (ST-14, ST-16)."""
    pending = begin(box)
    assert [(record.name, record.type) for record in pending.records] == [(TXT, "TXT")] * 2
    assert len({record.value for record in pending.records}) == 2
    assert all(len(record.value) == 43 for record in pending.records)
    assert pending.expires == box.clock.now() + timedelta(days=7)
    assert pending.views == ()
    assert box.dns.asked == []
    assert answered(box) == 0
    assert isinstance(box.events[-1], RunFinished)
    assert box.events[-1].outcome == "pending"


def test_the_second_step_finishes_from_any_later_process(box: Appliance) -> None:
    """Once the records stand, another process finishes days later: look first, then answer (ST-15)."""
    pending = begin(box)
    set_records(box, pending)
    box.clock.advance(days=3)
    outcome = complete(box)
    assert isinstance(outcome, Issued)
    assert (outcome.status.method, outcome.status.domains) == ("manual-dns-01", BOTH)
    assert len(box.of(OrderCreated)) == 2
    assert box.ca.count("/new-order") == 1
    with pytest.raises(NotFound):
        box.engine.open_order(NAME)


def test_the_same_values_come_back_as_long_as_the_order_lives(box: Appliance) -> None:
    """Whoever begins again, also where the CA lists its authorizations in another order, gets the same records (pain 5)."""
    first = begin(box)
    box.ca.shuffles = True
    again = begin(box)
    assert again.records == first.records
    assert box.engine.open_order(NAME).records == first.records
    assert box.ca.count("/new-order") == 1


def test_nothing_is_answered_before_every_server_has_every_record(box: Appliance) -> None:
    """With one value of two missing, or at one server of two, the order waits and no challenge is burnt (pain 10, 11)."""
    box.configure("\n[dns01]\ntimeout_seconds = 5\n")
    pending = begin(box)
    assert complete(box) != pending  # it says who lacks what
    box.dns.set(TXT, "TXT", pending.records[0].value)
    outcome = complete(box)
    assert isinstance(outcome, Pending)
    assert [view.is_seen for view in outcome.views] == [True, False]
    set_records(box, pending)
    box.dns.lags = {"198.51.100.53": 1000}
    outcome = complete(box)
    assert isinstance(outcome, Pending)
    assert {one.address: one.state for one in outcome.views[0].servers} == {
        "192.0.2.53": "has",
        "198.51.100.53": "lacks",
    }
    assert answered(box) == 0
    box.dns.lags = {}
    assert isinstance(complete(box), Issued)


def test_nobody_waits_when_nothing_is_there_yet(box: Appliance) -> None:
    """A look that finds no record anywhere answers at once instead of waiting for the time-out."""
    begin(box)
    started = box.clock.monotonic()
    outcome = complete(box)
    assert isinstance(outcome, Pending)
    assert box.clock.monotonic() - started < 2


def test_somebody_may_insist(box: Appliance) -> None:
    """Told to, the CA is let look although our own look sees nothing: split-horizon DNS is somebody's own business."""
    pending = begin(box)
    set_records(box, pending)
    box.dns.statuses = {"192.0.2.53": "SILENT", "198.51.100.53": "SILENT", "resolver": "SILENT"}
    assert isinstance(complete(box), Pending)
    assert isinstance(complete(box, anyway=True), Issued)


def test_a_failed_challenge_ends_the_order_and_says_so(box: Appliance) -> None:
    """Insisting too early costs the order: the error has the CA's words, and the next begin has new values."""
    pending = begin(box)
    with pytest.raises(AuthorizationFailed) as caught:
        complete(box, anyway=True)
    assert "no TXT record found" in str(caught.value)
    with pytest.raises(NotFound):
        complete(box)
    assert begin(box).records != pending.records


def test_an_expired_order_is_replaced_and_says_that_the_values_are_new(box: Appliance) -> None:
    """After its seven days an order is of no use; the new one's records are shown, and that they are new."""
    pending = begin(box)
    set_records(box, pending)
    box.clock.advance(days=8)
    box.told.clear()
    outcome = complete(box)
    assert isinstance(outcome, Pending)
    assert outcome.records != pending.records
    assert "order-replaced" in [event.code for event in box.of(Warned) if isinstance(event, Warned)]


def test_status_and_the_open_order_tell_of_it(box: Appliance) -> None:
    """An order that waits is found again by anyone who looks, also for a lineage that does not exist yet."""
    pending = begin(box)
    assert box.engine.open_orders() == (NAME,)
    order = box.engine.open_order(NAME)
    assert (order.records, order.is_manual, order.expires) == (pending.records, True, pending.expires)
    assert box.engine.status().lineages == ()


def test_a_look_changes_nothing(box: Appliance) -> None:
    """Looking at who has which record needs no lock, asks the CA nothing, and tells of each server."""
    pending = begin(box)
    set_records(box, pending)
    asked = len(box.ca.asked)
    views = box.engine.look_at_records(NAME)
    assert all(view.is_seen for view in views)
    assert {view.zone for view in views} == {NAME}
    assert len(box.ca.asked) == asked


def test_a_record_behind_a_cname_is_said(box: Appliance) -> None:
    """Where `_acme-challenge` is a CNAME the look says where the record has to stand."""
    box.dns.zone("delegated.example.net", "203.0.113.53")
    box.dns.set(TXT, "CNAME", "box.delegated.example.net")
    begin(box)
    assert {view.written_at for view in box.engine.look_at_records(NAME)} == {"box.delegated.example.net"}


def test_a_ca_that_forgot_the_account_is_said_too(box: Appliance) -> None:
    """When the CA knows neither account nor order any more the values are new, and that is said."""
    pending = begin(box)
    box.ca.accounts.clear()
    box.ca.orders.clear()
    box.told.clear()
    outcome = complete(box)
    assert isinstance(outcome, Pending)
    assert outcome.records != pending.records
    assert "order-replaced" in [event.code for event in box.of(Warned) if isinstance(event, Warned)]


def test_giving_up_forgets_the_order(box: Appliance) -> None:
    """An order can be given up; the next one has values of its own."""
    pending = begin(box)
    box.engine.give_up(NAME)
    assert box.engine.open_orders() == ()
    assert begin(box).records != pending.records


def test_the_scheduled_run_finishes_what_a_person_has_set(box: Appliance) -> None:
    """Whoever sets the records and goes home finds the certificate in the morning; until then the run says what it waits for."""
    pending = begin(box)
    report = box.engine.renew()
    assert (report.renewed, report.failed) == ((), ())
    assert [skipped.name for skipped in report.skipped] == [NAME]
    assert TXT in report.skipped[0].why
    assert report.skipped[0].needs_you
    set_records(box, pending)
    assert box.engine.renew().renewed == (NAME,)


def test_an_order_that_has_ended_is_not_begun_again_by_the_timer(box: Appliance) -> None:
    """The scheduled run replaces no order of a person by one with other values: it says that it has ended (ST-17)."""
    set_records(box, begin(box))
    complete(box)
    begin(box, force=True)
    box.clock.advance(days=8)
    report = box.engine.renew()
    assert (report.renewed, report.failed) == ((), ())
    assert "ended" in report.skipped[0].why
    assert report.skipped[0].needs_you
    assert box.ca.count("/new-order") == 2


def test_such_a_lineage_never_renews_by_itself_but_is_announced(box: Appliance) -> None:
    """No order is placed for it, forced or due; status says that it is renewed by hand, the run until when (ST-17)."""
    set_records(box, begin(box))
    complete(box)
    status = box.engine.status([NAME]).lineages[0]
    assert (status.auto_renew, status.renew_at, status.renew_why) == (False, None, "by hand")
    early = box.engine.renew().skipped[0].why
    assert "start after" in early
    box.clock.advance(days=75)
    due = box.engine.renew(force=True).skipped[0].why
    assert "start now" in due
    assert "dns-persist-01" in due
    assert box.ca.count("/new-order") == 1


def test_somebody_who_names_it_begins_its_renewal(box: Appliance) -> None:
    """`--renew NAME --force` begins the order of such a lineage, and again when that has ended; it waits for its records."""
    set_records(box, begin(box))
    complete(box)
    box.dns.set(TXT, "TXT", "old")
    skipped = box.engine.renew([NAME], force=True).skipped[0]
    assert skipped.needs_you
    assert f"certdeck status {NAME}" in skipped.why
    first = box.engine.open_order(NAME)
    assert len(first.records) == 2
    box.clock.advance(days=8)
    box.engine.renew([NAME], force=True)
    assert box.engine.open_order(NAME).records != first.records
    box.dns.set(TXT, "TXT", *(record.value for record in box.engine.open_order(NAME).records))
    assert isinstance(complete(box), Issued)
    assert box.engine.status([NAME]).lineages[0].version == 2


def test_a_renewal_by_hand_keeps_serving_meanwhile(box: Appliance, tmp_path: Path) -> None:
    """While the records of the next order are awaited the old certificate stays live, and the lineage's settings stay."""
    service = box.add_service(tmp_path)
    set_records(box, begin(box, targets=("web",)))
    complete(box)
    served = service.serves
    box.clock.advance(days=70)
    box.dns.set(TXT, "TXT", "old")
    pending = begin(box, force=True)
    assert service.serves == served
    set_records(box, pending)
    complete(box)
    assert service.serves != served
    assert box.engine.status([NAME]).lineages[0].targets[0].state == "deployed"


def test_cancelling_the_wait_keeps_the_order(box: Appliance) -> None:
    """Somebody who stops waiting loses nothing, and the timer does not go on behind their back."""
    pending = begin(box)
    box.dns.set(TXT, "TXT", pending.records[0].value)
    cancel = CancelToken()
    box.dns.on_ask = lambda name, type, server: cancel.cancel() if type == "TXT" else None
    with pytest.raises(Cancelled):
        box.engine.complete(NAME, cancel=cancel)
    box.dns.on_ask = None
    assert box.engine.open_order(NAME).records == pending.records


@pytest.mark.parametrize(
    "given",
    [
        {"manual": True, "dns": "cf"},
        {"manual": True, "challenge": "http-01"},
        {"challenge": "dns-01"},
        {"domains": ("*.example.com",)},
        {"manual": True, "staging": True},
        {"manual": True, "rehearse": True},
    ],
)
def test_what_contradicts_itself_is_refused(box: Appliance, given: dict[str, object]) -> None:
    """Two ways at once, DNS records without anybody to set them, a wildcard by http-01, a rehearsal by hand: said at once."""
    box.configure('\n[issuers.ca-staging]\ndirectory = "https://ca.test/directory"\n')
    request = IssueRequest(**{"domains": (NAME,), **given})
    with pytest.raises(UsageError) as caught:
        box.engine.issue(request)
    assert caught.value.fix
    assert box.ca.count("/new-order") == 0


def test_the_ca_refuses_the_order_itself(box: Appliance) -> None:
    """Where no order comes about nothing waits."""
    box.ca.fail("/new-order", problem("rejectedIdentifier", 400, "policy forbids"))
    with pytest.raises(Exception, match="policy forbids"):
        begin(box)
    assert box.engine.open_orders() == ()


def test_records_are_told_as_an_event(box: Appliance) -> None:
    """Front ends and the history learn of the records from the run itself; they are public, not secret."""
    pending = begin(box)
    (event,) = box.of(RecordsRequired)
    assert isinstance(event, RecordsRequired)
    assert event.records == tuple((each.name, each.type, each.value) for each in pending.records)


def test_names_proven_lately_need_no_records(box: Appliance) -> None:
    """When the CA still believes the names nobody has to set anything."""
    set_records(box, begin(box))
    complete(box)
    box.ca.reuses_authorizations = True
    box.dns.set(TXT, "TXT", "old")
    request = IssueRequest(domains=BOTH, manual=True, force=True)
    assert isinstance(box.engine.issue(request), Issued)


def test_after_a_failed_deployment_everybody_says_the_same(appliance: Appliance, tmp_path: Path) -> None:
    """The order is done and its version waits: status, dry run and `complete` said three different things about what comes next."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.engine.issue(IssueRequest(domains=(NAME,), challenge="dns-01", manual=True, targets=("web",)))
    service.reload_answers = [Completed(returncode=1, output="no")]
    with pytest.raises(ReloadFailed) as failed:
        appliance.engine.complete(NAME, anyway=True)
    assert f"certdeck deploy {NAME}" in failed.value.fix
    (row,) = appliance.engine.status().lineages
    assert (row.renew_why, row.renew_at, row.auto_renew) == ("deploy", appliance.clock.now(), False)
    assert appliance.engine.renew(dry_run=True).due == (NAME,)
    with pytest.raises(NotFound) as again:
        appliance.engine.complete(NAME)
    assert f"certdeck deploy {NAME}" in again.value.fix
    assert appliance.engine.renew().renewed == (NAME,)
    (row,) = appliance.engine.status().lineages
    assert (row.renew_why, row.renew_at) == ("by hand", None)
