"""The state of a box in short, for monitoring. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from core.errors import CertdeckError
from core.health import NO_TIMER, OK, Health, health
from core.lineage_status import LineageStatus, Status, Unmanaged


class Unlisted(Struct, frozen=True, kw_only=True):
    """Certificates of which a summary has nothing to say but their number."""

    ok: int = 0
    warning: int = 0
    """Those with a warning about the timer alone, which affects all alike."""
    days_left: int | None = None
    """Of the one that expires first."""


class Summary(Struct, frozen=True, kw_only=True):
    """What `status --check` tells."""

    time: datetime
    lineages: tuple[LineageStatus, ...] = ()
    """Those with a problem of their own, sorted by name."""
    unlisted: Unlisted = Unlisted()
    """The others."""
    problems: tuple[CertdeckError, ...] = ()
    """Invalid lineage files and similar problems."""
    timer: str
    """`active`, `off`, `absent`, `failed`."""
    timer_trouble: str = ""
    """What is wrong with the timer, in one sentence, if it is not simply on or off."""
    clock_doubt: str = ""
    """Why the clock of this box cannot be trusted, in one sentence; empty if nothing speaks against it."""
    unmanaged: tuple[Unmanaged, ...] = ()
    """Services whose certificate of another program expires soon or has expired."""


def has_problem(judged: Health) -> bool:
    """Tell whether a certificate has a problem of its own. The timer affects all alike, and is reported once."""
    return any(reason.code != NO_TIMER for reason in judged.reasons)


def summary_of(status: Status) -> Summary:
    """Return the summary of a status."""
    judged = [(row, health(row)) for row in status.lineages]
    levels = [its.level for _, its in judged if not has_problem(its)]
    days = [row.days_left for row, its in judged if not has_problem(its) and row.days_left is not None]
    ok = levels.count(OK)
    return Summary(
        time=status.time,
        lineages=tuple(row for row, its in judged if has_problem(its)),
        unlisted=Unlisted(ok=ok, warning=len(levels) - ok, days_left=min(days, default=None)),
        problems=status.problems,
        timer=status.timer.word,
        timer_trouble=status.timer.trouble,
        clock_doubt=status.clock_doubt,
        unmanaged=tuple(each for each in status.unmanaged if each.severity != "green"),
    )
