"""Wording of the timer: its state, and when the next scheduled run starts. Pure and without Textual."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.dates import period_in_words
from core.health import WITHOUT_TIMER
from tui.wording import text

if TYPE_CHECKING:
    from core.operations import TimerState


def timer_shown(timer: TimerState, now: datetime) -> str:
    """Return the state of the timer: `timer on · next run 03:00–04:00, in 15 h`."""
    if timer.state == "off":
        return f"{WITHOUT_TIMER[timer.word]} · nothing renews automatically"
    if timer.state == "dead":
        last = "it has never run" if timer.last_run is None else f"last run {text.ago(timer.last_run, now)}"
        return f"timer not running · {last}"
    failed = " · last run failed" if timer.last_outcome == "failed" and not timer.resolved else ""
    if timer.next_run is not None:
        by = f"–{text.clock(timer.next_run_by)}" if timer.next_run_by is not None else ""
        return f"timer on · next run {text.clock(timer.next_run)}{by}, {text.until(timer.next_run, now)}{failed}"
    if timer.last_run is not None:
        known = "timer on" if timer.state == "on" else "no timer set"
        return f"{known} · last run {text.ago(timer.last_run, now)}{failed}"
    return "timer on · has not run yet" if timer.state == "on" else "timer unknown · has not run yet"


def delay_shown(delay: timedelta) -> str:
    """Return how much later than its time a run can start, as the end of a clause: `, up to 1 hour later`; empty for none."""
    return f", up to {text.span(delay.total_seconds())} later" if delay else ""


def run_at(timer: TimerState) -> str:
    """Return when the next run starts, as a fact: `29 Nov 2026 03:00 UTC`, or as `run_in_words`. Empty if it is not known."""
    if timer.next_run is None or timer.next_run_by is not None:
        return run_in_words(timer)
    return text.moment(timer.next_run)


def run_in_words(timer: TimerState) -> str:
    """Return when the next run starts, in a sentence: `29 Nov 2026 at 03:00 UTC`, or `29 Nov 2026 between 03:00 and 04:00 UTC`.

    systemd starts it at a random moment in between. Empty if it is not known.
    """
    if timer.next_run is None:
        return ""
    last = None if timer.next_run_by is None else timer.next_run_by.astimezone()
    return period_in_words(timer.next_run.astimezone(), last)
