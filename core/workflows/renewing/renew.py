"""The scheduled run: renews and deploys what is due. One failure does not stop the others.

Most runs have nothing to do, so the part before the lock consists of `stat` calls and one small file: no lock, no history, no
cryptography, no network. After taking the lock it decides again, because another run may have done the work. A renewal uses the
settings of the first order (ST-30). After two failures it tries the staging directory first, then the fallback issuers.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from core.errors import (
    CertdeckError,
    LockHeld,
    StoreTooNew,
)
from core.renewal_report import FailedLineage, Notice, RenewalReport, RenewRequest, Skipped
from core.store import web
from core.store.copies import has_old_copies, purge_deleted
from core.store.index import Facts, facts_of_all
from core.store.live import invalid_links
from core.store.lock import was_left_untidy
from core.workflows.clock import FIX, keep
from core.workflows.clock import doubt as why_in_doubt
from core.workflows.context import Context, View
from core.workflows.deploying.shown import differing, shown_elsewhere
from core.workflows.renewing import last_run
from core.workflows.renewing.damaged import damaged, with_repairs
from core.workflows.renewing.due import ASK, FINISH, PUT_BACK, RENEW, SKIP, Decision, decide, skipped_now, void_of

if TYPE_CHECKING:
    from core.paths import Paths
    from core.ports import CancelToken
    from core.workflows.renewing.remembered import Watch
    from core.workflows.renewing.revocation import Asked

_AT_ONCE = 8
"""Concurrent orders: enough to hide a CA's latency, few enough for its limits (Let's Encrypt: 300 orders in 3 h)."""


def renew(
    view: View,
    writing: Callable[[], AbstractContextManager[Context]],
    request: RenewRequest,
    *,
    ended: Callable[[RenewalReport, Sequence[Facts]], RenewalReport] | None = None,
    watch: Watch | None = None,
    cancel: CancelToken | None = None,
) -> RenewalReport:
    """Renew what is due, or what the request names.

    Args:
        view: for reading before the lock is taken.
        writing: takes the lock and returns the context for writing. Called only if there is work.
        ended: called at the end with the report and the facts of the lineages; returns the report with its warnings added. Not
            called for a dry run.
        watch: remembers an idle run, so that the next one can repeat its result.
        cancel: cancels requests that are sent without the lock.

    Raises:
        NotFound (`not-found`): an unknown name.
        LockHeld (`lock-held`): something is due, and another certdeck process is working.
        ConfigError: the main configuration cannot be read. A broken lineage file is a failure in the report.
    """
    is_scheduled = request.is_scheduled  # a manual run says nothing about the timer
    try:
        decided = _decisions(view, request)
        every, broken, void = decided.every, decided.broken, decided.void
        busy = [decision for decision in decided.decisions if decision.action != SKIP]
        skipped = tuple(skipped_now(decision) for decision in decided.decisions if decision.action == SKIP)
        if request.dry_run:
            due = tuple(decision.name for decision in busy if decision.action not in (ASK, PUT_BACK))
            asked = tuple(skipped_now(decision) for decision in busy if decision.action in (ASK, PUT_BACK))
            warnings = (*_void_notices(void), *shown_elsewhere(view, decided.differing))
            return RenewalReport(skipped=skipped + asked, failed=broken, due=due, warnings=warnings)
        outcome = RenewalReport(skipped=skipped, failed=broken, warnings=_void_notices(void))
        is_odd = bool(broken) and bool(invalid_links(view.paths))
        answers = _revocations(view, every, cancel) if is_scheduled else None
        is_revoked = answers is not None and bool(answers.revoked)
        if busy or void or is_odd or is_revoked or _left_behind(view.paths) or _is_more_to_do(view):
            try:
                with writing() as working:  # taking the lock cleans up after a killed run
                    if answers is not None:
                        answers.settle(working)
                    outcome = _run(working, request)
                every = _facts_after(view, request.names)
            except LockHeld:
                if any(decision.action != ASK for decision in busy):
                    raise  # otherwise a live process is deploying and will finish; the rest can wait
        elif answers is not None:
            answers.keep(view)
    except Exception as exc:
        if is_scheduled:
            _remember(view, "failed", exc.what if isinstance(exc, CertdeckError) else type(exc).__name__)
        raise
    if not busy:
        keep(view, None)
    warnings = outcome.warnings
    if not any(notice.code == "clock-in-doubt" for notice in warnings):
        warnings = (*_doubt_notices(why_in_doubt(view)), *warnings)
    if watch is not None:
        watch.services(every)
    outcome = replace(outcome, warnings=(*warnings, *shown_elsewhere(view, every if busy else decided.differing)))
    failed = outcome.failed
    if is_scheduled:
        what = failed[0].error.what if failed else ""
        _remember(view, "failed" if failed else "done", what, [each.name for each in failed])
    if watch is not None and not busy and not is_revoked:
        watch.ended(outcome, every)
    return outcome if ended is None else ended(outcome, every)


def _revocations(view: View, every: Sequence[Facts], cancel: CancelToken | None) -> Asked | None:
    """Ask the CAs whether they have revoked live certificates, if a day has passed since the last time."""
    if not any(facts.may_be_asked for facts in every):
        return None
    from core.workflows.renewing.revocation import ask_when_due

    return ask_when_due(view, every, cancel)


def _facts_after(view: View, names: Sequence[str]) -> list[Facts]:
    """Return the facts after the work. Empty if they cannot be read: that must not turn a successful renewal into a failure."""
    try:
        return [facts for facts in facts_of_all(view.paths)[0] if not names or facts.name in names]
    except CertdeckError:
        return []


def _is_more_to_do(view: View) -> bool:
    """Tell whether there is other work: deleted copies to remove, web settings to change."""
    now = view.env.clock.now()
    return has_old_copies(view.paths, now) or bool(web.due(view.paths, now))


def _left_behind(paths: Paths) -> bool:
    """Tell whether a run, a deployment or a DNS record is unfinished, of a process that died or is still working."""
    if was_left_untidy(paths):
        return True
    if web.is_changing(paths):
        return True
    for folder in (paths.transactions, paths.dns_records):
        with suppress(OSError):
            if any(not name.startswith(".") for name in os.listdir(folder)):
                return True
    return False


def _remember(view: View, outcome: str, error: str, lineages: Sequence[str] = ()) -> None:
    # A full or read-only disk must not hide the result of the run itself.
    try:
        ended = last_run.LastRun(at=view.env.clock.now(), outcome=outcome, error=error, lineages=tuple(lineages))
        last_run.record(view.paths, ended)
    except StoreTooNew:
        raise
    except CertdeckError:
        return


class _Decided(NamedTuple):
    """What a run will do, and the facts for it."""

    decisions: list[Decision]
    broken: tuple[FailedLineage, ...]
    """Lineages and orders that cannot be read."""
    every: list[Facts]
    void: dict[str, tuple[str, ...]]
    """By name, the stored times that only a wrong clock can have written."""
    differing: list[Facts]
    """Lineages whose targets do not have the live version."""


def _decisions(view: View, request: RenewRequest) -> _Decided:
    names, force = request.names, request.force
    every, problems = facts_of_all(view.paths)
    if names:
        problems = [problem for problem in problems if problem.lineage in names]
    repairable = damaged(view, problems, force=force, named=bool(names)) if problems else []
    broken = tuple(FailedLineage(name=problem.lineage or "", error=problem) for problem in problems)
    if names:
        every = _chosen(every, broken, names)
    now = view.env.clock.now()
    named = bool(names)
    stamp = now.timestamp()
    decisions = [decide(facts, view.config, stamp, force=force, named=named) for facts in every]
    void = {facts.name: found for facts in every if (found := void_of(facts, stamp))}
    decisions += repairable
    differs = differing(view, every)
    if differs:
        decisions = with_repairs(view, decisions, differs, force=force, named=named)
    known = {*(decision.name for decision in decisions), *(problem.name for problem in broken)}
    broken = tuple(problem for problem in broken if not any(each.name == problem.name for each in repairable))
    if not named:
        left_open, unreadable = _left_open(view.paths, known, now)
        decisions += left_open
        broken += unreadable
    if any(decision.action == RENEW for decision in decisions) and not (force and named):
        from core.workflows.renewing.limited import held_by_limits

        decisions = held_by_limits(view, decisions, every)
        if not (force or named):
            from core.workflows.renewing.spread import spread

            decisions = spread(view, decisions, every)
    if not named and any(target.window for target in view.config.targets.values()):
        from core.workflows.renewing.maintenance import held_by_windows

        decisions = held_by_windows(decisions, every, view.config, now.astimezone())
    return _Decided(decisions, broken, every, void, differs)


def _void_notices(void: Mapping[str, Sequence[str]]) -> tuple[Notice, ...]:
    return tuple(
        Notice(
            code="stored-time-void",
            what=f"Values of {name} stored under a wrong clock were removed: {', '.join(fields)}.",
            fix="No action is needed. Check that time synchronization is on.",
        )
        for name, fields in void.items()
    )


def _repair(context: Context, void: Mapping[str, Sequence[str]]) -> None:
    """Remove stored times that only a wrong clock can have written, and report that."""
    from core.events import Warned
    from core.store import renewal_state

    now = context.env.clock.now().timestamp()
    for name, notice in zip(void, _void_notices(void), strict=True):
        renewal_state.save(context.paths, name, renewal_state.load(context.paths, name).repaired(now))
        context.about(name).narrator.tell(Warned(code=notice.code, what=notice.what, fix=notice.fix))


def _left_open(paths: Paths, known: Collection[str], now: datetime) -> tuple[list[Decision], tuple[FailedLineage, ...]]:
    """Return the open orders of lineages that do not exist yet, which a killed run left behind, and the unreadable ones."""
    try:
        names = [name for name in os.listdir(paths.orders) if name not in known and name[0] != "."]
    except OSError:
        return [], ()
    from core.store.orders import STOPPED, load_order

    found: list[Decision] = []
    unreadable: list[FailedLineage] = []
    for name in sorted(names):
        try:
            order = load_order(paths, name)
        except CertdeckError as exc:
            unreadable.append(FailedLineage(name=name, error=exc))
            continue
        if order is not None and order.stage != STOPPED and (order.expires is None or order.expires > now):
            found.append(Decision(name, FINISH, "its order was left open"))
    return found, tuple(unreadable)


def _chosen(every: Sequence[Facts], broken: Sequence[FailedLineage], names: Sequence[str]) -> list[Facts]:
    by_name = {facts.name: facts for facts in every}
    for name in names:
        if name not in by_name and not any(problem.name == name for problem in broken):
            from core.workflows.status import not_found

            raise not_found(name, list(by_name))
    return [by_name[name] for name in dict.fromkeys(names) if name in by_name]


def _run(context: Context, request: RenewRequest) -> RenewalReport:
    """Under the lock: decide again, then do the work, independent lineages concurrently."""
    from core.concurrently import map_concurrently
    from core.store import windows
    from core.workflows.clock import doubt_now, removal_waits
    from core.workflows.deploying.afterwards import afterwards
    from core.workflows.issuing.fallback import deploy_fallback
    from core.workflows.issuing.sessions import Sessions
    from core.workflows.renewing.work import Work

    decided = _decisions(context, request)
    every, broken, void = decided.every, decided.broken, decided.void
    _repair(context, void)
    skipped = [skipped_now(decision) for decision in decided.decisions if decision.action == SKIP]
    busy = [decision for decision in decided.decisions if decision.action != SKIP]
    # A damaged certificate was there, too: its link is.
    had = {decision.name for decision in busy if os.path.lexists(context.paths.live / decision.name)}
    vault, insists = context.vault, request.force and bool(request.names)
    ends = min((decision.ends for decision in busy if decision.action == RENEW and decision.ends), default=math.inf)
    with Sessions(context, vault, insists=insists, is_forced=request.force, ends=ends) as sessions:
        run = Work(context, vault, sessions, every, len(busy), begins=insists)
        results: dict[str, str | Skipped | FailedLineage] = {}
        # Certificates that this box signs by its own clock come last: by then, CAs may have shown whether the clock is right.
        own = [decision for decision in busy if decision.is_own]
        asked = [decision for decision in busy if decision.action == ASK]
        others = [decision for decision in busy if decision.action != ASK and not decision.is_own]
        results |= run.while_near(asked)
        late = [decision for decision in asked if decision.name not in results]
        for part in (late, sorted(others, key=lambda each: each.ends), own):
            done = map_concurrently(run.one, part, at_once=_AT_ONCE)
            results |= zip((decision.name for decision in part), done, strict=True)
        windows.keep(context.paths, run.answers)
        for name, result in results.items():
            # Only now: this deploys another lineage, which may have been renewed in another thread.
            if not context.cancel.is_cancelled and (isinstance(result, FailedLineage) or name in run.waiting):
                deploy_fallback(context.about(name), name)
    if has_old_copies(context.paths, context.env.clock.now()) and not removal_waits(
        context, "The removal of deleted copies"
    ):
        with afterwards(context, "old-copies-not-removed"):
            purge_deleted(context.paths, context.env.clock.now())
    if web.due(context.paths, context.env.clock.now()):
        from core.workflows.web.apply import advance

        advance(context)
    ended = [results[decision.name] for decision in busy]
    renewed = [result for result in ended if isinstance(result, str)]
    skipped += [result for result in ended if isinstance(result, Skipped)]
    failed = [result for result in ended if isinstance(result, FailedLineage)]
    return RenewalReport(
        renewed=tuple(renewed),
        issued=tuple(name for name in renewed if name not in had),
        skipped=tuple(skipped),
        failed=(*broken, *failed),
        warnings=(*_doubt_notices(doubt_now(context)), *_void_notices(void)),
    )


def _doubt_notices(why: str | None) -> tuple[Notice, ...]:
    return () if why is None else (Notice(code="clock-in-doubt", what=why, fix=FIX),)
