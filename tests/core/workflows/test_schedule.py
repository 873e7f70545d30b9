"""The scheduled run in systemd's and cron's hands, and whether it lives (pain point 1: it silently does not run)."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from core.engine import Engine
from core.errors import CertdeckError, UsageError
from core.health import health
from core.operations import TimerState
from core.ports import Completed
from core.workflows.renewing import last_run
from tests.support.appliance import Appliance
from tests.support.clock import NOON
from tests.support.init_system import InitSystem

SERVICE, TIMER = "certdeck-renewal.service", "certdeck-renewal.timer"
OTHERS = "MAILTO=a@example.com\n# mine\n0 1 * * * backup\n"


def box_on(appliance: Appliance, init: InitSystem, **variables: str) -> Engine:
    """Return the appliance's engine on a box with this init system."""
    return Engine(appliance.paths, init.env_of(appliance.engine.env, **variables))


def ran(appliance: Appliance, *, outcome: str = "done", error: str = "") -> None:
    """Leave behind what a scheduled run leaves."""
    last_run.record(appliance.paths, last_run.LastRun(at=appliance.clock.now(), outcome=outcome, error=error))


def timer(engine: Engine) -> TimerState:
    return engine.status().timer


@pytest.fixture
def init(tmp_path: Path) -> InitSystem:
    """A box with systemd, as root."""
    return InitSystem(tmp_path / "system")


@pytest.fixture
def engine(appliance: Appliance, init: InitSystem) -> Engine:
    return box_on(appliance, init)


@pytest.fixture
def cron_box(tmp_path: Path) -> InitSystem:
    """A box without systemd, as root."""
    return InitSystem(tmp_path / "system", systemd=False)


@pytest.fixture
def user_box(tmp_path: Path) -> InitSystem:
    """A box without systemd, as a user with a crontab."""
    made = InitSystem(tmp_path / "system", systemd=False, is_root=False)
    made.crontab = OTHERS
    return made


# -- systemd -----------------------------------------------------------------------------------------------------------


def test_on_and_off_with_systemd(engine: Engine, init: InitSystem) -> None:
    """Switched on, two units are there and started, twice a day; switched off, nothing of them is left (ST-27, ST-31)."""
    assert timer(engine).state == "off"
    info = engine.set_schedule()
    assert (info.how, info.preset, info.timer.state, info.timer.trouble) == ("systemd", "twice-daily", "on", "")
    assert info.timer.next_run == NOON + timedelta(hours=3)
    assert init.ran == [
        "systemctl daemon-reload",
        f"systemctl enable --now {TIMER}",
        f"systemctl is-active {TIMER}",
    ]
    assert f'ExecStart="{init.program}" --renew' in (init.units / SERVICE).read_text()
    assert (init.units / TIMER).stat().st_mode & 0o777 == 0o644
    assert timer(engine) == info.timer

    init.ran.clear()
    off = engine.unschedule()
    assert (off.how, off.timer.state) == ("", "off")
    assert init.ran == [f"systemctl disable --now {TIMER}", "systemctl daemon-reload"]
    assert [path for path in init.units.rglob("*") if not path.is_dir()] == []
    assert timer(engine).state == "off"
    assert engine.unschedule() == off


def test_looking_at_the_state_asks_nobody(engine: Engine, init: InitSystem) -> None:
    """`status` knows the timer and its next run without starting a program."""
    engine.set_schedule(preset="daily")
    init.ran.clear()
    assert timer(engine).next_run == NOON + timedelta(hours=15)
    assert init.ran == []


def test_the_home_goes_along(appliance: Appliance, init: InitSystem, tmp_path: Path) -> None:
    """Under CERTDECK_HOME the timer works on the same certificates as the command."""
    box_on(appliance, init, CERTDECK_HOME=str(tmp_path / "box")).set_schedule()
    assert f'Environment="CERTDECK_HOME={tmp_path / "box"}"' in (init.units / SERVICE).read_text()


def test_on_again_changes_nothing(appliance: Appliance, engine: Engine, init: InitSystem) -> None:
    """Saying `on` twice writes once, and does not make a dead timer look young."""
    engine.set_schedule()
    before = {path: path.lstat().st_ino for path in init.units.iterdir()}
    appliance.clock.advance(days=3)
    info = engine.set_schedule()
    assert {path: path.lstat().st_ino for path in init.units.iterdir()} == before
    assert "not working" in info.timer.trouble
    entries = [entry for entry in engine.log() if entry.kind == "changed"]
    assert [entry.facts["what"] for entry in entries] == ["schedule: every day at 03:00 and 15:00, by systemd"]


