"""A clock that jumps, by a minute to ten years, both ways, once and for good: what was stored meanwhile does no lasting harm."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import fields, replace

from core.clock import ClockRecord
from core.config.load import load_lineage
from core.events import Warned
from core.ports import TransportFailure
from core.schedule.health import timer_state
from core.schedule.record import ScheduleRecord
from core.store import accounts, clock_record, copies, lineages, orders, renewal_state, windows
from core.store.dns_records import MadeRecords
from core.store.index import facts_of
from core.store.requests import RequestRecord
from core.store.versions import VersionFacts
from core.store.windows import Window
from core.stored_times import STORED_TIMES, TOLERANCE_SECONDS, is_void
from core.summary import summary_of
from core.version import BUILT
from core.workflows.renewing.due import void_of
from core.workflows.renewing.last_run import LastRun
from tests.support.acme_server import problem
from tests.support.appliance import Appliance
from tests.support.authority import Authority
from tests.support.clock import FakeClock
from tests.support.services import Service
from tui.cli.jsonout import status_json
from tui.cli.status_text import check_line

NAME = "shop.example.com"
GONE = TransportFailure("unreachable", "connection refused")
DATED = TransportFailure("untrusted", "The certificate of ca.test does not verify: certificate has expired.")
JUMPS = {
    "a-minute": timedelta(minutes=1),
    "an-hour": timedelta(hours=1),
    "a-day": timedelta(days=1),
    "90-days": timedelta(days=90),
    "a-year": timedelta(days=365),
    "ten-years": timedelta(days=3652),
}


def every_jump() -> list[object]:
    """Return all of them, ahead and back."""
    ahead = [pytest.param(jump, id=f"{name}-ahead") for name, jump in JUMPS.items()]
    return ahead + [pytest.param(-jump, id=f"{name}-back") for name, jump in JUMPS.items()]


@pytest.fixture
def service(appliance: Appliance, tmp_path: Path) -> Service:
    """A box two months before the end: a service with a certificate of a CA, one of its own kept beside it, a deleted one."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.engine.first_boot()
    appliance.issue("gone.example.com")
    appliance.engine.delete("gone.example.com")
    appliance.issue(NAME, targets=("web",))
    appliance.clock.advance(days=1)
    appliance.engine.renew()
    appliance.ca.clock = FakeClock(appliance.clock.now())
    return service


def jump(appliance: Appliance, by: timedelta) -> None:
    """Set the clock of the box; a CA with a clock of its own keeps the right time."""
    appliance.clock.set(appliance.clock.now() + by)


@pytest.mark.parametrize("by", every_jump())
@pytest.mark.parametrize("ca", ["refuses", "unreachable", "out-of-date"])
def test_a_jump_that_is_undone_leaves_nothing_behind(
    appliance: Appliance, service: Service, by: timedelta, ca: str
) -> None:
    """One run under a wrong clock stored a next attempt in ten years, and left the fallback over a good certificate."""
    fault = {"refuses": problem("serverInternal", 403), "unreachable": GONE, "out-of-date": DATED}[ca]
    before, good = appliance.clock.now(), appliance.live(NAME)
    jump(appliance, by)
    appliance.ca.fail("/directory" if ca != "refuses" else "/new-order", fault, times=99)
    appliance.engine.renew()
    appliance.ca._script.clear()
    appliance.clock.set(before + timedelta(minutes=5))
    appliance.reopened().renew()
    assert service.serves == appliance.live(NAME) == good
    assert not renewal_state.load(appliance.paths, NAME).on_fallback
    assert [copy.name for copy in copies.list_deleted(appliance.paths)] == ["gone.example.com"]
    status = {each.name: each for each in appliance.engine.status().lineages}
    assert {name: each.severity for name, each in status.items()} == {"default": "green", NAME: "green"}
    assert appliance.engine.status().timer.last_run is not None
    for name in status:
        state = renewal_state.load(appliance.paths, name)
        assert state.void_times(appliance.clock.now().timestamp()) == ()
    appliance.ca.clock.advance(days=60)
    appliance.clock.advance(days=60)
    assert NAME in appliance.engine.renew().renewed, "it renews when it would have renewed"


