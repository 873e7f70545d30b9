from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.config.edit import write_lineage
from core.config.load import load_lineage
from core.config.model import LineageConfig
from core.errors import DirectoryUnreachable, LockHeld, NotFound
from core.events import CertificateIssued, IssuerFellBack, OrderCreated, Recovered, Report
from core.ports import TransportFailure
from core.schedule.record import ScheduleRecord
from core.schedule.record import save as save_schedule
from core.schedule.timetable import TWICE_DAILY
from core.store import journal, lineages, renewal_state, windows
from core.store.index import facts_of
from core.store.lock import writers_lock
from core.store.records import rfc3339
from core.workflows.deploying.inflight import SWITCHING, InFlight
from tests.support.acme_server import problem
from tests.support.appliance import Appliance
from tests.support.services import Box

NAME = "shop.example.com"
GONE = TransportFailure("unreachable", "connection refused")


def test_nothing_due_asks_nobody(appliance: Appliance) -> None:
    """A run with nothing due makes no request, takes no lock and remembers that it ran (CL-11)."""
    appliance.issue(NAME)
    asked = len(appliance.ca.asked)
    with writers_lock(appliance.paths, appliance.engine.env, "something else"):
        report = appliance.engine.renew()
    assert (report.renewed, report.failed) == ((), ())
    assert [(each.name, "not due before" in each.why) for each in report.skipped] == [(NAME, True)]
    assert len(appliance.ca.asked) == asked
    assert appliance.engine.status().timer.last_outcome == "done"


def interrupted_deployment(appliance: Appliance) -> None:
    """Leave what a deployment leaves that is killed right after its switch."""
    appliance.issue(NAME)
    box = Box(appliance.paths, appliance.services)
    spec = load_lineage(appliance.paths, NAME)
    version, _ = box.store(spec)
    flight = InFlight(lineage=NAME, version=version, live_before=1, targets=(), changes=(), spec=spec)
    flight.write(box.context, SWITCHING)
    lineages.switch(appliance.paths, NAME, version)


def test_a_run_with_nothing_due_puts_a_killed_deployment_in_order(appliance: Appliance) -> None:
    """A run that found nothing due left a killed deployment half done, until somebody changed something else."""
    interrupted_deployment(appliance)
    report = appliance.engine.renew(report=appliance.told.append)
    assert appliance.of(Recovered)
    assert journal.names(appliance.paths) == ()
    assert report.renewed == (NAME,), "the version that waits since is deployed"
    assert lineages.live_version(appliance.paths, NAME) == 2


def test_a_deployment_under_way_does_not_fail_a_run_with_nothing_due(appliance: Appliance) -> None:
    """Another certdeck that deploys right now needs nobody to put things in order: nothing due is no failure."""
    interrupted_deployment(appliance)
    with writers_lock(appliance.paths, appliance.engine.env, "deploy"):
        report = appliance.engine.renew()
    assert (report.renewed, report.failed) == ((), ())
    assert journal.names(appliance.paths) == (NAME,)


def test_an_order_that_cannot_be_read_stops_nothing_else(appliance: Appliance) -> None:
    """One damaged order of a certificate that never came to be made the whole run fail; it is that name's failure alone."""
    appliance.issue(NAME)
    order = appliance.paths.orders / "new.example.com" / "order.json"
    order.parent.mkdir(parents=True)
    order.write_text("{")
    appliance.clock.advance(days=70)
    report = appliance.engine.renew()
    assert report.renewed == (NAME,)
    assert [(each.name, each.error.code) for each in report.failed] == [("new.example.com", "store-corrupt")]


def test_a_third_of_the_life_before_its_end_it_is_due(appliance: Appliance) -> None:
    """A 90-day certificate renews when 30 days are left, by the method it was had with (ST-29, ST-30, CL-05)."""
    appliance.issue(NAME)
    appliance.clock.advance(days=59, hours=23)
    assert appliance.engine.renew().renewed == ()
    appliance.clock.advance(hours=2)
    assert appliance.engine.renew().renewed == (NAME,)
    status = appliance.engine.status().lineages[0]
    assert (status.version, status.method, status.days_left) == (2, "http-01", 89)


def test_force_renews_what_is_not_due(appliance: Appliance) -> None:
    """A forced run renews everything, a named one just that (CC-22, CL-10, SO-29)."""
    appliance.issue("a.example.com")
    appliance.issue("b.example.com")
    assert appliance.engine.renew(("a.example.com",), force=True).renewed == ("a.example.com",)
    assert appliance.engine.renew(force=True).renewed == ("a.example.com", "b.example.com")


