"""The state of every lineage in short, for monitoring: those that have a problem, and the number of the others.

A certificate without a problem keeps that state until one of its files changes, or the clock reaches one of the moments that the
rules compare it with. Until then it is not judged again (`core.store.healthy`). Services are asked each time.
"""

from __future__ import annotations

from binascii import crc32
from collections.abc import Sequence

from msgspec.json import encode

from core.health import OK, health
from core.lineage_status import LineageStatus
from core.regular import read_stored
from core.severity import days_left, turns
from core.store import detected, healthy
from core.store.healthy import Healthy
from core.store.index import Facts, Look, facts_of_all, facts_of_some, look
from core.summary import Summary, Unlisted, has_problem
from core.version import BUILT, VERSION
from core.workflows import clock
from core.workflows.context import View
from core.workflows.renewing.due import believable, void_of
from core.workflows.status import Watch, lineage_status, target_states, watch


def summary(view: View) -> Summary:
    """Return the state of all, probed, without the certificates that have no problem but the timer: they are only counted."""
    now = view.env.clock.now()
    stamp = now.timestamp()
    watched = watch(view, now)
    basis = _basis(view, watched)
    seen = look(view.paths)
    kept = healthy.load(view.paths, basis, stamp)
    still = _still_healthy(seen, kept, stamp)
    found = facts_of_some(view.paths, seen, sorted(seen.signatures.keys() - still.keys()))
    every = [believable(facts, stamp) for facts in found.facts]
    states = target_states(
        view, every, probe=True
    )  # not whose certificate a target has instead: monitoring does not tell it
    listed: list[LineageStatus] = []
    passing: list[Healthy] = []
    """Those to judge again the next time."""
    for facts, stored in zip(every, found.facts, strict=True):
        row = lineage_status(view, facts, now, states, watched)
        judged = healthy_until(row, stored, seen, stamp)
        if judged is None:
            listed.append(row)
        elif facts.name in found.settled and stamp < judged.until:
            still[facts.name] = judged
        else:
            passing.append(judged)
    if still != kept:
        healthy.save(view.paths, basis, stamp, still)
    return Summary(
        time=now,
        lineages=tuple(listed),
        unlisted=_counted([*still.values(), *passing], stamp),
        problems=tuple(found.problems),
        timer=watched.timer.word,
        timer_trouble=watched.timer.trouble,
        clock_doubt=clock.doubt(view) or "",
        unmanaged=detected.unmanaged(
            view.paths, lambda: facts_of_all(view.paths)[0], now, view.config.targets, urgent_only=True
        ),
    )


def healthy_until(row: LineageStatus, facts: Facts, seen: Look, now: float) -> Healthy | None:
    """Return a certificate without a problem but the timer, and until when that is sure. None: it has one.

    `facts`: as stored. Where services are involved, or a stored time is void, it is not sure at all.
    """
    judged = health(row)
    if has_problem(judged):
        return None
    until = now if facts.targets or void_of(facts, now) else _next_moment(facts, now)
    return Healthy(hash(seen.signatures[facts.name]), until, facts.chain_not_after, judged.level == OK)


def _next_moment(facts: Facts, now: float) -> float:
    """Return the first moment from now on at which the clock alone can change anything that the rules look at."""
    own = (facts.not_before, facts.not_after, facts.chain_not_after)
    return min((each for each in (*own, *turns(*own), BUILT.timestamp()) if each >= now), default=now)


def _still_healthy(seen: Look, kept: dict[str, Healthy], now: float) -> dict[str, Healthy]:
    signatures, orders = seen
    return {
        name: row
        for name, row in kept.items()
        if now < row.until and hash(signatures.get(name)) == row.seen and name not in orders
    }


def _counted(rows: Sequence[Healthy], now: float) -> Unlisted:
    if not rows:
        return Unlisted()
    ok = sum(row.is_ok for row in rows)
    first = min(row.expires for row in rows)
    return Unlisted(ok=ok, warning=len(rows) - ok, days_left=days_left(0.0, first, now))


def _basis(view: View, watched: Watch) -> str:
    """Return what all rows depend on beside their own files: the settings, the timer, what CAs suggest, the rules."""
    try:
        windows = read_stored(view.paths.windows)
    except OSError:
        windows = b""
    settings = encode((VERSION, view.config, watched.timer.word, watched.timetable))
    return f"{crc32(settings):08x}{crc32(windows):08x}"
