"""core.idle: a scheduled run is repeated only where the usual way would do exactly the same."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.idle import memo as memos
from core.idle.memo import Memo
from core.idle.repeat import repeat
from core.renewal_report import RenewalReport
from core.schedule.record import ScheduleRecord
from core.schedule.record import save as save_schedule
from core.schedule.timetable import TWICE_DAILY
from core.store import index, lock
from core.store.index import facts_of
from core.workflows.renewing import due, remembered
from tests.support.acme_server import problem
from tests.support.appliance import Appliance
from tests.support.clock import NOON
from tests.support.killer import deaths, full_disks, leftovers
from tests.support.pipes import nobody_waits
from tests.support.revocations import list_at
from tui.cli.jsonout import dumped, renewal_json
from tui.cli.nothing_due import sentence
from tui.cli.renewal_text import renewal_lines

NAME = "shop.example.com"
BEGAN = NOON + timedelta(days=1, microseconds=123456)
"""A real clock shows microseconds."""


def in_json(report: RenewalReport) -> str:
    return dumped(renewal_json(report, dry_run=False))


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Appliance:
    """A box with a certificate of its own and one of a CA, on a service; change times count as settled at once."""
    monkeypatch.setattr(remembered, "FINEST_NANOSECONDS", -(10**12))
    appliance = Appliance(tmp_path / "box")
    appliance.clock.set(BEGAN)
    appliance.add_service(tmp_path / "srv")
    appliance.engine.first_boot()
    appliance.issue(NAME, targets=("web",))
    return appliance


def home(box: Appliance) -> Path:
    return box.paths.etc.parent


def tick(box: Appliance) -> None:
    """Let the file system's clock go on by one tick, some milliseconds at most."""
    file = home(box) / "tick"
    file.touch()
    first = file.stat().st_ctime_ns
    while file.stat().st_ctime_ns == first:
        file.touch()


def run(box: Appliance) -> RenewalReport:
    """Do a scheduled run the usual way."""
    tick(box)
    report = box.engine.renew(in_json=in_json)
    tick(box)
    return report


def again(box: Appliance) -> Memo | None:
    return repeat({"CERTDECK_HOME": str(home(box))}, os.getuid(), box.clock.now().timestamp())


KEPT = ("last-run.json", "clock.json", "idle")


def both_ways(box: Appliance) -> bool:
    """Do the run as a repetition and the usual way, from the same state; what both say and write is the same.

    Tells whether it was repeated at all.
    """
    state = box.paths.state
    before = {name: (state / name).read_bytes() for name in KEPT}
    memo, now = again(box), box.clock.now()
    written = {name: (state / name).read_bytes() for name in KEPT}
    for name, text in before.items():
        (state / name).write_bytes(text)
    if memo is None:
        assert written == before, "a run that is not repeated changes nothing"
        return False
    report = box.engine.renew()
    lines = list(renewal_lines(report, now=now, named=False, dry_run=False))
    assert [sentence(memo.next_name, memo.next_at, now.timestamp())] == lines
    assert memo.json == in_json(report)
    assert {name: (state / name).read_bytes() for name in KEPT} == written
    for name, text in before.items():
        (state / name).write_bytes(text)
    return True


def nothing(box: Appliance) -> None:
    """Leave the box as it is."""


def by_hand(box: Appliance) -> None:
    (box.paths.certificates / "hand.toml").write_text('domains = ["hand.example.com"]\nchallenge = "dns-01"\n')


def auto_renewal_off(box: Appliance) -> None:
    settings = box.paths.certificates / f"{NAME}.toml"
    settings.write_text(f"{settings.read_text()}auto_renew = false\n")


def deleted(box: Appliance) -> None:
    box.issue("gone.example.com")
    box.engine.delete("gone.example.com")


def failed_once(box: Appliance) -> None:
    box.clock.advance(days=70)
    box.ca.fail("/new-order", problem("serverInternal", 403), times=99)
    assert box.engine.renew().failed


def ca_has_no_ari(box: Appliance) -> None:
    box.ca.has_renewal_info = False
    box.clock.advance(hours=7)
    box.engine.renew()


def many(box: Appliance) -> None:
    for number in range(5):
        box.issue(f"n{number}.example.com")


def revoked(box: Appliance) -> None:
    box.engine.revoke(NAME)


HOMES = (nothing, by_hand, auto_renewal_off, deleted, failed_once, ca_has_no_ari, many, revoked)
STEPS = (
    timedelta(seconds=1),
    timedelta(minutes=11),
    timedelta(minutes=61),
    timedelta(hours=5),
    timedelta(hours=12),
    timedelta(days=1),
    timedelta(days=2, hours=23),
    timedelta(days=4),
    timedelta(days=31),
    timedelta(days=58),
    timedelta(days=80),
    timedelta(days=400),
)


