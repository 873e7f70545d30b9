"""The work of a scheduled run for one lineage, under the lock: ask, renew, deploy, finish, put back. Loaded only if there is work.

A renewal uses the settings of the first order (ST-30). After two failures it tries the staging directory first, then the fallback
issuers.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from core.challenges.pending import PendingRecords
from core.config.model import LineageConfig
from core.dates import day_shown, minute_shown
from core.errors import (
    CertdeckError,
    ClockInDoubt,
    InternalError,
    IssuerError,
    NotFound,
    ProgramIncomplete,
    RateLimited,
    StoreCorrupt,
    UsageError,
)
from core.events import Failed, IssuerFellBack, Progressed, Warned
from core.operations import Pending
from core.paths import Paths
from core.renewal import due_at
from core.renewal_report import FailedLineage, Skipped
from core.store import renewal_state
from core.store.atomic import store_error
from core.store.had_with import settings_of
from core.store.index import Facts, with_window
from core.store.lineages import read_live, read_version, waiting_version
from core.store.orders import load_order
from core.store.vault import Vault
from core.store.windows import Window
from core.workflows.clock import refuse
from core.workflows.context import Context
from core.workflows.deploying.deploy import settings_of_waiting
from core.workflows.first_boot import remake
from core.workflows.issuing.acquire import acquire, rehearse
from core.workflows.issuing.fallback import put_back
from core.workflows.issuing.issue import finish_order
from core.workflows.issuing.limits import is_waiting
from core.workflows.issuing.manual import awaited
from core.workflows.issuing.method import UPLOAD
from core.workflows.issuing.plan import Plan, plan, staging_of, without_issuer
from core.workflows.issuing.sessions import Sessions
from core.workflows.renewing.due import ASK, DEPLOY, FINISH, PUT_BACK, RENEW, Decision, decide, skipped_now
from core.workflows.renewing.outcome import deploy_new, record_failure, refresh_renewal_info
from core.workflows.renewing.waiting import still_meant

_NEAR_SECONDS = 0.05
"""Average time of an ARI request up to which requests are sent one after the other."""
_FIRST_FEW = 10
"""Number of requests before the average is judged: one late answer means nothing."""
_REHEARSE_AFTER = 2
"""Number of failures after which a rehearsal at staging must succeed before production is asked."""


def _waits(pending: Pending) -> Skipped:
    until = f" (the order lives until {minute_shown(pending.expires)})" if pending.expires else ""
    names = ", ".join(dict.fromkeys(record.name for record in pending.records))
    why = f"it waits for manual DNS records: {names}{until}. Show them with certdeck status {pending.name}"
    return Skipped(name=pending.name, why=why, needs_you=True)


def _unforeseen(paths: Paths, name: str, exc: Exception) -> CertdeckError:
    logging.getLogger(__name__).error("renewing %s failed", name, exc_info=exc)
    if isinstance(exc, OSError):
        return store_error(exc, Path(exc.filename or paths.state), "read or written")
    return ProgramIncomplete.because(exc, lineage=name) or InternalError(
        f"Renewing {name} failed with an unexpected error: {type(exc).__name__}.",
        "This is a bug in certdeck. The live certificate is unchanged.",
        "Please report it with the details from certdeck's log.",
        lineage=name,
    )


class Work:
    """The shared state of one scheduled run: sessions, vault, progress. Thread-safe."""

    def __init__(
        self, context: Context, vault: Vault, sessions: Sessions, every: Sequence[Facts], of: int, *, begins: bool
    ) -> None:
        """Store what all lineages of the run share.

        Args:
            every: the facts of the lineages.
            of: number of lineages to work on.
            begins: the user forces named lineages: open expired orders, and sign despite doubts about the clock.
        """
        self._facts = {facts.name: facts for facts in every}
        self.answers: dict[str, Window] = {}
        """Renewal windows of the CAs, by lineage."""
        self._begins = begins
        self._context = context
        self._vault = vault
        self._sessions = sessions
        self._of = of
        self._done = 0
        self.waiting: set[str] = set()
        """Lineages whose CA had reported a limit, so that no request was sent for them."""
        self._counting = threading.Lock()

    def while_near(self, decisions: Sequence[Decision]) -> dict[str, str | Skipped | FailedLineage]:
        """Work on one lineage after the other, on one connection, as long as the answers are fast. Returns the results, by name.

        For short requests to a nearby CA, threads cost more than they save.
        """
        clock = self._context.env.clock
        done: dict[str, str | Skipped | FailedLineage] = {}
        began = clock.monotonic()
        for decision in decisions:
            done[decision.name] = self.one(decision)
            if len(done) == 1:
                began = clock.monotonic()  # the first one connects
            elif clock.monotonic() - began > max(len(done), _FIRST_FEW) * _NEAR_SECONDS:
                break
        return done

    def one(self, decision: Decision) -> str | Skipped | FailedLineage:
        """Work on one lineage. Never raises: one failure must not stop the others."""
        context = self._context.about(decision.name)
        if context.cancel.is_cancelled:
            return Skipped(name=decision.name, why="the run was stopped before it; the next run continues")
        try:
            result: str | Skipped | FailedLineage = self._work(context, decision)
        except CertdeckError as exc:
            result = FailedLineage(name=decision.name, error=exc)
            if is_waiting(exc):
                self.waiting.add(decision.name)
                result = Skipped(name=decision.name, why=f"it waits: {exc.what} {exc.why}", renew_at=exc.retry_at)
        except Exception as exc:  # noqa: BLE001 - a bug that affects one lineage must not let the others expire
            result = FailedLineage(name=decision.name, error=_unforeseen(context.paths, decision.name, exc))
        if isinstance(result, FailedLineage):
            error = result.error
            context.narrator.tell(Failed(code=error.code, what=error.what, why=error.why, fix=error.fix))
        with self._counting:
            self._done += 1
            context.narrator.tell(Progressed(done=self._done, of=self._of))
        return result

    def _work(self, context: Context, decision: Decision) -> str | Skipped:
        if decision.action == FINISH:
            order = load_order(context.paths, decision.name)
            ends = None if order is None else order.expires
            if ends is not None and ends <= context.env.clock.now() and not self._begins:
                # A new order would need other records, and nobody asked for one.
                ended = f"its order ended {day_shown(ends)} before its DNS records were set"
                why = f"{ended}: start again with certdeck --renew {decision.name} --force"
                return Skipped(name=decision.name, why=why, needs_you=True)
            outcome = finish_order(context, decision.name, self._vault, self._sessions, is_scheduled=True)
            return _waits(outcome) if isinstance(outcome, Pending) else decision.name
        if decision.action == ASK:
            decision = self._ask(context, decision.name)
            if decision.action != RENEW:
                return skipped_now(decision)
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
        except PendingRecords as exc:
            # A persistent record is gone or has expired: the order waits until it is set again.
            return _waits(awaited(context, decision.name, exc))
        except Exception as exc:
            record_failure(context, decision.name, exc)
            raise
        return decision.name

    def _ask(self, context: Context, name: str) -> Decision:
        """Ask the CA for its renewal window, and decide again."""
        facts = self._facts[name]
        window = self.answers[name] = refresh_renewal_info(context, facts, self._sessions)
        now = context.env.clock.now().timestamp()
        return decide(with_window(facts, window), context.config, now, force=False, named=False)

    def _put_out(self, context: Context, lineage: LineageConfig) -> None:
        """Deploy the waiting version, or order a new one if it is damaged or due for renewal."""
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
                Warned(code="waiting-version-damaged", what=f"{exc.what} {exc.why}", fix="A new order was started.")
            )
        self._renew(context, plan(context.config, lineage))

    def _renew(self, context: Context, wanted: Plan) -> None:
        failures = renewal_state.load(context.paths, wanted.name).failures
        try:
            self._renew_with(context, wanted, rehearse_first=failures >= _REHEARSE_AFTER)
        except IssuerError as exc:
            if failures + 1 < _REHEARSE_AFTER and not isinstance(exc, RateLimited):
                raise
            self._fall_back(context, wanted, exc)

    def _renew_with(self, context: Context, wanted: Plan, *, rehearse_first: bool) -> None:
        if wanted.issuer.kind != "acme" and not self._begins:
            refuse(context, f"The renewal of {wanted.name}")
        if wanted.issuer.kind == "self-signed":
            deploy_new(context, wanted, remake(context, wanted))
            return
        if rehearse_first and wanted.issuer.kind == "acme" and wanted.issuer.staging and wanted.can_be_rehearsed:
            with suppress(RateLimited):  # a rate limit of the staging directory says nothing about production
                rehearse(context, staging_of(context.config, wanted), self._sessions)
        replaces = None
        with suppress(NotFound, StoreCorrupt):  # an unreadable live version has no known ARI id
            live = read_live(context.paths, wanted.name)
            if live is not None and live.directory == wanted.issuer.directory:
                replaces = live.certificate.renewal_id
        version = acquire(context, wanted, self._sessions, self._vault, replaces=replaces)
        deploy_new(context, wanted, version)

    def _fall_back(self, context: Context, wanted: Plan, why: CertdeckError) -> None:
        """Try the fallback issuers in order. If all fail, raise `why`, the error of the lineage's own issuer."""
        for name in wanted.lineage.fallback_issuers or ():
            if name == wanted.issuer.name:
                continue
            context.narrator.tell(IssuerFellBack(from_issuer=wanted.issuer.name, to_issuer=name, why=why.what))
            try:
                other = plan(context.config, replace(without_issuer(wanted.lineage), issuer=name))
                # The lineage keeps its own issuer: the next renewal tries that one first again.
                self._renew_with(context, replace(other, lineage=wanted.lineage), rehearse_first=False)
                return
            except (ClockInDoubt, IssuerError, UsageError, NotFound) as exc:
                context.narrator.tell(Failed(code=exc.code, what=exc.what, why=exc.why, fix=exc.fix))
        raise why