def test_another_timetable_reaches_systemd(engine: Engine, init: InitSystem) -> None:
    """A change is written and the timer started anew, and a plain `on` after `off` brings it back."""
    engine.set_schedule()
    engine.set_schedule(preset="weekly")
    assert f"systemctl restart {TIMER}" in init.ran
    assert "OnCalendar=Sun *-*-* 23:30:00" in (init.units / TIMER).read_text()
    engine.unschedule()
    info = engine.set_schedule()
    assert (info.preset, info.weekday, info.times) == ("weekly", "Sunday", ("23:30",))


@pytest.mark.parametrize("word", ["daemon-reload", "enable", "restart"])
def test_systemd_refuses(engine: Engine, init: InitSystem, word: str) -> None:
    """When systemd does not take a change, its words are told and the units are what they were."""
    engine.set_schedule(preset="daily")
    before = {name: (init.units / name).read_bytes() for name in (SERVICE, TIMER)}
    init.fails[word] = Completed(returncode=1, output="Failed: it is tired.\nSee the journal.\n")
    with pytest.raises(CertdeckError) as refused:
        engine.set_schedule(preset="weekly")
    assert "tired" in refused.value.why
    assert {name: (init.units / name).read_bytes() for name in (SERVICE, TIMER)} == before
    assert engine.schedule().preset == "daily"


def test_systemd_refuses_the_first_time(engine: Engine, init: InitSystem) -> None:
    """When systemd does not take a new timer, no file of it is left and it is off."""
    init.fails["enable"] = Completed(returncode=1, output="", timed_out=True)
    with pytest.raises(CertdeckError, match="systemctl enable"):
        engine.set_schedule()
    assert not (init.units / TIMER).exists()
    assert not (init.units / SERVICE).exists()
    assert timer(engine).state == "off"


@pytest.mark.parametrize("kind", ["own", "masked", "own-cron"])
def test_files_of_others_stay(
    appliance: Appliance, engine: Engine, init: InitSystem, tmp_path: Path, kind: str
) -> None:
    """A unit or cron file that certdeck did not write is neither replaced nor removed."""
    if kind == "own-cron":
        init = InitSystem(tmp_path / "other", systemd=False)
        engine = box_on(appliance, init)
    path = init.cron / "certdeck" if kind == "own-cron" else init.units / TIMER
    if kind == "masked":
        path.symlink_to("/dev/null")
    else:
        path.write_text("# by hand\n")
    with pytest.raises(CertdeckError, match="already exists"):
        engine.set_schedule()
    engine.unschedule()
    assert path.is_symlink() or path.read_text() == "# by hand\n"


def test_one_box_one_timer(appliance: Appliance, engine: Engine, init: InitSystem, tmp_path: Path) -> None:
    """A second installation does not take the timer of the first away, unless that one is gone."""
    engine.set_schedule()
    other = Appliance(tmp_path / "second")
    second = box_on(other, init)
    with pytest.raises(CertdeckError, match="renews other certificates"):
        second.set_schedule()
    second.unschedule()
    assert timer(engine).state == "on"
    appliance.paths.state.rename(tmp_path / "gone")
    assert second.set_schedule().timer.state == "on"


def test_without_a_script(engine: Engine, init: InitSystem) -> None:
    """Where the command cannot be found nothing is written."""
    init.program.unlink()
    with pytest.raises(CertdeckError, match="not found"):
        engine.set_schedule()
    assert list(init.units.iterdir()) == []


# -- cron --------------------------------------------------------------------------------------------------------------


def test_on_and_off_with_cron(appliance: Appliance, cron_box: InitSystem) -> None:
    """Without systemd root's timer is a file in cron.d, at minutes chosen once (SF-14); off removes it."""
    engine = box_on(appliance, cron_box)
    info = engine.set_schedule()
    file = cron_box.cron / "certdeck"
    assert (info.how, info.timer.state, len(info.times)) == ("cron", "on", 2)
    minutes = {each[3:] for each in info.times}
    assert len(minutes) == 1
    assert minutes != {"00"}
    assert f"{int(minutes.pop())} 3,15 * * * root {cron_box.program} --renew" in file.read_text()
    assert info.timer.next_run is not None
    assert f"{info.timer.next_run:%H:%M}" == info.times[1]
    weekly = engine.set_schedule(preset="weekly")
    assert "23:30" < weekly.times[0] <= "23:59"
    assert engine.set_schedule(preset="twice-daily").preset == "twice-daily"
    before = file.stat().st_ino
    times = engine.set_schedule().times
    assert (file.stat().st_ino, engine.schedule().times) == (before, times)
    engine.unschedule()
    assert list(cron_box.cron.iterdir()) == []
    assert timer(engine).state == "off"


