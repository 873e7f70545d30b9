"""Who is told of what after a renewal run (SO-08, CL-06, CC-20, SF-16): grouped, not too often, and with its end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.engine import Engine
from core.errors import LockHeld, StoreError
from core.ports import TransportFailure
from core.schedule.record import ScheduleRecord, save
from core.schedule.timetable import TWICE_DAILY
from core.store.lock import writers_lock
from core.store.records import FORMAT
from tests.support.appliance import Appliance
from tests.support.hook_receiver import Receiver

NAME = "shop.example.com"
OTHER = "mail.example.com"
GONE = TransportFailure("unreachable", "connection refused")
Make = Callable[..., Appliance]
NO_TIMER = ("timer", None)


def scheduled(appliance: Appliance) -> None:
    """Let cron run it twice a day, from now on."""
    save(appliance.paths, ScheduleRecord(how="cron", since=appliance.clock.now(), timetable=TWICE_DAILY))


def down(appliance: Appliance) -> None:
    """Let the CA be unreachable for good."""
    appliance.ca.fail("/directory", GONE, times=10_000)


def test_a_run_with_nothing_to_tell_sends_nothing(box: Make, receiver: Receiver) -> None:
    """All is well and nothing is due: nobody is told, and nothing is kept. A missing timer is told once."""
    appliance = box()
    appliance.issue(NAME)
    assert appliance.engine.renew().warnings == ()
    assert receiver.told() == [NO_TIMER]
    appliance.engine.renew()
    assert receiver.told() == []
    appliance.clock.advance(hours=24)
    appliance.engine.renew()
    assert receiver.told() == [("recovered", None)], "two runs in two days: something starts them"
    appliance.engine.renew()
    assert receiver.told() == []


def test_a_renewal_is_told(box: Make, receiver: Receiver) -> None:
    """One message tells of every renewal of a run (CC-20)."""
    appliance = box('on = ["renewed"]\n')
    appliance.issue(NAME)
    appliance.issue(OTHER)
    appliance.clock.advance(days=70)
    assert len(appliance.engine.renew().renewed) == 2
    assert len(receiver.asked) == 1
    value = json.loads(receiver.asked[0].body or b"")
    assert value["subject"] == f"[certdeck box.example.com] renewed: {OTHER}, {NAME}"
    assert receiver.told() == [("renewed", OTHER), ("renewed", NAME)]


def test_a_failure_is_told_with_its_next_try_and_its_end(box: Make, receiver: Receiver) -> None:
    """A failed renewal is told with what, why, fix and next try (CL-06); daily while it lasts; and that it works again."""
    appliance = box('on = ["failed", "recovered"]\n')
    appliance.issue(NAME)
    down(appliance)
    appliance.clock.advance(days=61)
    report = appliance.engine.renew()
    assert len(report.failed) == 1
    message = json.loads(receiver.asked[0].body or b"")["messages"][0]
    assert (message["event"], message["certificate"]) == ("failed", NAME)
    assert message["what"] == report.failed[0].error.what
    assert message["why"]
    assert message["fix"]
    assert message["next_try"].endswith("Z")
    receiver.told()
    appliance.clock.advance(hours=12)
    appliance.engine.renew()
    assert receiver.told() == [], "not told twice a day"
    appliance.clock.advance(hours=13)
    appliance.engine.renew()
    assert receiver.told() == [("failed", NAME)]


def test_the_next_try_is_not_before_the_certificate_is_due(box: Make, receiver: Receiver) -> None:
    """After a forced renewal has failed long before the certificate is due, the message has the time that `status` shows."""
    appliance = box('on = ["failed"]\n')
    appliance.issue(NAME)
    down(appliance)
    appliance.clock.advance(days=2)
    assert len(appliance.engine.renew(force=True).failed) == 1
    told = datetime.fromisoformat(json.loads(receiver.asked[0].body or b"")["messages"][0]["next_try"])
    (shown,) = appliance.engine.status([NAME]).lineages
    assert shown.renew_at is not None
    assert told == shown.renew_at.replace(microsecond=0)
    assert told > appliance.clock.now() + timedelta(days=30)


def test_recovery_is_told(box: Make, receiver: Receiver) -> None:
    """The success after failures is told as recovery, instead of as one more renewal."""
    appliance = box('on = ["failed", "recovered", "renewed"]\n')
    appliance.issue(NAME)
    appliance.listener.busy = True
    appliance.clock.advance(days=61)
    appliance.engine.renew()
    assert receiver.told() == [("failed", NAME)]
    appliance.listener.busy = False
    appliance.clock.advance(days=2)
    assert appliance.engine.renew().renewed == (NAME,)
    assert receiver.told() == [("recovered", NAME)]
    appliance.clock.advance(days=1)
    appliance.engine.renew()
    assert receiver.told() == []
    assert not appliance.paths.notified.exists()


def test_below_fifteen_days_is_an_event_of_its_own(box: Make, receiver: Receiver) -> None:
    """Below 15 days and still failing is `deadline` (SF-16), told at once although the failure was told that day."""
    appliance = box('on = ["failed", "deadline"]\n')
    appliance.issue(NAME)
    down(appliance)
    appliance.clock.advance(days=74, hours=20)
    appliance.engine.renew()
    assert receiver.told() == [("failed", NAME)]
    appliance.clock.advance(hours=12)
    appliance.engine.renew()
    assert receiver.told() == [("deadline", NAME)]


def test_expiring_is_told_when_it_changes(box: Make, receiver: Receiver) -> None:
    """`expiring` is told when a certificate turns yellow, again when it turns red, and then daily."""
    appliance = box('on = ["expiring"]\n')
    appliance.issue(NAME)
    appliance.engine.set_lineage(NAME, auto_renew=False)
    told = []
    for _ in range(90):
        appliance.clock.advance(days=1)
        appliance.engine.renew()
        told.append(len(receiver.told()))
    assert told[:58] == [0] * 58
    assert sum(told[58:81]) == 1
    assert told[83:] == [1] * 7


def test_a_receiver_that_fails_loses_nothing(box: Make, receiver: Receiver) -> None:
    """A receiver that is down is a warning and a row of the log; the run's result stays, and the next run tells everything."""
    appliance = box('on = ["renewed", "failed"]\n')
    appliance.issue(NAME)
    appliance.clock.advance(days=70)
    receiver.down = True
    report = appliance.engine.renew()
    assert (report.renewed, report.failed) == ((NAME,), ())
    assert [each.code for each in report.warnings] == ["notify-failed"]
    assert "hook.test cannot be reached" in report.warnings[0].what
    rows = [(entry.kind, entry.facts.get("code")) for entry in appliance.engine.log()]
    assert ("warned", "notify-failed") in rows
    receiver.told()
    receiver.down = False
    appliance.clock.advance(hours=12)
    assert appliance.engine.renew().warnings == ()
    assert receiver.told() == [("renewed", NAME)]
    sent = next(entry for entry in appliance.engine.log() if entry.kind == "notification-sent")
    assert sent.facts["channel"] == "hook"