@pytest.mark.parametrize("by", every_jump())
def test_a_jump_for_good_is_lived_with(appliance: Appliance, service: Service, by: timedelta) -> None:
    """When the clock stays where it jumped to, and the CA says the same, the box renews what is due and is in no doubt."""
    if appliance.clock.now() + by < BUILT:
        pytest.skip("before the build date no clock is believed")
    jump(appliance, by)
    appliance.ca.clock = appliance.clock
    appliance.ca.authority = Authority.new(
        "Scripted CA", now=appliance.clock.now()
    )  # its intermediate has been renewed, too
    for _ in range(4):
        appliance.engine.renew()
        appliance.clock.advance(hours=12)
    status = {each.name: each for each in appliance.engine.status().lineages}
    assert service.serves == appliance.live(NAME)
    assert all(each.severity != "red" for each in status.values())
    assert appliance.engine.status().clock_doubt == ""


def test_a_wrong_clock_replaces_nothing(appliance: Appliance, service: Service) -> None:
    """A clock ten years ahead of the CA's makes everything look expired: neither fallback nor own CA act on that, and say why."""
    jump(appliance, JUMPS["ten-years"])
    own, good = appliance.live("default"), service.serves
    report = appliance.engine.renew(report=appliance.told.append)
    assert (appliance.live("default"), service.serves) == (own, good)
    assert [each.why.split(".")[0] for each in report.skipped] == [
        "The renewal of default waits, because the clock of this box is in doubt"
    ]
    assert [each.code for each in report.warnings] == ["clock-in-doubt"]
    assert "10 years ahead" in appliance.engine.status().clock_doubt
    assert len(copies.list_deleted(appliance.paths)) == 1


def test_the_fallback_waits_for_a_right_clock(appliance: Appliance, service: Service) -> None:
    """A CA that answers with another time keeps the fallback from a certificate that only looks expired, and history says so."""
    good = service.serves
    jump(appliance, JUMPS["90-days"])
    appliance.ca.fail("/new-order", problem("serverInternal", 403), times=9)
    appliance.engine.renew(report=appliance.told.append)
    assert service.serves == good
    told = [
        event.what for event in appliance.of(Warned) if isinstance(event, Warned) and event.code == "clock-in-doubt"
    ]
    assert any(what.startswith("The fallback certificate waits") and "90 days ahead" in what for what in told)
    assert any("90 days ahead" in str(entry.facts) for entry in appliance.engine.log())


def test_the_fallback_goes_when_its_reason_is_gone(appliance: Appliance, service: Service) -> None:
    """The fallback stayed over a good certificate after the clock had been set right, until somebody noticed."""
    right = appliance.clock.now()
    appliance.ca.fail("", GONE, times=999)
    appliance.clock.advance(days=91)
    appliance.engine.renew()
    assert service.serves == appliance.live("default")
    appliance.clock.set(right + timedelta(minutes=5))
    report = appliance.engine.renew(report=appliance.told.append)
    assert service.serves == appliance.live(NAME)
    assert [each.name for each in report.skipped if "back on its services" in each.why] == [NAME]
    assert not renewal_state.load(appliance.paths, NAME).on_fallback


def test_what_the_box_made_under_a_clock_ahead_is_made_anew(appliance: Appliance) -> None:
    """A self-signed certificate from a run ten years ahead was not valid, green, and not due for ten years."""
    right = appliance.clock.now()
    appliance.engine.first_boot()
    appliance.clock.advance(days=3652)
    appliance.engine.renew()
    appliance.clock.set(right + timedelta(minutes=5))
    (status,) = appliance.engine.status().lineages
    assert (status.severity, status.days_left) == ("red", 0)
    assert appliance.engine.renew().renewed == ("default",)
    (status,) = appliance.engine.status().lineages
    assert (status.severity, status.days_left) == ("green", 365)


def test_before_the_build_date_nothing_is_replaced(appliance: Appliance, service: Service) -> None:
    """A clock that begins in 1970 after an empty battery makes no certificate of the box's own, and is reported."""
    good, own = service.serves, appliance.live("default")
    appliance.clock.set(datetime(1970, 1, 1, 0, 5, tzinfo=BUILT.tzinfo))
    report = appliance.engine.renew()
    assert (service.serves, appliance.live("default")) == (good, own)
    assert [each.code for each in report.warnings] == ["clock-in-doubt"]
    assert "before this release was built" in report.warnings[0].what
    assert {each.severity for each in appliance.engine.status().lineages} == {"red"}


