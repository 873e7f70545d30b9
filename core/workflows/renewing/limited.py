"""Postpones due certificates whose CA has reported a rate limit. Called before the lock is taken: loads nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from core.config.model import Config
from core.dates import minute_shown
from core.errors import CertdeckError
from core.rate_limits import ORDERING, WHAT, Limit, believable, closed
from core.request_kind import RequestKind
from core.store import limits as stored
from core.store.index import Facts
from core.workflows.context import View
from core.workflows.renewing.due import RENEW, Decision


def held_by_limits(view: View, decisions: Sequence[Decision], every: Sequence[Facts]) -> list[Decision]:
    """Return the decisions, with renewals postponed if the issuer and every fallback issuer have reported a limit."""
    now = view.env.clock.now().timestamp()
    limits = [each for each in believable(stored.load(view.paths), now) if each.until > now]
    if not limits:
        return list(decisions)
    facts = {each.name: each for each in every}
    return [
        _held(view.config, limits, decision, facts[decision.name], now)
        if decision.action == RENEW and decision.name in facts
        else decision
        for decision in decisions
    ]


def _held(config: Config, limits: Sequence[Limit], decision: Decision, facts: Facts, now: float) -> Decision:
    if facts.targets and facts.not_after <= now and not facts.on_fallback:
        return decision  # the run has work for it anyway: it deploys the fallback certificate
    issuer = facts.issuer or config.defaults.issuer
    names = tuple(facts.domains or facts.names)
    found = [limit_of(config, limits, each, names, now) for each in (issuer, *config.defaults.fallback_issuers)]
    if not all(found) or found[0] is None or found[0].outlives(facts.not_after, now):
        return decision
    until = datetime.fromtimestamp(found[0].until, UTC)
    why = f"{decision.why}, and waits: {issuer} {WHAT[found[0].kind]} before {minute_shown(until)}"
    return decision.held(why, found[0].until)


def limit_of(config: Config, limits: Sequence[Limit], issuer: str, names: Sequence[str], now: float) -> Limit | None:
    """Return the limit with which an issuer refuses an order for these names. None: there is none."""
    from core.store.accounts import account_id
    from core.workflows.issuing.plan import issuer_named

    try:
        known = issuer_named(config, issuer)
    except CertdeckError:
        return None
    account = account_id(known.name, known.directory or "")
    return closed(limits, account, (RequestKind.DIRECTORY, RequestKind.NEW_ACCOUNT, *ORDERING), names, now)