def test_a_quiet_period_holds_back_what_is_not_urgent(box: Make, receiver: Receiver) -> None:
    """In the quiet period a renewal waits for the next run outside it; a deadline does not wait."""
    appliance = box('quiet = "22:00-07:00"\non = ["renewed", "deadline"]\n')
    appliance.issue(NAME)
    scheduled(appliance)
    appliance.clock.advance(days=70, hours=15)  # 03:00
    assert appliance.engine.renew().renewed == (NAME,)
    assert receiver.told() == []
    appliance.clock.advance(hours=12)  # 15:00
    appliance.engine.renew()
    assert receiver.told() == [("renewed", NAME)]
    down(appliance)
    appliance.clock.advance(days=76, hours=12)  # 03:00
    appliance.engine.renew()
    assert receiver.told() == [("deadline", NAME)]


def test_a_revocation_is_told_at_once(box: Make, receiver: Receiver) -> None:
    """`certdeck revoke` tells the others at once; the certificate that replaces it is the recovery."""
    appliance = box('on = ["revoked", "recovered"]\n')
    appliance.issue(NAME)
    appliance.engine.revoke(NAME)
    assert receiver.told() == [("revoked", NAME)]
    appliance.clock.advance(hours=1)
    assert appliance.engine.renew().renewed == (NAME,)
    assert receiver.told() == [("recovered", NAME)]


