"""Switches the scheduled run on and off, and shows its state (ST-27, ST-28, ST-31, SO-35).

The requested times are checked against the certificates' lifetimes, installed with systemd or cron (`core.schedule.install`), and
only then recorded. A crash in between leaves an installed timer, which the next `on` or `off` corrects.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from core.errors import CertdeckError, UsageError
from core.events import Changed, Warned
from core.health import TIMER_TOO_RARE
from core.operations import ScheduleInfo
from core.renewal_report import Notice
from core.schedule.install import home_of, install, installed_trouble, method_here, no_way, uninstall
from core.schedule.record import CRON, CRONTAB, OFF, PACKAGE, SYSTEMD, ScheduleRecord, load, save
from core.schedule.timetable import DAYS, TWICE_DAILY, Timetable, fitting, timetable_for, too_rare
from core.schedule.units import PACKAGED_TIMER
from core.store.index import Facts, facts_of_all
from core.text import plural
from core.workflows.renewing.due import SKIP, decide, seconds_to_renew
from core.workflows.renewing.timer import timer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.lineage_status import TimerState
    from core.workflows.context import Context, View


def schedule(view: View) -> ScheduleInfo:
    """Return the times of the scheduled run, and whether it works. Also asks systemd or cron."""
    record = load(view.paths)
    state = timer(view, view.env.clock.now())
    if record is None or record.how == OFF:
        known = TWICE_DAILY if record is None else record.timetable
        return _info(state, "", known, timedelta())
    trouble = installed_trouble(view.env, record) if state.state == "on" else ""
    if trouble:
        state = replace(state, state="dead", next_run=None, next_run_by=None, trouble=trouble)
    warnings = tuple(_warnings(view, record.timetable))
    return replace(_info(state, record.how, record.actual, record.random_delay), warnings=warnings)


def set_schedule(context: Context, *, preset: str | None, at: Sequence[str]) -> ScheduleInfo:
    """Switch the scheduled run on, or change it. Without `preset` and `at`: at the previous times, or twice a day the first time.

    Default times are adjusted to the certificate with the shortest lifetime. A certificate whose lifetime is too short for any
    timetable does not prevent the renewal of the others.

    Raises:
        UsageError (`usage`): an unknown preset or time, or a certificate's lifetime is too short for the requested times;
            `details["times"]` then has suitable times.
        StoreError; CertdeckError (`failed`): no scheduler is available, or systemd or cron refused. Nothing has changed.
    """
    before = load(context.paths)
    is_asked = preset is not None or bool(at)
    timetable = before.timetable if before is not None and not is_asked else timetable_for(preset, at)
    short = list(_too_short(context, timetable))
    if short:
        fits = fitting(min(each.before_end for each in short))
        if is_asked and not too_rare(fits, min(each.before_end for each in short)):
            raise UsageError(
                f"The scheduled run cannot start only {timetable.words}.",
                short[0].sentence,
                f"Use suitable times: certdeck schedule on --at {' '.join(fits.clock_times)}",
                details={"times": list(fits.clock_times)},
            )
        if not is_asked:
            timetable = fits
            context.narrator.tell(
                Warned(
                    code="times-fitted",
                    what=f"The scheduled run starts {fits.rhythm}, because {short[0].sentence}",
                    fix="For other times: certdeck schedule on --at HH:MM …",
                )
            )
    program = program_of(context)
    how = method_here(context.env)
    if how is None:
        raise no_way(context.env, timetable, program)
    wanted = ScheduleRecord(
        how=how,
        since=context.env.clock.now(),
        timetable=timetable,
        delay_minutes=_delay(context, before, timetable),
        program=program,
    )
    was_there = before is not None and all(map(os.path.lexists, before.files))
    done = install(context.env, context.paths.state, wanted, context.cancel)
    if before is not None and before.how not in (how, OFF):
        uninstall(context.env, context.paths.state, [before.how], context.cancel)
    # Requesting the same again must not make a dead timer look new.
    if not (was_there and before is not None and replace(done, since=before.since) == before):
        save(context.paths, done)
        context.narrator.tell(Changed(what=f"schedule: {done.actual.words}, by {done.how}"))
    return schedule(context)


def unschedule(context: Context) -> ScheduleInfo:
    """Switch the scheduled run off: removes exactly the installed files. Does nothing if it is not on.

    Raises:
        StoreError; CertdeckError (`failed`): systemd or cron refused.
    """
    before = load(context.paths)
    # Reading a crontab means running a program. Skip that if we know that it has no line of ours.
    hows = [SYSTEMD, CRON, *([CRONTAB] if before is None or before.how == CRONTAB else [])]
    if before is not None and before.how == PACKAGE:
        hows.append(PACKAGE)
    removed = uninstall(context.env, context.paths.state, hows, context.cancel)
    if removed or before is None or before.how != OFF:
        timetable = TWICE_DAILY if before is None else before.timetable
        delay = 0 if before is None else before.delay_minutes
        now = context.env.clock.now()
        save(context.paths, ScheduleRecord(how=OFF, since=now, timetable=timetable, delay_minutes=delay))
    if removed:
        context.narrator.tell(Changed(what="schedule: off"))
    return schedule(context)


def note_packaged_timer(context: Context) -> None:
    """Record the timer of the Debian package where it is enabled and nothing is recorded: after a factory reset, and in an image.

    Raises StoreError.
    """
    places = context.env.places
    link = places.units / "timers.target.wants" / PACKAGED_TIMER
    program = places.program()
    if not places.is_root or home_of(context.env) or program is None or not os.path.lexists(link):
        return
    if load(context.paths) is None:
        now = context.env.clock.now()
        save(
            context.paths, ScheduleRecord(how=PACKAGE, since=now, timetable=TWICE_DAILY, program=program, files=(link,))
        )


def _info(state: TimerState, how: str, timetable: Timetable, random_delay: timedelta) -> ScheduleInfo:
    return ScheduleInfo(
        timer=state,
        how=how,
        preset=timetable.preset,
        times=timetable.clock_times,
        weekday=None if timetable.weekday is None else DAYS[timetable.weekday],
        words=timetable.words,
        random_delay=random_delay,
    )


class _Short(NamedTuple):
    """A certificate that could expire between two runs."""

    before_end: float
    """Seconds from its renewal time to its end."""
    sentence: str


def _too_short(view: View, timetable: Timetable) -> Iterator[_Short]:
    for facts in facts_of_all(view.paths)[0]:
        before_end = _before_end_seconds(view, facts)
        if before_end is not None and too_rare(timetable, before_end):
            life, ahead = _span(facts.chain_not_after - facts.not_before), _span(before_end)
            said = f"{facts.name} is valid for {life} and renews {ahead} before it expires; two runs must be within that time."
            yield _Short(before_end, said)


def _warnings(view: View, timetable: Timetable) -> Iterator[Notice]:
    short = list(_too_short(view, timetable))
    if not short:
        return
    fits = fitting(min(each.before_end for each in short))
    better = f"Run `certdeck schedule on` to adjust the times: {fits.rhythm}." if fits != timetable else ""
    for each in short:
        yield Notice(code=TIMER_TOO_RARE, what=each.sentence, fix=better)


def _before_end_seconds(view: View, facts: Facts) -> float | None:
    """Return the seconds from a certificate's renewal time to its end. None: it does not renew automatically."""
    if facts.version is None:
        return None
    # A new certificate is never due. If it is skipped without a renewal time, it does not renew automatically.
    decision = decide(facts._replace(waiting_version=None), view.config, facts.not_before, force=False, named=False)
    if decision.action == SKIP and decision.renew_at is None:
        return None
    return seconds_to_renew(facts, view.config)


def _span(seconds: float) -> str:
    hours = round(seconds / 3600)
    return plural(hours, "hour") if hours < 240 else plural(hours // 24, "day")


def _delay(context: Context, before: ScheduleRecord | None, timetable: Timetable) -> int:
    """Return the minutes that this box adds to cron's times. They are chosen at random once, and kept."""
    chosen = before.delay_minutes if before is not None else 0
    if not chosen:
        chosen = int(context.env.random.uniform(1, 60))
    return min(chosen, timetable.most_delay_minutes)


def program_of(context: Context) -> str:
    """Return the path of the command `certdeck`. Raises CertdeckError (`failed`) if there is none."""
    program = context.env.places.program()
    if program is None:
        raise CertdeckError(
            "The command `certdeck` was not found.",
            "A timer needs the path of this command, and this process was started in another way.",
            "Install certdeck, e.g. with `pipx install .`, then run `certdeck schedule on`.",
        )
    return program
