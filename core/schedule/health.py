"""The health of the scheduled run. Calls no other program: it uses the record, a few `stat` calls, and the results of the last run.

A renewal that silently does not run is the most frequent complaint about programs of this kind, so being installed is not enough:
after two intervals without a run, the timer counts as dead.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from core.dates import minute_shown
from core.lineage_status import TimerState
from core.schedule.record import OFF, ScheduleRecord
from core.schedule.timetable import RANDOM_DELAY

_FOREIGN = timedelta(days=2)
"""A timer that certdeck did not install counts as working only if it runs at least this often."""


def timer_state(
    record: ScheduleRecord | None,
    now: datetime,
    last_run: datetime | None,
    last_outcome: str,
    last_error: str,
    run_before: datetime | None = None,
) -> TimerState:
    """Return the state of the timer. `run_before`: the run before the last one.

    `on`: it is installed and runs. `off`: it is not installed or not enabled. `dead`: it is installed and does not run.
    `unknown`: something that certdeck did not install runs it regularly. `trouble` names the problem.
    """
    if run_before is not None and _is_to_come(run_before, now):
        run_before = None
    if last_run is not None and _is_to_come(last_run, now):
        last_run, last_outcome, last_error = None, "", ""
    if last_run is None or (run_before is not None and run_before >= last_run):
        run_before = None  # written under a wrong clock
    state, trouble = _judged(record, now, last_run, run_before)
    first, latest = _next_run(record, now, last_run) if record is not None and state == "on" else (None, None)
    return TimerState(
        state=state,
        next_run=first,
        next_run_by=latest,
        last_run=last_run,
        last_outcome=last_outcome,
        last_error=last_error,
        trouble=trouble,
        is_absent=record is None or (record.how != OFF and state == "off"),
    )


def _judged(
    record: ScheduleRecord | None, now: datetime, last_run: datetime | None, run_before: datetime | None
) -> tuple[str, str]:
    if record is None or record.how == OFF:
        begun = None if record is None else record.since
        if _runs_regularly(now, last_run, run_before, begun):
            return "unknown", "No schedule is set; something else runs it."
        return "off", ""
    gone = [file for file in record.files if not os.path.lexists(file)]
    if gone:
        return "off", f"{gone[0]} is missing: it was disabled outside certdeck."
    if not os.access(record.program, os.X_OK):
        return "dead", f"It starts {record.program}, which does not exist or cannot be run."
    since = None if _is_to_come(record.since, now) else record.since
    seen = max((each for each in (last_run, since) if each is not None), default=None)
    if seen is None:
        return "dead", "No run is recorded since it was switched on, which happened under a wrong clock."
    if now - seen > 2 * record.actual.longest_pause + RANDOM_DELAY:
        return "dead", f"The timer is not working: nothing has run since {minute_shown(seen)}."
    return "on", ""


def _next_run(record: ScheduleRecord, now: datetime, last_run: datetime | None) -> tuple[datetime, datetime | None]:
    """Return the earliest and the latest moment of the next run; no latest one without a random delay.

    A run whose time has passed within its delay, and that has not started, is still to come.
    """
    delay = record.random_delay
    due = record.actual.next_run(now - delay)
    if due <= now and ((last_run is not None and last_run >= due) or record.since >= due):
        due = record.actual.next_run(now)
    return max(due, now), (due + delay if delay else None)


def _is_to_come(at: datetime, now: datetime) -> bool:
    """Return whether a past event lies in the future: it was recorded under a wrong clock."""
    if at <= now:
        return False
    from core.stored_times import LAST_RUN, is_void

    return is_void(at.timestamp(), now.timestamp(), LAST_RUN)


def _runs_regularly(
    now: datetime, last_run: datetime | None, run_before: datetime | None, begun: datetime | None
) -> bool:
    """Return whether something else runs it. One run may be manual; two, each within two days, mean a timer."""
    if last_run is None or run_before is None or (begun is not None and run_before <= begun):
        return False
    return now - last_run < _FOREIGN and last_run - run_before < _FOREIGN