def test_a_service_with_another_certificate_is_told(box: Make, receiver: Receiver, tmp_path: Path) -> None:
    """Files of a target that somebody has changed are `not-served`; putting it right is the recovery."""
    appliance = box('on = ["not-served", "recovered"]\n')
    service = appliance.add_service(tmp_path)
    appliance.issue(NAME, targets=("web",))
    appliance.engine.renew()
    assert receiver.told() == []
    path = Path(service.target.certificate)
    path.unlink()
    path.write_bytes(b"another")
    appliance.engine.renew()
    assert receiver.told() == [("not-served", NAME)]
    appliance.engine.deploy(NAME)
    appliance.engine.renew()
    assert receiver.told() == [("recovered", NAME)]


def test_a_missed_run_is_told_once(box: Make, receiver: Receiver) -> None:
    """A run after too long a pause tells that none took place; the next one does not tell it again."""
    appliance = box('on = ["run-missed"]\n')
    appliance.issue(NAME)
    scheduled(appliance)
    for hours, told in ((1, 0), (12, 0), (13, 0), (30, 1), (0.5, 0), (12, 0)):
        appliance.clock.advance(hours=hours)
        appliance.engine.renew()
        assert len(receiver.told()) == told, hours
    rows = [entry for entry in appliance.engine.log() if entry.facts.get("code") == "run-missed"]
    assert len(rows) == 1, "a missed run is a row of the log"


def test_a_deleted_certificate_is_not_a_recovery(box: Make, receiver: Receiver) -> None:
    """Of a certificate that was deleted nothing more is told, and nothing is remembered."""
    appliance = box('on = ["failed", "recovered"]\n')
    appliance.issue(NAME)
    down(appliance)
    appliance.clock.advance(days=61)
    appliance.engine.renew()
    receiver.told()
    appliance.engine.delete(NAME, force=True)
    appliance.engine.renew()
    assert receiver.told() == []
    assert not appliance.paths.notified.exists()


def test_a_run_for_one_name_says_nothing_of_others(box: Make, receiver: Receiver) -> None:
    """A run for some names neither ends nor repeats what stands for others."""
    appliance = box('on = ["failed", "recovered"]\n')
    appliance.issue(NAME)
    down(appliance)
    appliance.clock.advance(days=61)
    appliance.engine.renew()
    receiver.told()
    appliance.engine.first_boot()
    appliance.engine.renew(["default"])
    assert receiver.told() == []


def test_the_scheduled_run_itself_fails(box: Make, receiver: Receiver) -> None:
    """A run that cannot begin is told and pinged as failed, and its next success is the recovery; a held lock is neither."""
    appliance = box('on = ["failed", "recovered"]\n', '\n[schedule]\nping_url = "https://hook.test/ping?box=1"\n')
    appliance.issue(NAME)
    appliance.engine.renew()
    assert [asked.url for asked in receiver.asked] == ["https://hook.test/ping?box=1"]
    receiver.asked.clear()
    certificates = appliance.paths.certificates
    certificates.rename(certificates.with_name("away"))
    certificates.write_text("no folder")
    with pytest.raises(StoreError):
        appliance.engine.renew()
    assert "https://hook.test/ping/fail?box=1" in [asked.url for asked in receiver.asked]
    assert receiver.told() == [("failed", None)]
    certificates.unlink()
    certificates.with_name("away").rename(certificates)
    appliance.engine.renew()
    assert receiver.told() == [("recovered", None)]
    appliance.clock.advance(days=70)
    with writers_lock(appliance.paths, appliance.engine.env, "something else"), pytest.raises(LockHeld):
        appliance.engine.renew()
    assert receiver.asked == []


