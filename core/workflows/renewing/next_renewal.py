"""When a lineage renews automatically, as `status` and notifications announce it. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from core.config.model import Config
from core.store.index import Facts
from core.workflows.renewing.due import deploys_what_waits, is_off, renewal_time, why_never_alone


def next_renewal(config: Config, facts: Facts, now: float) -> tuple[datetime | None, str]:
    """Return when a lineage renews automatically, and by which rule. The facts must be `believable`."""
    if deploys_what_waits(facts):
        return _time(now), "deploy"  # whoever ordered it: it costs the CA nothing, and needs nobody
    if why_never_alone(facts, config):
        return None, "by hand"
    if is_off(facts, config, now):
        return None, "off"
    if facts.version is None:
        return (_time(facts.next_attempt) if facts.next_attempt else None), "no certificate"
    due = renewal_time(facts, config)
    if facts.is_wanted or facts.revoked:
        due = min(due, now)
    if facts.next_attempt is not None and facts.next_attempt > max(due, now):
        return _time(facts.next_attempt), "retry"
    if facts.is_wanted or facts.revoked:
        return _time(due), "revoked" if facts.revoked else "settings"
    if facts.chain_end and due < renewal_time(facts._replace(chain_end=""), config):
        return _time(due), "chain"
    if facts.ari_chosen is not None and facts.ari_id == facts.renewal_id:
        return _time(due), "ari" if due == facts.ari_chosen else "ari-late"
    days = config.defaults.renew_days_before if facts.renew_days_before is None else facts.renew_days_before
    return _time(due), "days-before" if days is not None else "lifetime"


def _time(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)