def test_a_clock_that_went_back_is_in_doubt_for_a_day(appliance: Appliance) -> None:
    """Behind what was last written the clock is in doubt; one that has run on for a day without a CA is believed again."""
    appliance.engine.first_boot()
    appliance.clock.advance(days=30)
    appliance.engine.renew()
    jump(appliance, -timedelta(days=20))
    doubts = []
    for _ in range(4):
        doubts.append(bool(appliance.engine.renew().warnings))
        appliance.clock.advance(hours=12)
    assert doubts == [True, True, False, False]


def test_void_times_are_repaired_and_reported(appliance: Appliance) -> None:
    """What only a wrong clock can have stored is dropped by the next run, which says so once."""
    appliance.issue(NAME)
    now = appliance.clock.now()
    far = now + timedelta(days=3652)
    state = renewal_state.RenewalState(
        failures=3,
        last_attempt=far,
        next_attempt=far + timedelta(days=1),
        last_error={"code": "failed", "what": "w", "why": "y", "fix": "f", "at": far.isoformat()},
    )
    renewal_state.save(appliance.paths, NAME, state)
    renewal_id = facts_of(appliance.paths, NAME).renewal_id
    windows.keep(appliance.paths, {NAME: Window(renewal_id, check_at=far.timestamp())})
    assert len(appliance.engine.status().void_times) == 1
    report = appliance.engine.renew(report=appliance.told.append)
    assert [each.code for each in report.warnings] == ["stored-time-void"]
    assert any(isinstance(event, Warned) and event.code == "stored-time-void" for event in appliance.events)
    kept = renewal_state.load(appliance.paths, NAME)
    assert (kept.failures, kept.last_attempt, kept.next_attempt) == (0, None, None)
    asked_again = windows.load(appliance.paths)[NAME].check_at
    assert asked_again is not None
    assert asked_again < (now + timedelta(days=2)).timestamp()
    assert appliance.engine.renew().warnings == ()


@pytest.mark.parametrize("kind", [kind for kind in STORED_TIMES if kind.ahead_seconds is not None], ids=str)
@pytest.mark.parametrize("by", every_jump())
def test_every_stored_time_is_judged_by_its_own_reach(kind: object, by: timedelta) -> None:
    """A time stored under a clock that was ahead is void as soon as it lies further ahead than it ever can; never when past."""
    now = 1_800_000_000.0
    reach = kind.ahead_seconds
    stored = now + by.total_seconds() + reach
    assert is_void(stored, now, kind) is (by.total_seconds() > TOLERANCE_SECONDS)
    assert not is_void(now + reach, now, kind)
    assert not is_void(None, now, kind)


def test_the_list_of_stored_times_is_whole() -> None:
    """Every time in a record of ours is in the list; who adds one has to say how far ahead it can lie."""
    records = (
        renewal_state.RenewalState,
        orders.OrderRecord,
        accounts.AccountRecord,
        VersionFacts,
        RequestRecord,
        MadeRecords,
        ScheduleRecord,
        LastRun,
    )
    named = {name.strip() for kind in STORED_TIMES for name in kind.field.split(" ", 1)[0].split(",")}
    named |= {name.strip() for kind in STORED_TIMES for name in kind.field.split(",")}
    missing = [
        f"{record.__name__}.{field.name}"
        for record in records
        for field in fields(record)
        if "datetime" in str(field.type) and field.name not in named
    ]
    assert missing == []
    assert {"at", "since", "compared"} <= named
    assert {"at", "since", "compared"} < set(ClockRecord._fields)


