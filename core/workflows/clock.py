"""The clock of this box in one operation: what CAs say of it, what has to wait because of it, and what is kept of it.

Some steps cannot be taken back, or put a certificate of the box's own in the place of a good one. Under a clock in doubt they wait,
say so once, and the next run does them.
"""

from __future__ import annotations

from core.clock import Comparison, has_leapt, moved_on, why_in_doubt
from core.errors import ClockInDoubt
from core.store import clock_record
from core.workflows.context import Context, View

FIX = "Set the date, or switch time synchronization on (timedatectl set-ntp true); then run certdeck --renew."

_WORTH_WRITING_SECONDS = 600.0
"""A clock that has merely run on for less is not written again: what is judged by it has an hour's tolerance."""


def doubt(view: View) -> str | None:
    """Return why the clock is in doubt as far as is known without asking anybody. Reads one small file."""
    return why_in_doubt(view.env.clock.now().timestamp(), clock_record.load(view.paths))


def waits(context: Context, step: str) -> str | None:
    """Return why `step` has to wait, and tell so the first time; None when it can be done.

    Args:
        step: what waits, as the beginning of a sentence: `The fallback certificate`.
    """
    why = why_in_doubt(context.env.clock.now().timestamp(), clock_record.load(context.paths), context.clock.worst)
    if why is not None and context.clock.is_news(step):
        _tell(context, f"{step} waits, because the clock of this box is in doubt. {why}")
    return why


def removal_waits(context: Context, step: str) -> bool:
    """Tell whether removing something for its age has to wait: also after a leap that nobody has confirmed."""
    now, record = context.env.clock.now().timestamp(), clock_record.load(context.paths)
    if waits(context, step) is not None:
        return True
    return has_leapt(now, record, context.clock.worst)


def refuse(context: Context, what: str) -> None:
    """Raise ClockInDoubt (`clock-in-doubt`) where `what` has to wait."""
    why = why_in_doubt(context.env.clock.now().timestamp(), clock_record.load(context.paths), context.clock.worst)
    if why is not None:
        raise ClockInDoubt(f"{what} waits, because the clock of this box is in doubt.", why, FIX)


def keep(view: View, seen: Comparison | None) -> None:
    """Remember what the clock shows at the end of a run. Never raises."""
    before = clock_record.load(view.paths)
    after = moved_on(before, view.env.clock.now().timestamp(), seen)
    if before is None or after._replace(at=before.at) != before or after.at - before.at > _WORTH_WRITING_SECONDS:
        clock_record.save(view.paths, after)


def _tell(context: Context, what: str) -> None:
    from core.events import Warned

    context.narrator.tell(Warned(code="clock-in-doubt", what=what, fix=FIX))