def test_a_dry_run_changes_nothing(appliance: Appliance) -> None:
    """`--dry-run` says what is due and touches neither the CA nor the disk."""
    appliance.issue(NAME)
    appliance.clock.advance(days=70)
    asked, generation = len(appliance.ca.asked), appliance.engine.generation()
    report = appliance.engine.renew(dry_run=True)
    assert (report.due, report.renewed) == ((NAME,), ())
    assert (len(appliance.ca.asked), appliance.engine.generation()) == (asked, generation)


def test_one_failure_does_not_stop_the_others(appliance: Appliance) -> None:
    """A name that the CA refuses fails alone, is remembered with its reason, and the rest is renewed."""
    for name in ("a.example.com", "b.example.com", "c.example.com"):
        appliance.issue(name)
    appliance.clock.advance(days=70)
    appliance.ca.judge = lambda identifier, kind: (
        {"type": "urn:ietf:params:acme:error:dns", "detail": "NXDOMAIN"} if identifier == "b.example.com" else None
    )
    report = appliance.engine.renew()
    assert report.renewed == ("a.example.com", "c.example.com")
    assert [(each.name, each.error.code) for each in report.failed] == [("b.example.com", "authorization-failed")]
    status = {each.name: each for each in appliance.engine.status().lineages}
    assert status["b.example.com"].last_error is not None
    assert status["b.example.com"].last_error["code"] == "authorization-failed"
    assert status["a.example.com"].last_error is None
    assert appliance.engine.status().timer.last_outcome == "failed"


def test_after_a_failure_it_waits_and_then_tries_again(appliance: Appliance) -> None:
    """Retries come after about 1, 10 and 100 minutes, then daily; a person who asks does not wait (CC-19, SF-16)."""
    appliance.issue(NAME)
    appliance.clock.advance(days=70)
    appliance.ca.fail("/new-order", problem("serverInternal", 403), times=99)
    waits = []
    for _ in range(5):
        begun = appliance.clock.now()
        assert len(appliance.engine.renew().failed) == 1
        retry = renewal_state.load(appliance.paths, NAME).next_attempt
        assert retry is not None
        waits.append((retry - begun).total_seconds() / 60)
        assert "next attempt" in appliance.engine.renew().skipped[0].why
        appliance.clock.set(retry + timedelta(seconds=1))
    assert [round(wait, -1) if wait > 60 else round(wait) for wait in waits][:1] == [1]
    assert 9 < waits[1] < 13
    assert 99 < waits[2] < 125
    assert all(24 * 60 <= wait < 27 * 60 for wait in waits[3:])
    assert len(appliance.engine.renew((NAME,)).failed) == 1
    appliance.ca._script.clear()
    assert appliance.engine.renew((NAME,)).renewed == (NAME,)
    assert renewal_state.load(appliance.paths, NAME).failures == 0


def test_a_rate_limit_is_waited_out(appliance: Appliance) -> None:
    """A 429 holds the lineage up until the time the CA named."""
    appliance.issue(NAME)
    appliance.clock.advance(days=70)
    begun = appliance.clock.now()
    appliance.ca.fail(
        "/new-order", problem("rateLimited", 429, "slow down", headers={"retry-after": "172800"}), times=9
    )
    report = appliance.engine.renew()
    assert report.failed[0].error.code == "rate-limited"
    retry = renewal_state.load(appliance.paths, NAME).next_attempt
    assert retry is not None
    assert retry >= begun + timedelta(days=2)


def test_the_fallback_issuer_is_asked_after_two_failures(appliance: Appliance) -> None:
    """When the issuer failed twice the next one of the list is asked, and the lineage keeps its own."""
    appliance.configure('[issuers.other]\ndirectory = "https://ca.test/directory"\nagree_tos = true\n')
    text = appliance.paths.config.read_text().replace(
        'issuer = "ca"\n', 'issuer = "ca"\nfallback_issuers = ["other"]\n'
    )
    appliance.paths.config.write_text(text)
    appliance.issue(NAME)
    appliance.clock.advance(days=70)
    appliance.ca.fail("/new-order", problem("serverInternal", 403), times=4)
    assert appliance.engine.renew((NAME,)).failed[0].name == NAME
    report = appliance.engine.renew((NAME,), report=appliance.told.append)
    assert report.renewed == (NAME,)
    assert [event.to_issuer for event in appliance.of(IssuerFellBack)] == ["other"]
    assert appliance.engine.status().lineages[0].ca == "other"
    assert load_lineage(appliance.paths, NAME).issuer in (None, "ca")


