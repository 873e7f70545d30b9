"""Spreads many due certificates over several runs; those that expire first come first (SF-14).

A run takes as few as possible: at this rate, every certificate gets its turn within half of its remaining time, so that there is
time left for failures. Each run calculates again. Loads nothing heavy if few certificates are due.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from math import ceil

from core.dates import minute_shown
from core.errors import CertdeckError
from core.schedule.record import load as load_schedule
from core.schedule.timetable import TWICE_DAILY
from core.store.index import Facts
from core.workflows.context import View
from core.workflows.renewing.due import RENEW, Decision

LEAST = 20
"""Up to this number, nothing is spread: any CA accepts that many at once."""
_SHARE = 0.5
"""Share of a certificate's remaining time within which it gets its turn."""


def quota(ends: Sequence[float], now: float, pause_seconds: float, most: int) -> int:
    """Return how many due certificates one run takes: at least `LEAST`, at most `most`.

    Args:
        ends: end of each certificate in epoch seconds, earliest first.
        pause_seconds: time between two runs.
    """
    needed = LEAST
    for place, end in enumerate(ends, 1):
        later_runs = max(0, int((end - now) * _SHARE / pause_seconds))
        needed = max(needed, ceil(place / (later_runs + 1)))
    return min(needed, max(LEAST, most))


def spread(view: View, decisions: Sequence[Decision], every: Sequence[Facts]) -> list[Decision]:
    """Return the decisions, with those postponed that belong to a later run."""
    facts = {each.name: each for each in every}
    now = view.env.clock.now().timestamp()
    groups: dict[str, list[Decision]] = {}
    for decision in decisions:
        known = facts.get(decision.name)
        if decision.action != RENEW or known is None or known.version is None or known.revoked or decision.is_own:
            continue
        if known.not_after > now:  # an expired certificate is never postponed
            groups.setdefault(known.issuer or view.config.defaults.issuer, []).append(decision)
    later: dict[str, Decision] = {}
    for issuer, due in groups.items():
        most = _most(view, issuer) if len(due) > LEAST else None
        if most is None:
            continue
        due.sort(key=lambda each: (each.ends, each.name))
        pause = _pause_seconds(view)
        taken = quota([each.ends for each in due], now, pause, most)
        for place, decision in enumerate(due[taken:], taken):
            at = now + place // taken * pause
            why = (
                f"{decision.why}, and waits for the run after {minute_shown(datetime.fromtimestamp(at, UTC))}: "
                f"{len(due)} certificates of {issuer} are due, and each run renews {taken}, starting with those that "
                "expire first"
            )
            later[decision.name] = decision.held(why, at)
    return [later.get(decision.name, decision) for decision in decisions]


def _most(view: View, issuer: str) -> int | None:
    from core.workflows.issuing.plan import issuer_named

    try:
        return issuer_named(view.config, issuer).orders_per_run
    except CertdeckError:
        return None


def _pause_seconds(view: View) -> float:
    record = load_schedule(view.paths)
    return (TWICE_DAILY if record is None else record.timetable).longest_pause.total_seconds()