@pytest.mark.parametrize("prepared", HOMES)
def test_a_repeated_run_says_and_writes_the_same(box: Appliance, prepared: Callable[[Appliance], None]) -> None:
    """Whenever a run is repeated, its words, its JSON, the record of the last run and that of the clock are the usual ones."""
    prepared(box)
    run(box)
    run(box)
    begun = box.clock.now()
    for step in STEPS:
        box.clock.set(begun + step)
        both_ways(box)


@pytest.mark.parametrize("prepared", [nothing, by_hand, auto_renewal_off, deleted, ca_has_no_ari, many])
def test_a_run_with_nothing_to_do_is_repeated(box: Appliance, prepared: Callable[[Appliance], None]) -> None:
    """On a healthy box the run after an idle one is a repetition, and so is the one after it."""
    prepared(box)
    run(box)
    run(box)
    for _ in range(2):
        box.clock.advance(minutes=61)
        assert both_ways(box)
        assert again(box)


def replaced(path: Path) -> None:
    """Put another file in the place of one, with the same size, mode and times as far as anybody can set them."""
    seen, text = path.stat(), path.read_bytes()
    other = path.with_name(f"{path.name}.new")
    other.write_bytes(bytes(reversed(text)))
    os.chmod(other, seen.st_mode & 0o7777)
    os.utime(other, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    other.replace(path)


def rewritten(path: Path) -> None:
    """Change one in place, and set its time back."""
    seen = path.stat()
    path.write_bytes(bytes(reversed(path.read_bytes())))
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))


def touched(path: Path) -> None:
    path.touch()


def reowned(path: Path) -> None:
    path.chmod(0o640)


def removed(path: Path) -> None:
    path.unlink()


