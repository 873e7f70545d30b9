"""What follows an order: deploys the certificate, asks the CA for its renewal window, or records the failure."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from core.config.model import TargetConfig
from core.dates import day_shown, minute_shown
from core.errors import Cancelled, CertdeckError, ClockInDoubt, LockHeld, RateLimited, TargetError
from core.events import RetryScheduled, Warned
from core.lineage_status import TargetState
from core.renewal import ASK_PAUSE, DAILY, RETRIES, choose_in_window, next_retry
from core.store import renewal_state
from core.store.index import Facts, facts_of
from core.store.lineages import read_live
from core.store.windows import Window
from core.workflows.context import Context
from core.workflows.deploying.transaction import deploy_version
from core.workflows.renewing.due import why_never_alone

if TYPE_CHECKING:
    from core.workflows.issuing.plan import Plan
    from core.workflows.issuing.sessions import Sessions


def deploy_new(context: Context, plan: Plan, version: int) -> tuple[TargetState, ...]:
    """Deploy a version. Returns the state of the targets. Raises TargetError."""
    before = _chain_end(context, plan.name)
    seen = deploy_version(context, plan.name, version, target_configs(context, plan.lineage.targets), spec=plan.lineage)
    with suppress(CertdeckError):
        _remember_chain(context, plan, before, _chain_end(context, plan.name))
    return seen


def _chain_end(context: Context, name: str) -> tuple[datetime, str] | None:
    """Return when the first intermediate of the live chain expires, and its name. None: none expires before the leaf."""
    with suppress(CertdeckError):
        live = read_live(context.paths, name)
        if live is not None and live.certificate.chain_end:
            return live.certificate.chain_not_after or live.certificate.not_after, live.certificate.chain_end
    return None


def _remember_chain(
    context: Context, plan: Plan, before: tuple[datetime, str] | None, after: tuple[datetime, str] | None
) -> None:
    """Record whether the CA sent an intermediate that ends no later than before: this alone causes no new order until tomorrow."""
    state = renewal_state.load(context.paths, plan.name)
    retry_at = None
    if before is not None and after is not None and after[0] <= before[0]:
        now = context.env.clock.now()
        retry_at = next_retry(len(RETRIES) + 1, now, context.env.random.uniform(0.0, 1.0))
        ends, who = after
        context.narrator.tell(
            Warned(
                code="chain-ends-first",
                what=f"{plan.issuer.title} still sends {who}, which expires on {day_shown(ends)}, before the certificate.",
                fix=f"certdeck checks again after {minute_shown(retry_at)}; only the CA can change what it sends.",
            )
        )
    if state.chain_retry_at != retry_at:
        renewal_state.save(context.paths, plan.name, replace(state, chain_retry_at=retry_at))


def refresh_renewal_info(context: Context, facts: Facts, sessions: Sessions) -> Window:
    """Ask the CA for the renewal window of the live certificate, and choose a random time in it (RFC 9773 §4.2).

    A CA without ARI changes nothing, and one that does not answer is asked again by a later run. Raises only Cancelled.
    """
    from core.acme.renewal_info import fetch
    from core.workflows.issuing.plan import issuer_named

    had = Window(facts.ari_id, facts.ari_start, facts.ari_end, facts.ari_chosen, facts.ari_check_at)
    if facts.ari_id != facts.renewal_id:
        had = Window(facts.renewal_id)
    again = had._replace(check_at=(context.env.clock.now() + ASK_PAUSE).timestamp())
    try:
        # Only the CA that issued it can answer. After a fallback, that is not the lineage's own issuer.
        session = sessions.session(issuer_named(context.config, facts.ca or facts.issuer or ""))
        if not session.directory.has_renewal_info or facts.renewal_id is None:
            return had._replace(check_at=None)
        said = fetch(session, facts.renewal_id)
    except Cancelled:
        raise
    except CertdeckError:
        return again
    if said is None:
        return again
    start, end, check_at = said.start.timestamp(), said.end.timestamp(), said.retry_after.timestamp()
    chosen = had.chosen
    if (had.start, had.end) != (start, end):
        chosen = choose_in_window(said.start, said.end, context.env.random.uniform(0.0, 1.0)).timestamp()
    return Window(facts.renewal_id, start, end, chosen, check_at)


def record_failure(context: Context, name: str, exc: Exception) -> None:
    """Record why a lineage failed and when to try again. Only for a CertdeckError. Ignores a failure to write the record."""
    if not isinstance(exc, CertdeckError) or isinstance(exc, Cancelled | ClockInDoubt | LockHeld):
        return
    from core.workflows.issuing.limits import is_waiting

    if is_waiting(exc):
        return  # the CA was not even asked
    exc.lineage = exc.lineage or name
    if isinstance(exc, TargetError) or not (context.paths.certificates / f"{name}.toml").exists():
        # The transaction has recorded its own failure, and a lineage that does not exist yet has no renewal to postpone.
        return
    now = context.env.clock.now()
    state = renewal_state.load(context.paths, name).repaired(now.timestamp())
    retry_at = next_retry(state.failures + 1, now, context.env.random.uniform(0.0, 1.0))
    if exc.retry_at is not None:
        # Obey a rate limit however long it is. Retry a CA with other problems at least daily.
        latest = exc.retry_at if isinstance(exc, RateLimited) else min(exc.retry_at, now + DAILY)
        retry_at = max(retry_at, latest)
    if not _is_by_hand(context, name):
        context.narrator.tell(RetryScheduled(retry_at=retry_at, why=exc.what))
    with suppress(CertdeckError):
        renewal_state.save(context.paths, name, state.failed(exc, now, retry_at))


def _is_by_hand(context: Context, name: str) -> bool:
    """Tell whether the lineage is never retried automatically. A damaged one is: it is renewed."""
    try:
        return bool(why_never_alone(facts_of(context.paths, name), context.config))
    except CertdeckError:
        return False


def target_configs(context: Context, names: Sequence[str]) -> list[TargetConfig]:
    """Return the configured targets with these names. Raises NotFound (`not-found`)."""
    configured = context.config.targets
    for name in names:
        if name not in configured:
            from core.workflows.issuing.plan import unknown_target

            raise unknown_target(context.config, name)
    return [configured[name] for name in names]