def test_a_chain_is_not_waited_for_until_a_wrong_date(appliance: Appliance, service: Service) -> None:
    """When the chain may be asked for again is bounded like any next attempt: written under a wrong clock, it counts no more."""
    now = appliance.clock.now()
    state = renewal_state.load(appliance.paths, NAME)
    for days, void in ((0.5, ()), (3652, ("chain_retry_at",))):
        kept = replace(state, last_error=None, chain_retry_at=now + timedelta(days=days))
        renewal_state.save(appliance.paths, NAME, kept)
        assert kept.void_times(now.timestamp()) == void
        assert void_of(facts_of(appliance.paths, NAME), now.timestamp()) == void
        assert (kept.repaired(now.timestamp()).chain_retry_at is None) == bool(void)


def test_two_runs_of_which_one_is_to_come_are_no_timer() -> None:
    """A run before the last one that a wrong clock wrote makes nobody believe in somebody else's timer."""
    now = FakeClock().now()
    for before, state in ((-timedelta(hours=12), "unknown"), (timedelta(days=365), "off")):
        assert timer_state(None, now, now - timedelta(hours=1), "done", "", now + before).state == state


def test_a_damaged_clock_record_counts_as_none(appliance: Appliance) -> None:
    """A clock record that was damaged, or holds times that cannot be, is ignored and written anew."""
    appliance.engine.first_boot()
    for text in ("{", "[]", '{"at": 1e300}', '{"at": NaN}', '{"at": "x"}', '{"at": true}'):
        appliance.paths.clock.write_text(text)
        assert clock_record.load(appliance.paths) is None
        assert appliance.engine.status().clock_doubt == ""
    appliance.engine.renew()
    assert clock_record.load(appliance.paths) is not None


def test_the_build_date_is_sane() -> None:
    """The build date is a constant of the release: a whole day in UTC, not in the future and not before the project began."""
    assert BUILT.utcoffset() == timedelta()
    assert (BUILT.hour, BUILT.minute, BUILT.second) == (0, 0, 0)
    assert datetime(2026, 11, 1, tzinfo=BUILT.tzinfo) <= BUILT <= datetime.now(tz=BUILT.tzinfo) + timedelta(days=2)


def test_old_versions_stay_while_the_clock_is_in_doubt(appliance: Appliance) -> None:
    """Nothing is removed under a clock in doubt: old versions wait until it is right."""
    appliance.issue(NAME)
    for _ in range(6):
        appliance.engine.renew((NAME,), force=True)
    assert len(lineages.versions(appliance.paths, NAME)) == lineages.KEPT_VERSIONS
    jump(appliance, timedelta(hours=3))
    appliance.ca.clock = FakeClock(appliance.clock.now() - timedelta(hours=3))
    appliance.engine.deploy(NAME)
    assert load_lineage(appliance.paths, NAME).name == NAME
    appliance.engine.renew((NAME,), force=True)
    assert len(lineages.versions(appliance.paths, NAME)) == lineages.KEPT_VERSIONS + 1


def test_a_clock_unlike_the_cas_is_told_before_the_order(appliance: Appliance) -> None:
    """`issue` ordered without a word under a clock hours away from the CA's, and the certificate looked not valid here."""
    appliance.ca.clock = FakeClock(appliance.clock.now())
    appliance.issue("right.example.com")
    assert not [one for one in appliance.of(Warned) if isinstance(one, Warned) and one.code == "clock-differs"]
    jump(appliance, timedelta(hours=3))
    appliance.issue(NAME)
    kinds = [one.code if isinstance(one, Warned) else type(one).__name__ for one in appliance.events]
    told = kinds.index("clock-differs")
    assert told < len(kinds) - 1 - kinds[::-1].index("OrderCreated")
    assert any("3 hours ahead of that of ca" in one.what for one in appliance.of(Warned) if isinstance(one, Warned))


def test_doctor_and_monitoring_say_it(appliance: Appliance) -> None:
    """The doctor fails the clock, monitoring warns of it, and the JSON object says why."""
    appliance.engine.first_boot()
    appliance.clock.advance(days=30)
    appliance.engine.renew()
    jump(appliance, -timedelta(days=2))
    status = appliance.engine.status()
    level, line = check_line(summary_of(status))
    assert level == 1
    assert "clock: The clock of this box shows" in line
    assert status_json(status)["clock"] == {"in_doubt": True, "why": status.clock_doubt}
    (clock,) = [each for each in appliance.engine.doctor() if each.id == "clock"]
    assert (clock.status, "in doubt" in clock.detail) == ("fail", True)
