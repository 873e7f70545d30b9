"""The clock of this box in one operation: what CAs say of it, what has to wait because of it, and what is kept of it.

Some steps cannot be taken back, or put a certificate of the box's own in the place of a good one. Under a clock in doubt they wait,
say so once, and the next run does them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.json import decode

from core.errors import ClockInDoubt
from core.regular import read_stored
from core.version import BUILT

if TYPE_CHECKING:
    from core.clock import ClockRecord, Comparison
    from core.workflows.context import Context, View

FIX = "Set the date, or turn time synchronization on (timedatectl set-ntp true). Then run: certdeck --renew"

_RUN_ON_SECONDS = 600.0
"""What is judged by the record of the clock has an hour's tolerance; a clock that ran on for less is not written again."""


def doubt(view: View) -> str | None:
    """Return why the clock is in doubt as far as is known without asking anybody. Reads one small file."""
    if _is_steady(view):
        return None
    from core.clock import why_in_doubt

    return why_in_doubt(view.env.clock.now().timestamp(), _record(view))


def waits(context: Context, step: str) -> str | None:
    """Return why `step` has to wait, and tell so the first time; None when it can be done.

    Args:
        step: what waits, as the beginning of a sentence: `The fallback certificate`.
    """
    why = doubt_now(context)
    if why is not None and context.clock.is_news(step):
        _tell(context, f"{step} waits, because the clock of this box is in doubt. {why}")
    return why


def removal_waits(context: Context, step: str) -> bool:
    """Tell whether removing something for its age has to wait: also after a leap that nobody has confirmed."""
    from core.clock import has_leapt

    now, record = context.env.clock.now().timestamp(), _record(context)
    if waits(context, step) is not None:
        return True
    return has_leapt(now, record, context.clock.worst)


def refuse(context: Context, what: str) -> None:
    """Raise ClockInDoubt (`clock-in-doubt`) where `what` has to wait."""
    why = doubt_now(context)
    if why is not None:
        raise ClockInDoubt(f"{what} waits, because the clock of this box is in doubt.", why, FIX)


def keep(view: View, seen: Comparison | None) -> None:
    """Remember what the clock shows at the end of a run. Never raises."""
    if seen is None and _is_steady(view):
        return
    from core.clock import moved_on
    from core.store.clock_record import save

    before = _record(view)
    after = moved_on(before, view.env.clock.now().timestamp(), seen)
    if after != before:
        save(view.paths, after)


def doubt_now(context: Context) -> str | None:
    """Return why the clock is in doubt, also by what CAs have said in this operation."""
    from core.clock import why_in_doubt

    return why_in_doubt(context.env.clock.now().timestamp(), _record(context), context.clock.worst)


def _record(view: View) -> ClockRecord | None:
    from core.store.clock_record import load

    return load(view.paths)


def _is_steady(view: View) -> bool:
    """Tell whether the clock has merely run on a little since it was kept: so it is in most runs, and they load nothing more."""
    now = view.env.clock.now()
    try:
        raw = decode(read_stored(view.paths.clock))
        is_plain = raw["since"] is None and (raw["offset"] is None or abs(raw["offset"]) < _RUN_ON_SECONDS)
        return is_plain and now >= BUILT and 0 <= now.timestamp() - raw["at"] < _RUN_ON_SECONDS
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _tell(context: Context, what: str) -> None:
    from core.events import Warned

    context.narrator.tell(Warned(code="clock-in-doubt", what=what, fix=FIX))