def made(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")


def relinked(path: Path) -> None:
    target = os.readlink(path)
    path.unlink()
    path.symlink_to(f"{target}/")


FILES: dict[str, Callable[[Appliance], Path]] = {
    "configuration": lambda box: box.paths.config,
    "settings": lambda box: box.paths.certificates / f"{NAME}.toml",
    "certificate": lambda box: (box.paths.live / NAME).resolve() / "cert.pem",
    "live chain": lambda box: (box.paths.live / NAME).resolve() / "fullchain.pem",
    "service's certificate": lambda box: Path(box.engine.config().targets["web"].certificate).resolve(),
    "lock": lambda box: box.paths.lock,
}
HANDS = (replaced, rewritten, touched, reowned, removed)
NEW: dict[str, tuple[Callable[[Appliance], Path], Callable[[Path], None]]] = {
    "renewal record": (lambda box: box.paths.lineages / NAME / "renewal.json", replaced),
    "new settings": (lambda box: box.paths.certificates / "new.toml", made),
    "order": (lambda box: box.paths.orders / "new" / "order.json", made),
    "transaction": (lambda box: box.paths.transactions / "new.json", made),
    "dns record": (lambda box: box.paths.dns_records / "new.json", made),
    "deleted copy": (lambda box: box.paths.deleted / "old-20200101T000000Z.sealed", made),
    "restore": (lambda box: box.paths.restoring, made),
    "version": (lambda box: box.paths.lineages / NAME / "9" / "cert.pem", made),
    "record of one never issued": (lambda box: box.paths.lineages / "hand" / "renewal.json", replaced),
    "live link": (lambda box: box.paths.live / NAME, relinked),
    "folder in live": (lambda box: box.paths.live / "other" / "x", made),
}
CHANGES = {f"{what}-{hand.__name__}": (file, hand) for what, file in FILES.items() for hand in HANDS} | NEW


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_somebody_changes_is_looked_at(box: Appliance, what: str) -> None:
    """After any change by hand, also one that keeps size and time of the file, the run takes its usual way."""
    by_hand(box)
    made(box.paths.lineages / "hand" / "renewal.json")
    run(box)
    assert again(box)
    where, hand = CHANGES[what]
    hand(where(box))
    assert again(box) is None


@pytest.mark.parametrize("what", ["lock", "clock.json", "last-run.json"])
def test_a_damaged_record_is_for_the_usual_way(box: Appliance, what: str) -> None:
    """Records that are not in the form that certdeck gives them, or say more than that all is well, are not touched."""
    run(box)
    file = box.paths.lock if what == "lock" else box.paths.state / what
    good = file.read_text()
    for bad in (
        "",
        "{",
        good[:-1],
        good + " ",
        good.replace('"format": 1', '"format": 2'),
        good.replace("2026-", "2026."),
    ):
        if bad == good:
            continue
        file.write_text(bad)
        assert again(box) is None, bad
        assert file.read_text() == bad


@pytest.mark.parametrize("hours", [-24 * 365, -25, -1, -1e-9, 24 * 4, 24 * 365 * 10])
def test_a_clock_that_jumps_is_looked_at(box: Appliance, hours: float) -> None:
    """A clock that went back at all, or ran on by more than three days, is for the usual way."""
    run(box)
    memo = again(box)
    assert memo is not None
    box.clock.set(datetime.fromtimestamp(memo.valid_from, UTC) + timedelta(hours=hours, microseconds=-1))
    assert again(box) is None


def test_it_holds_until_something_is_due(box: Appliance) -> None:
    """Up to the moment before the CA is to be asked again the run is repeated, and not at that moment."""
    box.clock.advance(hours=7)
    run(box)
    run(box)
    ask_at = facts_of(box.paths, NAME).ari_check_at
    assert ask_at is not None
    box.clock.set(datetime.fromtimestamp(ask_at - 1, UTC))
    assert both_ways(box)
    box.clock.set(datetime.fromtimestamp(ask_at, UTC))
    assert again(box) is None


@pytest.mark.parametrize(
    "text",
    [
        '[notifications.a]\nkind = "webhook"\nurl = "https://hook.example.com/"\n',
        '[schedule]\nping_url = "https://ping.example.com/"\n',
        '[metrics]\nfile = "/nowhere/certdeck.prom"\n',
        "[log]\nsyslog = true\n",
    ],
)
def test_a_run_that_others_wait_for_is_not_repeated(box: Appliance, text: str) -> None:
    """Where people or programs are told of every run, every run takes its usual way."""
    box.configure(text)
    run(box)
    assert not box.paths.idle.exists()


def test_what_changed_just_now_is_not_relied_on(box: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that changed within the granularity of change times could change again unseen: nothing is remembered yet."""
    monkeypatch.setattr(remembered, "FINEST_NANOSECONDS", 2_000_000_000)
    run(box)
    assert not box.paths.idle.exists()


def test_a_change_during_the_run_is_seen(box: Appliance) -> None:
    """What is changed while the run reads it is not part of what is remembered."""

    def meanwhile(report: RenewalReport) -> str:
        box.paths.config.touch()
        return in_json(report)

    tick(box)
    box.engine.renew(in_json=meanwhile)
    assert again(box) is None


def test_a_lock_that_is_held_is_for_the_usual_way(box: Appliance) -> None:
    """While another certdeck process is running nothing is repeated."""
    run(box)
    with lock.writers_lock(box.paths, box.engine.env, "something else"):
        assert again(box) is None


def test_another_release_python_user_or_home_does_not_believe_it(
    box: Appliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The memo counts for the program, the interpreter, the user and the folders that it was made with."""
    run(box)
    variables, now = {"CERTDECK_HOME": str(home(box))}, box.clock.now().timestamp()
    assert repeat(variables, os.getuid(), now)
    assert repeat(variables, os.getuid() + 1, now) is None
    (tmp_path / "link").symlink_to(home(box))
    assert repeat({"CERTDECK_HOME": str(tmp_path / "link")}, os.getuid(), now) is None
    assert repeat({"CERTDECK_HOME": "box"}, os.getuid(), now) is None, "relative to what?"
    assert repeat({}, 1000, now) is None, "a user's own folders are found by a library"
    monkeypatch.setattr(memos, "VERSION", "9.9")
    assert again(box) is None


def test_a_damaged_memo_is_not_believed(box: Appliance) -> None:
    """Cut off anywhere, or with any byte changed, the memo counts for nothing."""
    run(box)
    good = box.paths.idle.read_bytes()
    for cut in range(0, len(good), 7):
        box.paths.idle.write_bytes(good[:cut])
        assert again(box) is None, cut
        box.paths.idle.write_bytes(good[:cut] + bytes([good[cut] ^ 1]) + good[cut + 1 :])
        assert again(box) is None, cut
    box.paths.idle.write_bytes(good)
    assert again(box)
    box.paths.idle.unlink()
    os.mkfifo(box.paths.idle)
    assert again(box) is None


@pytest.mark.parametrize("name", ["clock.json", "last-run.json"])
def test_a_pipe_in_place_of_a_record_is_not_waited_for(box: Appliance, name: str) -> None:
    """A pipe in place of a record that is read to repeat a run leaves the run to the normal path at once."""
    run(box)
    (box.paths.state / name).unlink()
    os.mkfifo(box.paths.state / name)
    with nobody_waits(box.paths.state / name) as waited:
        assert again(box) is None
    assert waited == []


def test_killed_anywhere_it_is_the_old_state_or_the_new_one(box: Appliance) -> None:
    """Killed at any operation of a repetition, the records are whole and the next run is not disturbed by what was left."""
    run(box)
    box.clock.advance(minutes=61)
    runs = set()
    for where in deaths(home(box), lambda: again(box)):
        last = box.engine.status().timer.last_run
        assert last is not None, where
        runs.add(last)
        # The copy has other change times and inodes: what matters is what a dead process leaves.
        assert box.engine.renew().failed == (), where
    assert runs


def test_killed_while_it_is_made_it_is_whole_or_not_there(box: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed at any operation of the run that remembers, the next one believes all of it or takes its usual way."""
    # Each run does the same, however long the files were put back before it: none of them is too young to be relied on.
    monkeypatch.setattr(index, "_FINE_FRESH_NANOSECONDS", -(10**12))
    run(box)
    for where in deaths(home(box), lambda: box.engine.renew(in_json=in_json)):
        text = box.paths.idle.read_bytes() if box.paths.idle.exists() else b""
        assert text == b"" or text.endswith(b"}\n"), where
        assert box.engine.renew().failed == (), where


def test_a_full_disk_is_for_the_usual_way(box: Appliance) -> None:
    """Where a record cannot be written the repetition ends without a word, and leaves nothing behind."""
    run(box)
    box.clock.advance(minutes=61)
    for where, error in full_disks(home(box), lambda: again(box)):
        assert error is None, where
        assert leftovers(home(box)) == [], where


@pytest.mark.parametrize("prepared", HOMES)
def test_until_then_the_decision_is_the_same(box: Appliance, prepared: Callable[[Appliance], None]) -> None:
    """`unchanged_until` is never later than the first moment at which `decide` decides otherwise."""
    with suppress(Exception):
        prepared(box)
    config = box.engine.config()
    begun = box.clock.now().timestamp()
    known = {path.stem: facts_of(box.paths, path.stem) for path in box.paths.certificates.glob("*.toml")}
    for hours in range(0, 24 * 90, 7):
        now = begun + hours * 3600
        for name, facts in known.items():
            decision = due.decide(facts, config, now, force=False, named=False)
            until = due.unchanged_until(facts, config, now)
            if not due.why_never_alone(facts, config):
                is_off = decision.action == due.SKIP and decision.renew_at is None
                assert due.is_off(due.believable(facts, now), config, now) is is_off
            if decision.action != due.SKIP or until is None:
                continue
            for later in (now + 1, now + (min(until, now + 1e7) - now) / 2, min(until - 1, now + 1e7)):
                assert due.decide(facts, config, later, force=False, named=False) == decision, (name, now, later)


def settled(box: Appliance) -> None:
    """Let the CA have said that it has no renewal information, so that nobody asks it again."""
    box.ca.has_renewal_info = False
    box.clock.advance(hours=7)
    run(box)
    run(box)


def test_after_a_missed_run_the_usual_way_is_taken(box: Appliance) -> None:
    """The usual way writes into the log that no run took place; the repetition would have passed over it."""
    save_schedule(box.paths, ScheduleRecord(how="cron", since=box.clock.now(), timetable=TWICE_DAILY))
    settled(box)
    box.clock.advance(hours=12)
    assert again(box) is not None
    box.clock.advance(hours=20)
    assert again(box) is None


@pytest.mark.parametrize("which", ["certificate", "key"])
def test_a_file_of_a_service_that_is_gone_is_for_the_usual_way(box: Appliance, which: str) -> None:
    """A deleted certificate or key file of a service is seen, and the usual way tells of it."""
    run(box)
    assert again(box) is not None
    os.unlink(getattr(box.engine.config().targets["web"], which))
    assert again(box) is None
    assert [each.code for each in run(box).warnings] == ["other-certificate"]


def test_once_cas_are_to_be_asked_for_revocations_the_usual_way_is_taken(box: Appliance) -> None:
    """The repetition asks nobody, so it ends when the next question is due."""
    box.ca.extensions = [list_at("http://crl.ca.test/1.crl")]
    box.issue("other.example.com")
    settled(box)
    box.clock.advance(hours=12)
    assert again(box) is not None
    box.clock.advance(hours=9)
    assert again(box) is None
    run(box)
    assert again(box) is not None
