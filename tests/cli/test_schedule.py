"""`certdeck schedule …`: what people read, what scripts get, and what reaches the engine."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from core.errors import CertdeckError
from core.lineage_status import TimerState
from core.renewal_report import Notice
from core.schedule.timetable import timetable_for
from tests.support.command import command
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import NEXT_RUN, NOW


def test_show() -> None:
    """Whether the timer lives comes first, then when it comes, next and last run (ST-27)."""
    engine = FakeEngine()
    engine.timer = replace(engine.timer, next_run_by=NEXT_RUN + timedelta(hours=1))
    answer = command("schedule", engine=engine)
    assert answer.out.splitlines() == [
        "certdeck certificate renewal: on, by systemd (certdeck-renewal.timer)",
        "  Comes     every day at 03:00 and 15:00, up to 1 hour later, and after a boot",
        "  Next run  22 Nov 2026 between 03:00 and 04:00 UTC, in 22 h",
        "  Last run  21 Nov 2026 03:02 UTC, 1 hour ago: done",
    ]
    assert (answer.status, answer.err) == (0, "")
    assert command("schedule", "show", engine=engine) == answer
    assert "Next run  22 Nov 2026 03:00 UTC, in 22 h" in command("schedule").out  # without a random delay


def test_show_trouble() -> None:
    """A dead timer, the last error and a schedule that is too rare all show, and how to mend it."""
    engine = FakeEngine()
    engine.timer = TimerState(
        state="unknown",
        last_run=NOW - timedelta(days=3),
        last_outcome="failed",
        last_error="The CA is gone.\x1b[2J",
        trouble="The timer is not working: nothing has run since then.",
    )
    engine.warnings = (Notice(code="timer-too-rare", what="edge lives 160 hours.", fix="Fit the times."),)
    out = command("schedule", engine=engine).out
    for words in (
        "unknown",
        "The timer is not working",
        "3 days ago: failed",
        "The CA is gone.",
        "edge lives",
        "certdeck schedule on",
    ):
        assert words in out
    assert "\x1b" not in out
    assert "Next run" not in out


@pytest.mark.parametrize(("is_absent", "word"), [(True, "not set"), (False, "off")])
def test_never_set_is_not_switched_off(is_absent: bool, word: str) -> None:
    """A timer that was never set is called so, as in `status --check` and in the JSON of `status`."""
    engine = FakeEngine()
    engine.timer = TimerState(state="off", is_absent=is_absent)
    assert word in command("schedule", engine=engine).out.splitlines()[0]
    assert command("schedule", "--json", engine=engine).json["timer"]["state"] == ("absent" if is_absent else "off")


def test_json() -> None:
    """`--json` says the same in one object; times are RFC 3339."""
    assert command("schedule", "--json").json == {
        "state": "on",
        "timer": {
            "state": "active",
            "last_run": "2026-11-21T03:02:00Z",
            "next_run": "2026-11-22T03:00:00Z",
            "next_run_by": None,
        },
        "how": "systemd",
        "preset": "twice-daily",
        "times": ["03:00", "15:00"],
        "weekday": None,
        "next_run": "2026-11-22T03:00:00Z",
        "next_run_by": None,
        "last_run": "2026-11-21T03:02:00Z",
        "last_outcome": "done",
        "last_error": None,
        "trouble": None,
        "warnings": [],
    }


def test_json_warnings_have_a_code_and_a_fix() -> None:
    """A warning of `schedule --json` has the same shape as one of any other command."""
    engine = FakeEngine()
    engine.warnings = (Notice(code="timer-too-rare", what="edge lives 160 hours.", fix=""),)
    found = command("schedule", "--json", engine=engine).json["warnings"]
    assert found == [{"code": "timer-too-rare", "what": "edge lives 160 hours.", "fix": ""}]
    off = command("schedule", "off", "--json").json
    assert (off["state"], off["how"], off["next_run"]) == ("off", None, None)


@pytest.mark.parametrize(
    ("argv", "given"),
    [
        ([], {"preset": None, "at": ()}),
        (["--preset", "weekly"], {"preset": "weekly", "at": ()}),
        (["--at", "04:00", "12:00"], {"preset": None, "at": ("04:00", "12:00")}),
        (
            ["--at", "04:00", "--at", "12:00", "--preset", "twice-daily"],
            {"preset": "twice-daily", "at": ("04:00", "12:00")},
        ),
    ],
)
def test_on(argv: list[str], given: dict[str, object]) -> None:
    """`on` passes preset and times on, and shows what came of it (ST-28, ST-31)."""
    engine = FakeEngine()
    engine.timer = TimerState(state="off")
    answer = command("schedule", "on", *argv, engine=engine)
    assert ("set_schedule", given) in engine.calls
    assert answer.status == 0
    assert "certdeck certificate renewal: on" in answer.out


def test_off() -> None:
    """`off` says that it is off, and how to switch it on."""
    engine = FakeEngine()
    answer = command("schedule", "off", engine=engine)
    assert answer.out.startswith("certdeck certificate renewal: off\n")
    assert "certdeck schedule on" in answer.out
    assert ("unschedule", {}) in engine.calls


def test_run() -> None:
    """`run` is what the timer does: the scheduled run over everything."""
    engine = FakeEngine()
    answer = command("schedule", "run", "--json", engine=engine)
    assert ("renew", {"names": (), "force": False, "dry_run": False}) in engine.calls
    assert set(answer.json) == {"renewed", "skipped", "failed"}


@pytest.mark.parametrize(
    "argv",
    [["on", "--preset", "hourly"], ["on", "--at", "25:00"], ["on", "--at"], ["of"], ["on", "03:00"], ["off", "now"]],
)
def test_wrong_usage(argv: list[str]) -> None:
    """What it does not take is refused with what, why and fix, exit status 2."""
    answer = command("schedule", *argv, engine=FakeEngine())
    assert (answer.status, answer.out) == (2, "")
    assert len(answer.err.splitlines()) == 3


def test_a_box_that_can_start_nothing() -> None:
    """A failure is told in words and in JSON, exit status 1."""
    engine = FakeEngine()
    engine.fails["set_schedule"] = CertdeckError(
        "Nothing starts it.", "No cron.", "Add a line.", details={"lines": ["x"]}
    )
    assert command("schedule", "on", engine=engine).status == 1
    assert command("schedule", "on", "--json", engine=engine).error["details"] == {"lines": ["x"]}


def test_cron_has_no_later() -> None:
    """With cron the times are exact, and say so."""
    engine = FakeEngine()
    engine.timetable = timetable_for("weekly", ())
    info = engine.schedule()

    class OnCron(FakeEngine):
        def schedule(self) -> object:
            return replace(info, how="cron", random_delay=timedelta())

    out = command("schedule", engine=OnCron()).out
    assert "by cron (/etc/cron.d/certdeck)" in out
    assert "every Sunday at 23:30, and after a boot" in out
