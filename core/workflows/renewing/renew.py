"""The scheduled run: renews what is due, deploys it, and never lets one failure stop the others.

Most runs have nothing to do, so everything before the lock is made of `stat` calls and one small file: no lock, no history,
no cryptography, no network. After taking the lock it looks again, because another run may have done the work. A renewal repeats
the way the certificate was first had (ST-30); after two failures it tries the staging directory first, then the fallback issuers.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from core.errors import (
    CertdeckError,
    ClockInDoubt,
    IssuerError,
    LockHeld,
    NotFound,
    RateLimited,
    StoreCorrupt,
    StoreTooNew,
    UsageError,
)
from core.renewal import due_at
from core.renewal_report import FailedLineage, Notice, RenewalReport, Skipped
from core.store.copies import has_old_copies, purge_deleted
from core.store.index import Facts, facts_of_all, with_window
from core.store.live import odd_links
from core.store.lock import was_left_untidy
from core.workflows.clock import FIX, keep
from core.workflows.clock import doubt as why_in_doubt
from core.workflows.context import Context, View
from core.workflows.deploying.shown import shown_elsewhere
from core.workflows.issuing.method import UPLOAD
from core.workflows.renewing import last_run
from core.workflows.renewing.damaged import damaged
from core.workflows.renewing.due import ASK, DEPLOY, FINISH, PUT_BACK, RENEW, SKIP, Decision, decide, void_of

if TYPE_CHECKING:
    from core.config.model import LineageConfig
    from core.operations import Pending
    from core.paths import Paths
    from core.store.vault import Vault
    from core.store.windows import Window
    from core.workflows.issuing.plan import Plan
    from core.workflows.issuing.sessions import Sessions
    from core.workflows.renewing.remembered import Watch

_AT_ONCE = 8
"""Orders under way at once: enough to hide a CA's latency, few enough for its limits (Let's Encrypt: 300 orders in 3 h)."""
_REHEARSE_AFTER = 2
"""Failures after which production is not asked before staging has succeeded."""


def renew(
    view: View,
    writing: Callable[[], AbstractContextManager[Context]],
    names: Sequence[str] = (),
    *,
    force: bool = False,
    dry_run: bool = False,
    ended: Callable[[RenewalReport, Sequence[Facts]], RenewalReport] | None = None,
    watch: Watch | None = None,
) -> RenewalReport:
    """Renew what is due, or `names`.

    Args:
        view: for looking before the lock is taken.
        writing: takes the lock and gives the context for working; called only when there is work.
        ended: called with the report of a run and what is known of the lineages then; adds its warnings. Not of a dry run.
        watch: remembers a run with nothing to do, for the next one to repeat.

    Raises:
        NotFound (`not-found`): an unknown name.
        LockHeld (`lock-held`): something is due and another certdeck is at work.
        ConfigError: the main configuration cannot be read. A broken lineage file is a failure in the report.
    """
    is_scheduled = not names and not force and not dry_run  # a person's run says nothing about the timer
    try:
        decisions, broken, every, void = _decisions(view, names, force)
        busy = [decision for decision in decisions if decision.action != SKIP]
        skipped = tuple(_skipped(decision) for decision in decisions if decision.action == SKIP)
        if dry_run:
            due = tuple(decision.name for decision in busy if decision.action not in (ASK, PUT_BACK))
            asked = tuple(_skipped(decision) for decision in busy if decision.action in (ASK, PUT_BACK))
            warnings = (*_void_notices(void), *shown_elsewhere(view, every))
            return RenewalReport(skipped=skipped + asked, failed=broken, due=due, warnings=warnings)
        outcome = RenewalReport(skipped=skipped, failed=broken, warnings=_void_notices(void))
        is_odd = bool(broken) and bool(odd_links(view.paths))
        if busy or void or is_odd or _left_behind(view.paths) or has_old_copies(view.paths, view.env.clock.now()):
            try:
                with writing() as working:  # taking the lock puts in order what a killed run left behind
                    outcome = _run(working, names, force)
                every = _facts_after(view, names)
            except LockHeld:
                if any(decision.action != ASK for decision in busy):
                    raise  # else the deployment under way is a living one's, which ends it itself; the rest can wait
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
    outcome = replace(outcome, warnings=(*warnings, *shown_elsewhere(view, every)))
    failed = outcome.failed
    if is_scheduled:
        what = failed[0].error.what if failed else ""
        _remember(view, "failed" if failed else "done", what, [each.name for each in failed])
    if watch is not None and not busy:
        watch.ended(outcome, every)
    return outcome if ended is None else ended(outcome, every)


def _facts_after(view: View, names: Sequence[str]) -> list[Facts]:
    """Return the facts after the work; none where they cannot be read: what is live by now does not become a failure by that."""
    try:
        return [facts for facts in facts_of_all(view.paths)[0] if not names or facts.name in names]
    except CertdeckError:
        return []


def _left_behind(paths: Paths) -> bool:
    """Tell whether a run, a deployment or a DNS record has been begun and not ended: by one that died, or is still at work."""
    if was_left_untidy(paths):
        return True
    for folder in (paths.transactions, paths.dns_records):
        with suppress(OSError):
            if any(not name.startswith(".") for name in os.listdir(folder)):
                return True
    return False


def _remember(view: View, outcome: str, error: str, lineages: Sequence[str] = ()) -> None:
    # A disk that is full or read-only must not hide what the run itself has to say.
    try:
        ended = last_run.LastRun(at=view.env.clock.now(), outcome=outcome, error=error, lineages=tuple(lineages))
        last_run.record(view.paths, ended)
    except StoreTooNew:
        raise
    except CertdeckError:
        return


def _decisions(
    view: View, names: Sequence[str], force: bool
) -> tuple[list[Decision], tuple[FailedLineage, ...], list[Facts], dict[str, tuple[str, ...]]]:
    """Return what to do, what cannot be read, the facts that it was decided by, and by name the times that only a wrong clock
    can have written.
    """
    every, problems = facts_of_all(view.paths)
    if names:
        problems = [problem for problem in problems if problem.lineage in names]
    mendable = damaged(view, problems, force=force, named=bool(names)) if problems else []
    broken = tuple(FailedLineage(name=problem.lineage or "", error=problem) for problem in problems)
    if names:
        every = _chosen(every, broken, names)
    now = view.env.clock.now()
    named = bool(names)
    stamp = now.timestamp()
    decisions = [decide(facts, view.config, stamp, force=force, named=named) for facts in every]
    void = {facts.name: found for facts in every if (found := void_of(facts, stamp))}
    decisions += mendable
    known = {*(decision.name for decision in decisions), *(problem.name for problem in broken)}
    broken = tuple(problem for problem in broken if not any(each.name == problem.name for each in mendable))
    if not named:
        left_open, unreadable = _left_open(view.paths, known, now)
        decisions += left_open
        broken += unreadable
    if any(decision.action == RENEW for decision in decisions) and not (force and named):
        from core.workflows.renewing.limited import held_by_limits

        decisions = held_by_limits(view, decisions, every)
    return decisions, broken, every, void


def _void_notices(void: Mapping[str, Sequence[str]]) -> tuple[Notice, ...]:
    return tuple(
        Notice(
            code="stored-time-void",
            what=f"What was remembered of {name} under a wrong clock was dropped: {', '.join(fields)}.",
            fix="Nothing needs to be done. See that time synchronization is on.",
        )
        for name, fields in void.items()
    )


def _repair(context: Context, void: Mapping[str, Sequence[str]]) -> None:
    """Rewrite what only a wrong clock can have written, and tell so."""
    from core.events import Warned
    from core.store import renewal_state

    now = context.env.clock.now().timestamp()
    for name, notice in zip(void, _void_notices(void), strict=True):
        renewal_state.save(context.paths, name, renewal_state.load(context.paths, name).repaired(now))
        context.about(name).narrator.tell(Warned(code=notice.code, what=notice.what, fix=notice.fix))


def _left_open(paths: Paths, known: Collection[str], now: datetime) -> tuple[list[Decision], tuple[FailedLineage, ...]]:
    """Return the orders of lineages that do not exist yet: a killed run left them, and they can still be finished."""
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


def _skipped(decision: Decision) -> Skipped:
    renew_at = None if decision.renew_at is None else datetime.fromtimestamp(decision.renew_at, UTC)
    return Skipped(name=decision.name, why=decision.why, renew_at=renew_at, needs_you=decision.needs_you)


def _run(context: Context, names: Sequence[str], force: bool) -> RenewalReport:
    """Under the lock: look again, then do the work, independent lineages side by side."""
    from concurrent.futures import ThreadPoolExecutor

    from core.store import windows
    from core.workflows.clock import doubt_now, removal_waits
    from core.workflows.deploying.afterwards import afterwards
    from core.workflows.issuing.fallback import stand_in
    from core.workflows.issuing.sessions import Sessions

    decisions, broken, every, void = _decisions(context, names, force)
    _repair(context, void)
    skipped = [_skipped(decision) for decision in decisions if decision.action == SKIP]
    busy = [decision for decision in decisions if decision.action != SKIP]
    vault = context.vault
    with Sessions(context, vault, insists=force and bool(names)) as sessions:
        run = _Run(context, vault, sessions, every, len(busy), begins=force and bool(names))
        results: dict[str, str | Skipped | FailedLineage] = {}
        # What this box signs by its own clock comes last: by then CAs may have said what they think of it.
        own = [decision for decision in busy if decision.is_own]
        with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="renew") as pool:
            for part in (sorted((each for each in busy if not each.is_own), key=lambda each: each.ends), own):
                results |= zip((decision.name for decision in part), pool.map(run.one, part), strict=True)
        windows.keep(context.paths, run.answers)
        for name, result in results.items():
            # Only now: it deploys another lineage, which may have been at work in a thread of its own.
            if isinstance(result, FailedLineage) or name in run.waiting:
                stand_in(context.about(name), name)
    if has_old_copies(context.paths, context.env.clock.now()) and not removal_waits(context, "Removing deleted copies"):
        with afterwards(context, "old-copies-not-removed"):
            purge_deleted(context.paths, context.env.clock.now())
    ended = [results[decision.name] for decision in busy]
    renewed = [result for result in ended if isinstance(result, str)]
    skipped += [result for result in ended if isinstance(result, Skipped)]
    failed = [result for result in ended if isinstance(result, FailedLineage)]
    return RenewalReport(
        renewed=tuple(renewed),
        skipped=tuple(skipped),
        failed=(*broken, *failed),
        warnings=(*_doubt_notices(doubt_now(context)), *_void_notices(void)),
    )


def _doubt_notices(why: str | None) -> tuple[Notice, ...]:
    return () if why is None else (Notice(code="clock-in-doubt", what=why, fix=FIX),)


def _waits(pending: Pending) -> Skipped:
    until = f" (the order lives until {pending.expires:%Y-%m-%d %H:%M} UTC)" if pending.expires else ""
    names = ", ".join(dict.fromkeys(record.name for record in pending.records))
    why = f"it waits for DNS records that somebody sets: {names}{until}; certdeck status {pending.name} shows them"
    return Skipped(name=pending.name, why=why, needs_you=True)


def _unforeseen(paths: Paths, name: str, exc: Exception) -> CertdeckError:
    import logging

    from core.errors import InternalError
    from core.store.atomic import store_error

    logging.getLogger(__name__).error("renewing %s failed", name, exc_info=exc)
    if isinstance(exc, OSError):
        return store_error(exc, Path(exc.filename or paths.state), "read or written")
    return InternalError(
        f"Renewing {name} met something that certdeck did not expect: {type(exc).__name__}.",
        "This is a mistake in certdeck; what was live is still live.",
        "The details are in certdeck's log; report it with them.",
        lineage=name,
    )


class _Run:
    """One scheduled run's shared things: sessions, vault, and how far it is."""

    def __init__(
        self, context: Context, vault: Vault, sessions: Sessions, every: Sequence[Facts], of: int, *, begins: bool
    ) -> None:
        """Take what all share.

        Args:
            every: what is known of the lineages.
            of: how many there are to work on.
            begins: somebody asks for just these lineages, whatever that takes.
        """
        self._facts = {facts.name: facts for facts in every}
        self.answers: dict[str, Window] = {}
        """What CAs said about when they want renewals, by lineage."""
        self._begins = begins
        self._context = context
        self._vault = vault
        self._sessions = sessions
        self._of = of
        self._done = 0
        self.waiting: set[str] = set()
        """Those whose CA had said stop, so that it was not asked for them."""
        self._counting = threading.Lock()

    def one(self, decision: Decision) -> str | Skipped | FailedLineage:
        """Work on one lineage. Never raises: one failure, whatever it is, must not stop the others."""
        from core.events import Failed, Progressed
        from core.workflows.issuing.limits import is_waiting

        context = self._context.about(decision.name)
        try:
            context.cancel.check()
            result: str | Skipped | FailedLineage = self._work(context, decision)
        except CertdeckError as exc:
            result = FailedLineage(name=decision.name, error=exc)
            if is_waiting(exc):
                self.waiting.add(decision.name)
                result = Skipped(name=decision.name, why=f"it waits: {exc.what} {exc.why}", renew_at=exc.retry_at)
        except Exception as exc:  # noqa: BLE001 - a mistake of ours in one lineage is no reason to let the others expire
            result = FailedLineage(name=decision.name, error=_unforeseen(context.paths, decision.name, exc))
        if isinstance(result, FailedLineage):
            error = result.error
            context.narrator.tell(Failed(code=error.code, what=error.what, why=error.why, fix=error.fix))
        with self._counting:
            self._done += 1
            context.narrator.tell(Progressed(done=self._done, of=self._of))
        return result

    def _work(self, context: Context, decision: Decision) -> str | Skipped:
        from core.challenges.awaited import RecordsAwaited
        from core.store.had_with import settings_of
        from core.store.orders import load_order
        from core.workflows.issuing.fallback import put_back
        from core.workflows.issuing.issue import finish_order
        from core.workflows.issuing.manual import awaited
        from core.workflows.issuing.plan import plan
        from core.workflows.renewing.outcome import failed

        if decision.action == FINISH:
            order = load_order(context.paths, decision.name)
            ends = None if order is None else order.expires
            if ends is not None and ends <= context.env.clock.now() and not self._begins:
                # A new one would want records with other values, of somebody who has not asked for it.
                ended = f"its order ended {ends:%Y-%m-%d} before its DNS records had been set"
                why = f"{ended}: begin again with certdeck --renew {decision.name} --force"
                return Skipped(name=decision.name, why=why, needs_you=True)
            pending = finish_order(context, decision.name, self._vault, self._sessions, is_scheduled=True)
            return decision.name if pending is None else _waits(pending)
        if decision.action == ASK:
            decision = self._ask(context, decision.name)
            if decision.action != RENEW:
                return _skipped(decision)
        lineage = settings_of(context.paths, decision.name)
        if decision.action == PUT_BACK:
            put_back(context, decision.name)
            return Skipped(
                name=decision.name, why="it is back on its services: the fallback certificate is no longer needed"
            )
        try:
            if decision.action == DEPLOY:
                self._put_out(context, lineage)
            else:
                self._renew(context, plan(context.config, lineage))
        except ClockInDoubt as exc:
            return Skipped(name=decision.name, why=f"{exc.what} {exc.why} {exc.fix}", needs_you=True)
        except RecordsAwaited as outcome:
            # A permission that was to last is gone, or has ended: the order waits until somebody sets it again.
            return _waits(awaited(context, decision.name, outcome))
        except Exception as exc:
            failed(context, decision.name, exc)
            raise
        return decision.name

    def _ask(self, context: Context, name: str) -> Decision:
        """Ask the CA when it wants the renewal, and decide again by its answer."""
        from core.workflows.renewing.outcome import ask_when

        facts = self._facts[name]
        window = self.answers[name] = ask_when(context, facts, self._sessions)
        now = context.env.clock.now().timestamp()
        return decide(with_window(facts, window), context.config, now, force=False, named=False)

    def _put_out(self, context: Context, lineage: LineageConfig) -> None:
        """Deploy what waits, or order a new one where it can no longer be used."""
        from core.events import Warned
        from core.store.lineages import read_version, waiting_version
        from core.workflows.deploying.deploy import settings_of_waiting
        from core.workflows.issuing.plan import plan
        from core.workflows.renewing.outcome import deploy_new
        from core.workflows.renewing.waiting import still_meant

        waiting = waiting_version(context.paths, lineage.name)
        assert waiting is not None
        try:
            ordered = settings_of_waiting(context, lineage, waiting)
            stored = read_version(context.paths, lineage.name, waiting)
            ordered = lineage = still_meant(context, ordered, stored.created)
            had = stored.certificate
            ends = had.chain_not_after or had.not_after
            if due_at(had.not_before.timestamp(), ends.timestamp()) > context.env.clock.now().timestamp():
                deploy_new(context, plan(context.config, ordered), waiting)
                return
        except StoreCorrupt as exc:
            if lineage.issuer == UPLOAD:
                raise
            context.narrator.tell(
                Warned(code="waiting-version-damaged", what=f"{exc.what} {exc.why}", fix="A new one is ordered.")
            )
        self._renew(context, plan(context.config, lineage))

    def _renew(self, context: Context, wanted: Plan) -> None:
        from core.store import renewal_state

        failures = renewal_state.load(context.paths, wanted.name).failures
        try:
            self._renew_with(context, wanted, rehearse_first=failures >= _REHEARSE_AFTER)
        except IssuerError as exc:
            if failures + 1 < _REHEARSE_AFTER and not isinstance(exc, RateLimited):
                raise
            self._fall_back(context, wanted, exc)

    def _renew_with(self, context: Context, wanted: Plan, *, rehearse_first: bool) -> None:
        from core.store.index import facts_of
        from core.workflows.clock import refuse
        from core.workflows.first_boot import remake
        from core.workflows.issuing.acquire import acquire, rehearse
        from core.workflows.issuing.plan import staging_of
        from core.workflows.renewing.outcome import deploy_new

        if wanted.issuer.kind != "acme" and not self._begins:
            refuse(context, f"Renewing {wanted.name} by this box itself")
        if wanted.issuer.kind == "self-signed":
            deploy_new(context, wanted, remake(context, wanted))
            return
        if rehearse_first and wanted.issuer.kind == "acme" and wanted.issuer.staging and wanted.can_be_rehearsed:
            with suppress(RateLimited):  # a staging directory that is out of breath says nothing about the real one
                rehearse(context, staging_of(context.config, wanted), self._sessions)
        replaces = None
        with suppress(StoreCorrupt):  # of what cannot be read any more nothing is known
            facts = facts_of(context.paths, wanted.name)
            replaces = facts.renewal_id if facts.directory == wanted.issuer.directory else None
        version = acquire(context, wanted, self._sessions, self._vault, replaces=replaces)
        deploy_new(context, wanted, version)

    def _fall_back(self, context: Context, wanted: Plan, why: CertdeckError) -> None:
        """Try the fallback issuers in order; the first error stays the one that is told when all fail."""
        from core.events import Failed, IssuerFellBack
        from core.workflows.issuing.plan import plan, without_issuer

        for name in wanted.lineage.fallback_issuers or ():
            if name == wanted.issuer.name:
                continue
            context.narrator.tell(IssuerFellBack(from_issuer=wanted.issuer.name, to_issuer=name, why=why.what))
            try:
                other = plan(context.config, replace(without_issuer(wanted.lineage), issuer=name))
                # The lineage keeps its own issuer: the next renewal asks that one first again.
                self._renew_with(context, replace(other, lineage=wanted.lineage), rehearse_first=False)
                return
            except (ClockInDoubt, IssuerError, UsageError, NotFound) as exc:
                context.narrator.tell(Failed(code=exc.code, what=exc.what, why=exc.why, fix=exc.fix))
        raise why