def suggest(appliance: Appliance, days: float) -> None:
    """Let the CA want the renewal within an hour, so many days from now."""
    renewal_id = facts_of(appliance.paths, NAME).renewal_id
    assert renewal_id is not None
    start = appliance.clock.now() + timedelta(days=days)
    window = {"start": rfc3339(start), "end": rfc3339(start + timedelta(hours=1))}
    appliance.ca.windows[renewal_id] = {"suggestedWindow": window}


def test_a_window_that_could_not_be_had_is_asked_for_again(appliance: Appliance) -> None:
    """A CA that did not answer right after the issuance was never asked again when it wants the renewal (RFC 9773)."""
    appliance.issue(NAME)
    suggest(appliance, 10)
    asked = appliance.ca.count("/renewal-info", "GET")
    assert appliance.engine.renew().renewed == ()
    assert appliance.ca.count("/renewal-info", "GET") == asked, "not at every run"
    appliance.clock.advance(hours=7)
    assert appliance.engine.renew().renewed == ()
    status = appliance.engine.status().lineages[0]
    assert status.renew_why == "ari"
    assert status.renew_at is not None
    assert 9 < (status.renew_at - appliance.clock.now()).total_seconds() / 86400 < 10


def test_a_window_moved_to_the_past_renews_and_says_what_it_replaces(appliance: Appliance) -> None:
    """A CA that is about to revoke moves the window: the next run renews, with `replaces` in the order (RFC 9773)."""
    appliance.issue(NAME)
    suggest(appliance, -1)
    appliance.clock.advance(hours=7)
    assert appliance.engine.renew().renewed == (NAME,)
    assert appliance.ca.replaced


def test_a_ca_is_asked_about_a_new_certificate_by_a_later_run(appliance: Appliance) -> None:
    """Issuing asks the CA nothing about the renewal, and neither does a run right after it; one hours later does."""
    appliance.issue(NAME)
    appliance.engine.renew()
    assert appliance.ca.count("/renewal-info", "GET") == 0
    appliance.clock.advance(hours=7)
    appliance.engine.renew()
    appliance.engine.renew()
    assert appliance.ca.count("/renewal-info", "GET") == 1


def test_many_answers_are_one_file(appliance: Appliance) -> None:
    """What the CA says about many certificates is written once, and touches nothing of the certificates themselves."""
    names = [f"n{number}.example.com" for number in range(12)]
    for name in names:
        appliance.issue(name)
    appliance.clock.advance(hours=7)
    before = {name: (appliance.paths.lineages / name).stat().st_ctime_ns for name in names}
    appliance.engine.renew()
    assert sorted(windows.load(appliance.paths)) == sorted(names)
    assert {name: (appliance.paths.lineages / name).stat().st_ctime_ns for name in names} == before
    assert appliance.ca.count("/renewal-info", "GET") == len(names)


def test_a_lost_answer_is_asked_for_again(appliance: Appliance) -> None:
    """The file of answers is derived: damaged, or gone, the next run asks again."""
    appliance.issue(NAME)
    appliance.clock.advance(hours=7)
    for text in (None, b"", b"[]", b'{"windows": {"shop.example.com": [1]}}', b'{"windows": 5}', b"[" * 9000):
        if text is not None:
            appliance.paths.windows.write_bytes(text)
        asked = appliance.ca.count("/renewal-info", "GET")
        assert appliance.engine.renew().failed == ()
        assert appliance.ca.count("/renewal-info", "GET") == asked + 1
        assert list(windows.load(appliance.paths)) == [NAME]


def test_asking_can_wait_for_who_holds_the_lock(appliance: Appliance) -> None:
    """A run that would only ask the CA does not fail because another certdeck process is running."""
    appliance.issue(NAME)
    appliance.clock.advance(hours=7)
    with writers_lock(appliance.paths, appliance.engine.env, "something else"):
        assert appliance.engine.renew().failed == ()
    assert appliance.engine.renew().failed == ()
    assert appliance.ca.count("/renewal-info", "GET") == 1