def test_on_and_off_with_a_crontab(appliance: Appliance, user_box: InitSystem) -> None:
    """Somebody who is not root gets lines in their crontab; all others stay as they are."""
    engine = box_on(appliance, user_box)
    assert engine.set_schedule().how == "crontab"
    assert user_box.crontab is not None
    assert user_box.crontab.startswith(OTHERS)
    assert user_box.crontab.count("--renew") == 2
    once = user_box.crontab
    assert engine.set_schedule(preset="twice-daily").timer.state == "on"
    assert user_box.crontab == once
    engine.unschedule()
    assert user_box.crontab == OTHERS
    assert timer(engine).state == "off"


def test_a_crontab_of_our_own_goes(appliance: Appliance, user_box: InitSystem) -> None:
    """A crontab that `on` had to make is removed by `off`."""
    user_box.crontab = None
    engine = box_on(appliance, user_box)
    engine.set_schedule()
    engine.unschedule()
    assert user_box.crontab is None


@pytest.mark.parametrize("crontab", ["# " + "x" * 17_000 + "\n", "# \ufffd\n"])
def test_a_crontab_that_cannot_be_read_whole(appliance: Appliance, user_box: InitSystem, crontab: str) -> None:
    """A crontab that would come back cut or changed is left alone; the lines to add by hand are told."""
    user_box.crontab = crontab
    with pytest.raises(CertdeckError) as refused:
        box_on(appliance, user_box).set_schedule()
    assert user_box.crontab == crontab
    assert "--renew" in str(refused.value.details["lines"])


def test_cron_refuses(appliance: Appliance, user_box: InitSystem) -> None:
    """Whoever may not use cron reads why; a crontab that does not stay written is found out."""
    engine = box_on(appliance, user_box)
    user_box.fails["-l"] = Completed(returncode=1, output="You (tester) are not allowed to use this program\n")
    with pytest.raises(CertdeckError, match="could not be read") as refused:
        engine.set_schedule()
    assert "not allowed" in refused.value.why
    del user_box.fails["-l"]
    user_box.loses_crontab = True
    with pytest.raises(CertdeckError, match="could not be changed"):
        engine.set_schedule()
    assert timer(engine).state == "off"


@pytest.mark.parametrize("is_root", [True, False])
def test_neither_systemd_nor_cron(appliance: Appliance, tmp_path: Path, is_root: bool) -> None:
    """Where nothing can start it, the line to add by hand is told, and it is not said to be on."""
    init = InitSystem(tmp_path / "system", systemd=not is_root, cron=False, is_root=is_root)
    engine = box_on(appliance, init)
    with pytest.raises(CertdeckError) as refused:
        engine.set_schedule()
    assert f"{init.program} --renew" in refused.value.fix
    assert timer(engine).state == "off"


def test_from_cron_to_systemd(appliance: Appliance, cron_box: InitSystem) -> None:
    """A box that got systemd keeps one timer, not two."""
    engine = box_on(appliance, cron_box)
    engine.set_schedule()
    cron_box.running.mkdir()
    assert engine.set_schedule().how == "systemd"
    assert list(cron_box.cron.iterdir()) == []


# -- too rare ----------------------------------------------------------------------------------------------------------


def short_lived(appliance: Appliance, name: str, days: float) -> None:
    """Issue a certificate that lives so long."""
    appliance.ca.issue = lambda csr: appliance.ca.chain_for(csr, days=days)
    appliance.issue(name)


def test_weekly_is_too_rare_for_160_hours(appliance: Appliance, engine: Engine, init: InitSystem) -> None:
    """A weekly run is refused with the certificate that it would let run out (SO-35), others are taken."""
    appliance.issue("shop.example.com")
    assert engine.set_schedule(preset="weekly").timer.state == "on"
    engine.set_schedule(preset="daily")
    short_lived(appliance, "edge.example.com", 160 / 24)
    with pytest.raises(UsageError) as refused:
        engine.set_schedule(preset="weekly")
    assert "edge.example.com is valid for 160 hours and renews 80 hours" in refused.value.why
    assert "OnCalendar=*-*-* 03:00:00" in (init.units / TIMER).read_text()
    engine.set_lineage("edge.example.com", auto_renew=False)
    assert engine.set_schedule(preset="weekly").warnings == ()


