"""Writes missed scheduled runs, and changes of the timer, to the log, whether notifications are configured or not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from typing import TYPE_CHECKING

from core.errors import CertdeckError
from core.paths import Paths
from core.workflows.context import View
from core.workflows.renewing import last_run

if TYPE_CHECKING:
    from core.events import Event
    from core.lineage_status import TimerState
    from core.notify.conditions import Condition
    from core.store.history import History


def missed_since(paths: Paths, before: datetime | None, now: datetime) -> Condition | None:
    """Return the condition that no run followed the one at `before` in time. None: one did, or none is expected."""
    if before is None or not paths.schedule.exists():
        return None
    from core.schedule.record import OFF, load

    record = load(paths)
    if record is None or record.how == OFF or before < record.since:
        return None
    if now - before <= record.actual.missed_after:
        return None
    from core.notify.conditions import missed

    return missed(before, now, record.actual.longest_pause)


def note_missed(view: View, history: Callable[[], AbstractContextManager[History]]) -> None:
    """Write missed runs to the log. Called before a scheduled run, which then becomes the last run. Never raises."""
    now = view.env.clock.now()
    with suppress(CertdeckError):
        last = last_run.read(view.paths)
        missed = None if last is None else missed_since(view.paths, last.at, now)
        if missed is not None:
            from core.events import Warned

            item = missed.item
            write_row(view, history, Warned(code="run-missed", what=f"{item.what} {item.why}", fix=item.fix))


def note_timer(
    view: View, history: Callable[[], AbstractContextManager[History]], before: str, known: TimerState
) -> None:
    """Write the new state of the timer to the log. `before`: the word for its earlier state. Never raises."""
    from core.events import Changed, Warned

    if known.word == "active":
        write_row(view, history, Changed(what=f"the timer works again; it was {before}"))
        return
    trouble = f" {known.trouble}" if known.trouble else ""
    what = f"The timer of the scheduled run was {before} and is {known.word}.{trouble}"
    write_row(view, history, Warned(code="timer", what=what, fix="certdeck schedule on"))


def write_row(view: View, history: Callable[[], AbstractContextManager[History]], event: Event) -> None:
    """Write an event to the history and, if configured, to the system log. Ignores a CertdeckError."""
    from core.events import Narrator, Report
    from core.workflows.telling.system_log import write_line

    env, who = view.env, view.env.host.user()
    with suppress(CertdeckError), history() as opened:

        def keep(told: Report) -> None:
            opened.record(told, who)
            if view.config.log.syslog:
                write_line(env.system_log, told, who)

        Narrator(report=keep, now=env.clock.now, run=env.random.token_bytes(4).hex()).tell(event)