def test_automatic_renewal_can_be_off(appliance: Appliance) -> None:
    """With `auto_renew = false` a lineage renews only when it is named (CC-16, ST-31)."""
    appliance.issue(NAME)
    appliance.engine.set_lineage(NAME, auto_renew=False)
    appliance.clock.advance(days=80)
    assert appliance.engine.renew().skipped[0].why == "automatic renewal is off"
    assert appliance.engine.status().lineages[0].renew_why == "off"
    report = appliance.engine.renew((NAME,))
    assert (report.renewed, report.issued) == ((NAME,), ())


def test_a_hand_written_lineage_is_issued(appliance: Appliance) -> None:
    """A file put into certificates.d is all it takes: the next run orders the certificate (SF-11)."""
    appliance.engine.first_boot()
    write_lineage(appliance.paths, LineageConfig(name="new", domains=("new.example.com",)))
    assert appliance.engine.status(("new",)).lineages[0].sha256 == ""
    report = appliance.engine.renew()
    assert (report.renewed, report.issued) == (("new",), ("new",))
    assert b"BEGIN CERTIFICATE" in appliance.live("new")


def test_an_order_that_a_killed_run_left_open_is_finished(appliance: Appliance) -> None:
    """The scheduled run goes on with the order of a lineage that does not exist yet, and spends no second one."""
    appliance.ca.fail("/finalize", GONE, times=99)
    with pytest.raises(DirectoryUnreachable):
        appliance.issue(NAME)
    appliance.ca._script.clear()
    assert appliance.reopened().renew().renewed == (NAME,)
    assert len(appliance.ca.orders) == 1
    assert b"BEGIN CERTIFICATE" in appliance.live(NAME)


def test_a_broken_lineage_file_fails_alone(appliance: Appliance) -> None:
    """A lineage file with an unknown key is a failure of its own in the report."""
    appliance.issue(NAME)
    (appliance.paths.certificates / "bad.toml").write_text('domians = ["x.example.com"]\n')
    appliance.clock.advance(days=70)
    report = appliance.engine.renew()
    assert report.renewed == (NAME,)
    assert [(each.name, each.error.code) for each in report.failed] == [("bad", "config-invalid")]
    assert "domains" in str(report.failed[0].error.details)


def test_an_unknown_name_is_an_error(appliance: Appliance) -> None:
    """Renewing what does not exist is refused by name."""
    with pytest.raises(NotFound, match="nothere"):
        appliance.engine.renew(("nothere",))


def test_a_second_run_is_told_who_holds_the_lock(appliance: Appliance) -> None:
    """Two runs at once: the second one is refused and the first one's work stands."""
    appliance.issue(NAME)
    appliance.clock.advance(days=70)
    with writers_lock(appliance.paths, appliance.engine.env, "issue"), pytest.raises(LockHeld):
        appliance.engine.renew()


def test_renewed_certificates_reach_their_service(appliance: Appliance, tmp_path: Path) -> None:
    """A renewal is deployed by itself (CC-21, SF-15)."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    appliance.clock.advance(days=70)
    assert appliance.engine.renew().renewed == (NAME,)
    assert service.serves == appliance.live(NAME)


def test_a_failed_deployment_leaves_the_old_pair_and_waits(appliance: Appliance, tmp_path: Path) -> None:
    """A service that refuses the new pair keeps the old one; the next run deploys what waits, without an order (ST-41)."""
    from core.ports import Completed

    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    before = appliance.live(NAME)
    service.test_answers.append(Completed(returncode=1, output="nginx: [emerg] unknown directive"))
    report = appliance.engine.renew(force=True)
    assert report.failed[0].error.code == "config-test-failed"
    assert appliance.live(NAME) == before == service.serves
    orders = len(appliance.ca.orders)
    assert appliance.engine.renew().renewed == (NAME,)
    assert len(appliance.ca.orders) == orders
    assert service.serves == appliance.live(NAME) != before


def test_what_waits_goes_where_it_was_meant_to_go(appliance: Appliance, tmp_path: Path) -> None:
    """A first certificate that its service refused takes the service over with the next run, from the first-boot one too."""
    from core.errors import ConfigTestFailed
    from core.ports import Completed

    service = appliance.add_service(tmp_path / "srv")
    appliance.engine.first_boot()
    service.test_answers.append(Completed(returncode=1, output="nginx: [emerg] unknown directive"))
    with pytest.raises(ConfigTestFailed):
        appliance.issue(NAME, targets=("web",))
    assert service.serves == appliance.live("default")
    assert not (appliance.paths.live / NAME).exists()
    status = appliance.engine.status((NAME,))
    row = status.lineages[0]
    assert (row.waiting_version, row.renew_at, row.renew_why) == (1, status.time, "deploy")
    assert appliance.engine.renew(dry_run=True).due == (NAME,)
    assert appliance.engine.renew().renewed == (NAME,)
    assert service.serves == appliance.live(NAME)
    targets = {each.name: [target.name for target in each.targets] for each in appliance.engine.status().lineages}
    assert targets == {"default": [], NAME: ["web"]}


def test_the_fallback_certificate_stands_in_at_expiry(appliance: Appliance, tmp_path: Path) -> None:
    """An expired certificate makes room for the self-signed one, and the first success takes it back (CL-07, CL-08)."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    appliance.engine.first_boot()
    appliance.ca.fail("", GONE, times=10_000)
    appliance.clock.advance(days=91)
    assert len(appliance.engine.renew((NAME,)).failed) == 1
    assert service.serves == appliance.live("default")
    appliance.ca._script.clear()
    assert appliance.engine.renew((NAME,)).renewed == (NAME,)
    assert service.serves == appliance.live(NAME)