def test_a_certificate_that_came_later(appliance: Appliance, engine: Engine) -> None:
    """A short-lived certificate that came after the schedule is named when one looks at it."""
    engine.set_schedule(preset="weekly")
    short_lived(appliance, "edge.example.com", 160 / 24)
    (warning,) = engine.schedule().warnings
    assert (warning.code, "edge.example.com" in warning.what) == ("timer-too-rare", True)


EVERY_3_HOURS = tuple(f"{hour:02}:00" for hour in range(0, 24, 3))


def test_the_times_fit_the_shortest_life(appliance: Appliance, engine: Engine, init: InitSystem) -> None:
    """A certificate of 12 hours made `schedule on` refuse, so that nothing renewed: the run comes every three hours."""
    appliance.issue("shop.example.com")
    short_lived(appliance, "edge.example.com", 0.5)
    info = engine.set_schedule()
    assert (info.timer.state, info.times, info.warnings) == ("on", EVERY_3_HOURS, ())
    unit = (init.units / TIMER).read_text()
    assert "OnCalendar=*-*-* 21:00:00" in unit
    assert "RandomizedDelaySec=2700" in unit


def test_the_times_fit_in_cron_too(appliance: Appliance, user_box: InitSystem) -> None:
    """cron gets the same eight times, at a minute of this box."""
    short_lived(appliance, "edge.example.com", 0.5)
    box_on(appliance, user_box).set_schedule()
    assert " 0,3,6,9,12,15,18,21 * * *" in user_box.crontab


def test_times_that_are_too_rare_are_refused_with_those_that_fit(appliance: Appliance, engine: Engine) -> None:
    """Times that somebody chose are not changed behind their back: the refusal names times that work, and they are taken."""
    short_lived(appliance, "edge.example.com", 1)
    for preset, at in (("twice-daily", ()), (None, ("03:00", "09:00"))):
        with pytest.raises(UsageError) as refused:
            engine.set_schedule(preset=preset, at=at)
        assert refused.value.fix == "Use suitable times: certdeck schedule on --at 03:00 09:00 15:00 21:00"
    times = refused.value.details["times"]
    assert isinstance(times, list)
    assert engine.set_schedule(at=times).warnings == ()


def test_a_life_too_short_for_any_timer_keeps_no_other_from_renewing(appliance: Appliance, engine: Engine) -> None:
    """For a certificate of two hours even every hour is too rare: the timer is on all the same, and it is said."""
    short_lived(appliance, "edge.example.com", 2 / 24)
    info = engine.set_schedule()
    assert (info.timer.state, len(info.times)) == ("on", 24)
    assert [warning.what.split()[0] for warning in info.warnings] == ["edge.example.com"]
    assert engine.set_schedule(preset="daily").timer.state == "on"


def test_a_shorter_life_that_came_later_shows(appliance: Appliance, engine: Engine) -> None:
    """A certificate for which the timer comes too rarely has a reason in its health, and `schedule on` fits the times."""
    engine.set_schedule()
    appliance.issue("shop.example.com")
    short_lived(appliance, "edge.example.com", 0.5)
    codes = {row.name: [each.code for each in health(row).reasons] for row in engine.status().lineages}
    assert codes == {"shop.example.com": [], "edge.example.com": ["timer-too-rare"]}
    assert "every 3 hours" in engine.schedule().warnings[0].fix
    assert engine.set_schedule().times == EVERY_3_HOURS
    assert all(health(row).level == "ok" for row in engine.status().lineages)


# -- health ------------------------------------------------------------------------------------------------------------


def test_a_timer_that_lives(appliance: Appliance, engine: Engine) -> None:
    """After a run the last one, its outcome and its error are shown, and the next one is ahead."""
    engine.set_schedule()
    appliance.clock.advance(hours=4)
    ran(appliance, outcome="failed", error="The CA is gone.")
    appliance.clock.advance(hours=1)
    found = timer(engine)
    assert (found.state, found.last_outcome, found.last_error) == ("on", "failed", "The CA is gone.")
    assert found.next_run == NOON + timedelta(hours=15)


def test_a_timer_that_died(appliance: Appliance, engine: Engine) -> None:
    """Two pauses without a run, and nothing says any more that it is on, or promises a next run."""
    engine.set_schedule()
    ran(appliance)
    appliance.clock.advance(hours=25)
    assert timer(engine).state == "on"
    appliance.clock.advance(minutes=1)
    found = timer(engine)
    assert (found.state, found.next_run) == ("dead", None)
    assert "not working: nothing has run since 21 Nov 2026 12:00 UTC" in found.trouble