def test_a_ping_that_is_not_taken_is_a_warning(box: Make, receiver: Receiver) -> None:
    """A dead-man URL that cannot be reached changes nothing but the warnings."""
    appliance = box('on = ["failed"]\n', '\n[schedule]\nping_url = "https://hook.test/ping"\n')
    receiver.down = True
    report = appliance.engine.renew()
    assert [each.code for each in report.warnings] == ["notify-failed"]
    assert appliance.engine.status().timer.last_outcome == "done"
    receiver.asked.clear()
    appliance.engine.renew(dry_run=True)
    assert receiver.asked == [], "only a scheduled run pings"


def test_the_file_of_a_newer_certdeck_is_left_alone(box: Make, receiver: Receiver) -> None:
    """What a newer release has written is neither read nor replaced, and a warning says so."""
    appliance = box()
    appliance.paths.state.mkdir(parents=True)
    text = json.dumps({"format": FORMAT + 1, "channels": {}})
    appliance.paths.notified.write_text(text)
    report = appliance.engine.renew()
    assert [each.code for each in report.warnings] == ["store-too-new"]
    assert appliance.paths.notified.read_text() == text
    appliance.paths.notified.write_text("{")
    assert appliance.engine.renew().warnings == ()


def test_an_entry_without_its_secret_is_a_warning(box: Make, receiver: Receiver) -> None:
    """A channel whose secret is gone cannot be used; the run goes on, and the warning says what to do."""
    appliance = box("", '\n[notifications.more]\nkind = "apprise"\n')
    appliance.issue(NAME)
    report = appliance.engine.renew()
    assert [each.code for each in report.warnings] == ["usage"]
    assert "notify add more --replace" in report.warnings[0].fix
    assert receiver.told() == [NO_TIMER]


def test_metrics_are_written_for_others_to_read(box: Make, receiver: Receiver, tmp_path: Path) -> None:
    """The text file holds every certificate by name, is readable by all, and never stands half written under its name."""
    folder = tmp_path / "textfile"
    folder.mkdir()
    appliance = box('on = ["failed"]\n', f'\n[metrics]\nfile = "{folder}/certdeck.prom"\n')
    appliance.issue(NAME)
    appliance.engine.renew()
    file = folder / "certdeck.prom"
    assert file.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in folder.iterdir()] == ["certdeck.prom"]
    ends = appliance.engine.status([NAME]).lineages[0].not_after
    assert ends is not None
    lines = file.read_text().splitlines()
    assert f'certdeck_certificate_not_after_seconds{{name="{NAME}"}} {ends.timestamp():.0f}' in lines
    assert "certdeck_last_run_success 1" in lines
    assert "certdeck_timer_active 0" in lines
    assert all(line.startswith(("# HELP certdeck_", "# TYPE certdeck_", "certdeck_")) for line in lines)
    folder.chmod(0o755)
    file.unlink()
    file.mkdir()
    assert [each.code for each in appliance.engine.renew().warnings] == ["usage"]


class Lines:
    """The system's log in memory."""

    def __init__(self) -> None:
        self.written: list[tuple[str, int, dict[str, str]]] = []

    def write(self, message: str, priority: int, fields: Mapping[str, str]) -> None:
        self.written.append((message, priority, dict(fields)))


def test_events_go_to_the_systems_log(box: Make, receiver: Receiver) -> None:
    """With `[log] syslog` every event is a line with its fields: failures as errors, and no key in any of them."""
    appliance = box('on = ["failed"]\n', "\n[log]\nsyslog = true\n")
    lines = Lines()
    appliance.engine = Engine(appliance.paths, replace(appliance.engine.env, system_log=lines))
    appliance.issue(NAME)
    appliance.listener.busy = True
    appliance.clock.advance(days=61)
    receiver.down = True
    appliance.engine.renew()
    failed = next(each for each in lines.written if each[2]["event"] == "failed")
    assert failed[0].startswith(f"{NAME}: ")
    assert (failed[1], failed[2]["certificate"], failed[2]["code"]) == (3, NAME, "port-unavailable")
    warned = [each for each in lines.written if each[2].get("code") == "notify-failed"]
    assert [each[1] for each in warned] == [4]
    assert not [each for each in lines.written if each[2]["event"] in ("key-used", "progressed")]
