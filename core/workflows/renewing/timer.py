"""State of the timer. Separate from the state of the certificates, because the end of a run needs only this."""

from __future__ import annotations

from datetime import datetime

from core.lineage_status import TimerState
from core.schedule.health import timer_state
from core.schedule.record import load as load_schedule
from core.workflows.context import View
from core.workflows.renewing import last_run


def timer(view: View, now: datetime) -> TimerState:
    """Return the state of the timer (ST-27). Runs no other program."""
    last = last_run.read(view.paths)
    record = load_schedule(view.paths)
    if last is None:
        return timer_state(record, now, None, "", "")
    return timer_state(record, now, last.at, last.outcome, last.error, last.before)