def test_a_timer_that_never_ran(appliance: Appliance, engine: Engine) -> None:
    """A timer that was switched on and never ran is dead after the same time."""
    engine.set_schedule(preset="daily")
    appliance.clock.advance(days=2, hours=2)
    assert (timer(engine).state, timer(engine).last_run) == ("dead", None)


def test_what_is_gone_is_found(engine: Engine, init: InitSystem) -> None:
    """A unit that somebody removed or disabled, a program that is gone and a timer that systemd does not run all show."""
    engine.set_schedule()
    init.is_active = False
    assert "not active" in engine.schedule().timer.trouble
    init.is_active = True
    init.program.rename(init.program.with_name("away"))
    assert (timer(engine).state, str(init.program) in timer(engine).trouble) == ("dead", True)
    init.program.with_name("away").rename(init.program)
    init.link.unlink()
    assert (timer(engine).state, str(init.link) in timer(engine).trouble) == ("off", True)
    assert engine.set_schedule().timer.state == "on"
    (init.units / TIMER).unlink()
    assert timer(engine).state == "off"
    assert engine.set_schedule().timer.state == "on"


def test_lines_that_are_gone_are_found(appliance: Appliance, user_box: InitSystem) -> None:
    """Lines that somebody took out of the crontab show when one looks, and `on` puts them back."""
    engine = box_on(appliance, user_box)
    engine.set_schedule()
    user_box.crontab = OTHERS
    assert "no longer in the crontab" in engine.schedule().timer.trouble
    assert engine.set_schedule().timer.trouble == ""
    user_box.fails["-l"] = Completed(returncode=1, output="cron is broken\n")
    assert "cron is broken" in engine.schedule().timer.trouble


def test_somebody_elses_timer(appliance: Appliance, engine: Engine) -> None:
    """Without a schedule of ours two recent runs are somebody's timer; one alone, old ones and those before `off` are none."""
    ran(appliance)
    assert (timer(engine).state, timer(engine).word) == ("off", "absent")
    appliance.clock.advance(hours=12)
    ran(appliance)
    assert (timer(engine).state, timer(engine).word) == ("unknown", "active")
    appliance.clock.advance(hours=1)
    engine.unschedule()
    assert (timer(engine).state, timer(engine).word) == ("off", "off")
    for _ in range(2):
        appliance.clock.advance(hours=12)
        assert timer(engine).state == "off"
        ran(appliance)
    assert timer(engine).state == "unknown"
    appliance.clock.advance(days=3)
    assert timer(engine).state == "off"


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", '{"how": "magic"}'])
def test_a_broken_record(appliance: Appliance, engine: Engine, content: str) -> None:
    """A record that cannot be read is none: the state is shown, `on` mends it, and `off` removes the units."""
    engine.set_schedule()
    appliance.paths.schedule.write_text(content)
    assert timer(engine).state == "off"
    assert engine.set_schedule().timer.state == "on"
    appliance.paths.schedule.write_text(json.dumps({"how": "systemd", "times": [], "since": "x"}))
    engine.unschedule()
    assert timer(engine).state == "off"


def test_the_timer_of_the_package_is_known_and_can_be_replaced(
    appliance: Appliance, engine: Engine, init: InitSystem
) -> None:
    """The record that the Debian package leaves makes its timer the one that renews; `schedule on` and `off` switch it off."""
    link = init.units / "timers.target.wants" / "certdeck-renew.timer"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to("/usr/lib/systemd/system/certdeck-renew.timer")
    record = {
        "format": 1, "how": "package", "since": NOON.isoformat(), "times": ["03:00", "15:00"], "weekday": None,
        "delay_minutes": 0, "program": str(init.program), "files": [str(link)],
    }  # fmt: skip
    appliance.paths.schedule.parent.mkdir(parents=True, exist_ok=True)
    appliance.paths.schedule.write_text(json.dumps(record))
    assert timer(engine).state == "on"
    engine.unschedule()
    assert "systemctl disable --now certdeck-renew.timer" in init.ran
    assert timer(engine).state == "off"


def test_the_timer_of_the_package_is_known_after_a_factory_reset(
    appliance: Appliance, engine: Engine, init: InitSystem
) -> None:
    """Where the state was removed, and in an image that carries none, the first boot records the timer of the package again."""
    engine.first_boot(hostname="box.example.com")
    assert (timer(engine).state, timer(engine).word) == ("off", "absent")
    link = init.units / "timers.target.wants" / "certdeck-renew.timer"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to("/usr/lib/systemd/system/certdeck-renew.timer")
    appliance.clock.advance(days=400)
    engine.first_boot()
    assert timer(engine).state == "on"
    engine.unschedule()
    engine.first_boot()
    assert timer(engine).state == "off"
