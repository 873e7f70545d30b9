"""Health: every kind of trouble has its code and its level, and the worst one decides."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from core.health import health
from core.lineage_status import TargetState, TimerState
from core.operations import Status
from core.summary import summary_of
from tests.support.lineages import NOW, lineage, without_certificate
from tui.cli.status_text import check_line

STALE = TargetState(name="web", state="stale")
FAILED = TargetState(name="web", state="failed")
RENEWAL: dict[str, object] = {"code": "rate-limited", "what": "Too many.", "why": "", "fix": ""}
DEPLOYMENT: dict[str, object] = {**RENEWAL, "code": "reload-failed"}
SOON = NOW + timedelta(days=20)


@pytest.mark.parametrize(
    ("fields", "level", "codes"),
    [
        ({}, "ok", []),
        ({"severity": "yellow"}, "warning", ["expires-soon"]),
        ({"severity": "red"}, "critical", ["expires-soon"]),
        ({"severity": "red", "days_left": -1}, "critical", ["expired"]),
        ({"valid_yet": False}, "critical", ["not-yet-valid"]),
        ({"revoked": True}, "critical", ["revoked"]),
        ({"on_fallback": True, "targets": (STALE,)}, "critical", ["fallback-serves"]),
        ({"targets": (STALE,)}, "warning", ["not-served"]),
        ({"targets": (FAILED,), "last_error": DEPLOYMENT}, "critical", ["deployment-failed"]),
        ({"last_error": DEPLOYMENT}, "warning", ["deployment-failed"]),
        ({"last_error": RENEWAL}, "warning", ["renewal-failed"]),
        ({"waiting_version": 2}, "warning", ["not-deployed"]),
        ({"open_order": True}, "warning", ["order-open"]),
        ({"wanted": {"domains": ["a.example"]}}, "warning", ["settings-differ"]),
        ({"timer": "absent"}, "warning", ["no-timer"]),
        ({"timer": "off"}, "warning", ["no-timer"]),
        ({"timer": "failed"}, "warning", ["no-timer"]),
        ({"timer": "absent", "auto_renew": False, "renew_why": "off"}, "ok", []),
        ({"timer": "absent", "renew_why": "by hand"}, "ok", []),
        ({"too_rare": "It comes too rarely."}, "warning", ["timer-too-rare"]),
        ({"chain_end": "R3", "chain_not_after": SOON, "severity": "yellow"}, "warning", ["chain-ends-first"]),
        ({"chain_end": "R3", "chain_not_after": SOON, "severity": "red"}, "critical", ["chain-ends-first"]),
        ({"chain_end": "R3", "chain_not_after": SOON, "auto_renew": False}, "warning", ["chain-ends-first"]),
        ({"chain_end": "R3", "chain_not_after": NOW + timedelta(days=50)}, "ok", []),
        ({"is_staging": True}, "warning", ["staging"]),
        ({"valid_yet": False, "severity": "red"}, "critical", ["not-yet-valid"]),
        ({"valid_yet": False, "severity": "yellow"}, "critical", ["not-yet-valid"]),
        ({"severity": "yellow", "revoked": True}, "critical", ["revoked", "expires-soon"]),
    ],
)
def test_reasons(fields: dict[str, Any], level: str, codes: list[str]) -> None:
    """Each kind of trouble gives its code; the worst level is the certificate's, and its reason stands first."""
    judged = health(lineage("shop", **fields))
    assert (judged.level, [reason.code for reason in judged.reasons]) == (level, codes)
    assert all(reason.text.endswith(".") for reason in judged.reasons)


def test_no_certificate() -> None:
    """Where there is no certificate yet, that is critical and nothing is said about its time."""
    judged = health(without_certificate("new"))
    assert [reason.code for reason in judged.reasons] == ["no-certificate"]
    assert judged.level == "critical"


def box(timer: TimerState, **fields: Any) -> Status:
    """Return a box with one certificate."""
    row = lineage("shop", timer=timer.word, **fields)
    return Status(version="1", time=NOW, lineages=(row,), timer=timer, appliance="Box", hostname="box")


@pytest.mark.parametrize(
    ("timer", "status", "said"),
    [
        (TimerState(state="on"), 0, "OK"),
        (TimerState(state="unknown"), 0, "OK"),
        (TimerState(state="off"), 1, "timer: switched off;"),
        (TimerState(state="off", is_absent=True), 1, "timer: not set; "),
        (TimerState(state="off", is_absent=True, trouble="/x is gone."), 1, "timer: /x is gone; "),
        (TimerState(state="dead", trouble="Nothing has run."), 1, "timer: Nothing has run; "),
    ],
)
def test_check_and_the_timer(timer: TimerState, status: int, said: str) -> None:
    """`status --check` warns of a timer that is absent, off or failed, also where no certificate would renew; it says so once."""
    for fields in ({}, {"auto_renew": False, "renew_why": "off"}):
        level, line = check_line(summary_of(box(timer, **fields)))
        assert level == status
        assert said in line
        assert line.count("timer") == (status > 0) + line.count("certdeck-renewal.timer")
    assert check_line(summary_of(replace(box(timer), lineages=())))[0] == status


def test_check_is_critical_for_a_revoked_certificate() -> None:
    """A revoked certificate with 60 days left is critical."""
    level, line = check_line(summary_of(box(TimerState(state="on"), revoked=True)))
    assert (level, "revoked" in line) == (2, True)