def test_days_before_are_followed_where_they_can_work(appliance: Appliance) -> None:
    """`renew_days_before` moves the moment, and one that would renew all the time is refused (CC-17)."""
    from core.errors import UsageError

    appliance.issue(NAME)
    appliance.engine.set_lineage(NAME, renew_days_before=45)
    status = appliance.engine.status().lineages[0]
    assert status.renew_why == "days-before"
    assert status.not_after is not None
    assert status.renew_at == status.not_after - timedelta(days=45)
    with pytest.raises(UsageError, match="80 days"):
        appliance.engine.set_lineage(NAME, renew_days_before=80)


def test_an_upload_never_renews_by_itself(appliance: Appliance) -> None:
    """A certificate that somebody brought is watched and left alone."""
    appliance.issue(NAME)
    write_lineage(appliance.paths, replace(load_lineage(appliance.paths, NAME), issuer="upload"))
    appliance.clock.advance(days=80)
    assert "uploaded" in appliance.engine.renew(force=True).skipped[0].why


def test_many_renew_side_by_side(appliance: Appliance) -> None:
    """Forty independent lineages renew in one run, each with a certificate of its own (SF-14)."""
    names = tuple(f"n{i:02}.example.com" for i in range(40))
    for name in names:
        write_lineage(appliance.paths, LineageConfig(name=name, domains=(name,)))
    assert appliance.engine.renew().renewed == names
    assert len({status.sha256 for status in appliance.engine.status().lineages}) == 40


def test_an_issuer_gets_no_more_orders_at_once_than_it_may(appliance: Appliance) -> None:
    """`max_orders` bounds the orders that are under way at one issuer."""
    import threading

    text = appliance.paths.config.read_text().replace("agree_tos = true\n", "agree_tos = true\nmax_orders = 2\n", 1)
    appliance.paths.config.write_text(text)
    under_way, most, counting = set[str](), [0], threading.Lock()

    def count(told: Report) -> None:
        with counting:
            if isinstance(told.event, OrderCreated):
                under_way.add(str(told.lineage))
            elif isinstance(told.event, CertificateIssued):
                under_way.discard(str(told.lineage))
            most[0] = max(most[0], len(under_way))

    for i in range(12):
        write_lineage(appliance.paths, LineageConfig(name=f"n{i}", domains=(f"n{i}.example.com",)))
    assert len(appliance.engine.renew(report=count).renewed) == 12
    assert 1 <= most[0] <= 4, "two under way, and two that have just been fetched and are not told yet"


def test_a_missed_run_is_a_row_of_the_log(appliance: Appliance) -> None:
    """A run that comes much too late says so in the log, once, although nobody is set up to be told."""
    appliance.issue(NAME)
    save_schedule(appliance.paths, ScheduleRecord(how="cron", since=appliance.clock.now(), timetable=TWICE_DAILY))

    def rows() -> int:
        return len([each for each in appliance.engine.log() if each.facts.get("code") == "run-missed"])

    for hours, told in ((1, 0), (12, 0), (13, 0), (30, 1), (0.5, 1), (12, 1)):
        appliance.clock.advance(hours=hours)
        assert appliance.engine.renew().failed == ()
        assert rows() == told, hours
    appliance.clock.advance(days=5)
    appliance.engine.renew(dry_run=True)
    assert rows() == 1, "a dry run is no run"
