"""What follows on a certificate that was had, or was not: deploy it, ask when it renews, remember the failure."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from msgspec.structs import replace

from core.config.model import TargetConfig
from core.errors import Cancelled, CertdeckError, ClockInDoubt, LockHeld, RateLimited, TargetError
from core.events import RetryScheduled, Warned
from core.lineage_status import TargetState
from core.renewal import DAILY, RETRIES, choose_in_window, next_retry
from core.store import renewal_state
from core.store.index import facts_of
from core.workflows.context import Context
from core.workflows.deploying.transaction import deploy_version
from core.workflows.issuing.limits import is_waiting
from core.workflows.issuing.plan import Plan, unknown_target
from core.workflows.issuing.sessions import Sessions
from core.workflows.renewing.due import why_never_alone


def deploy_new(context: Context, plan: Plan, version: int, sessions: Sessions) -> tuple[TargetState, ...]:
    """Deploy a version and, where the CA has ARI, ask when it wants the next renewal; returns what the targets show.

    Raises TargetError.
    """
    before = _chain_end(context, plan.name)
    seen = deploy_version(context, plan.name, version, target_configs(context, plan.lineage.targets), spec=plan.lineage)
    with suppress(CertdeckError):
        _remember_chain(context, plan, before)
    if plan.issuer.kind == "acme":
        # The certificate is live: whoever cancels now, or whatever cannot be kept, does not undo that. The next run asks again.
        with suppress(CertdeckError):
            ask_when(context, plan, sessions)
    return seen


def _chain_end(context: Context, name: str) -> float | None:
    """Return when the live chain ends where an intermediate ends before the leaf, in epoch seconds."""
    with suppress(CertdeckError):
        facts = facts_of(context.paths, name)
        return facts.chain_not_after if facts.chain_end else None
    return None


def _remember_chain(context: Context, plan: Plan, before: float | None) -> None:
    """Keep whether the CA sent an intermediate again that ends no later: because of it alone nobody asks before tomorrow."""
    facts = facts_of(context.paths, plan.name)
    is_the_same = before is not None and bool(facts.chain_end) and facts.chain_not_after <= before
    state = renewal_state.load(context.paths, plan.name)
    retry_at = None
    if is_the_same:
        now = context.env.clock.now()
        retry_at = next_retry(len(RETRIES) + 1, now, context.env.random.uniform(0.0, 1.0))
        ends = datetime.fromtimestamp(facts.chain_not_after, UTC)
        context.narrator.tell(
            Warned(
                code="chain-ends-first",
                what=f"{plan.issuer.title} still sends {facts.chain_end}, which ends on {ends:%Y-%m-%d}, before the certificate.",
                fix=f"It is asked again after {retry_at:%Y-%m-%d %H:%M} UTC; only the CA can change what it sends.",
            )
        )
    if state.chain_retry_at != retry_at:
        renewal_state.save(context.paths, plan.name, replace(state, chain_retry_at=retry_at))


def ask_when(context: Context, plan: Plan, sessions: Sessions) -> None:
    """Ask the CA for the renewal window of the live certificate and keep a random moment in it (RFC 9773 §4.2).

    Soft: a CA without ARI changes nothing, and one that does not answer is asked again by a later run.
    """
    from core.acme.renewal_info import USUAL_PAUSE
    from core.workflows.issuing.acquire import window_of

    facts = facts_of(context.paths, plan.name)
    if facts.renewal_id is None:
        return
    state = renewal_state.load(context.paths, plan.name)
    if state.ari_id != facts.renewal_id:
        state = replace(state, ari_id=facts.renewal_id, ari_start=None, ari_end=None, ari_chosen=None)
    # Until an answer is there: whatever happens to the question, it is asked again.
    asked_again = replace(state, ari_check_at=context.env.clock.now() + USUAL_PAUSE)
    try:
        has_ari, window = window_of(context, plan, sessions, facts.renewal_id)
    except CertdeckError as exc:
        renewal_state.save(context.paths, plan.name, asked_again)
        if isinstance(exc, Cancelled):
            raise
        return
    if window is None:
        later = asked_again if has_ari else replace(state, ari_check_at=None)
        renewal_state.save(context.paths, plan.name, later)
        return
    known = (state.ari_start, state.ari_end) == (window.start, window.end)
    chosen = (
        state.ari_chosen if known else choose_in_window(window.start, window.end, context.env.random.uniform(0.0, 1.0))
    )
    asked = replace(
        state,
        ari_start=window.start,
        ari_end=window.end,
        ari_chosen=chosen,
        ari_check_at=window.retry_after,
    )
    renewal_state.save(context.paths, plan.name, asked)


def failed(context: Context, name: str, exc: Exception) -> None:
    """Remember why a lineage failed and when to try again. Only errors of ours; a full disk is no second error."""
    if not isinstance(exc, CertdeckError) or isinstance(exc, Cancelled | ClockInDoubt | LockHeld):
        return
    if is_waiting(exc):
        return  # the CA was not even asked
    exc.lineage = exc.lineage or name
    if isinstance(exc, TargetError) or not (context.paths.certificates / f"{name}.toml").exists():
        # The transaction has recorded its own failure; and a lineage that never came about has no renewal to hold up.
        return
    now = context.env.clock.now()
    state = renewal_state.load(context.paths, name).repaired(now.timestamp())
    retry_at = next_retry(state.failures + 1, now, context.env.random.uniform(0.0, 1.0))
    if exc.retry_at is not None:
        # A limit is obeyed however long it lasts; whoever merely has trouble is asked again as often as others.
        latest = exc.retry_at if isinstance(exc, RateLimited) else min(exc.retry_at, now + DAILY)
        retry_at = max(retry_at, latest)
    if not _is_by_hand(context, name):
        context.narrator.tell(RetryScheduled(retry_at=retry_at, why=exc.what))
    with suppress(CertdeckError):
        renewal_state.save(context.paths, name, state.failed(exc, now, retry_at))


def _is_by_hand(context: Context, name: str) -> bool:
    """Tell whether nothing is tried again automatically. What is damaged is: it is renewed."""
    try:
        return bool(why_never_alone(facts_of(context.paths, name), context.config))
    except CertdeckError:
        return False


def target_configs(context: Context, names: Sequence[str]) -> list[TargetConfig]:
    """Return the configured targets of these names. Raises NotFound (`not-found`)."""
    configured = context.config.targets
    for name in names:
        if name not in configured:
            raise unknown_target(context.config, name)
    return [configured[name] for name in names]
