"""A certificate of the fleet in the form in which `issue` shows any certificate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from core.fleet.values import Certificate
from core.lineage_status import LineageStatus
from core.severity import days_left, severity
from core.store.lineages import lineage_of
from core.store.records import parse_time
from core.workflows.fleet.connection import Hub
from core.workflows.fleet.due import renewal_time
from core.workflows.issuing.plan import plan


def status_of(hub: Hub, one: Certificate) -> LineageStatus:
    """Return the state of a published certificate. If each device has its own, the state is that of the first one."""
    facts: Mapping[str, object] = next(iter(one.made.values()), {})
    lineage = lineage_of(one.spec, one.name)
    now = hub.context.env.clock.now().timestamp()
    not_before, not_after = (parse_time(str(facts[key])) for key in ("not_before", "not_after"))
    due = renewal_time(hub, one)
    names = facts.get("names")
    chain = facts.get("chain_length")
    return LineageStatus(
        name=one.name,
        domains=tuple(map(str, names)) if isinstance(names, (list, tuple)) else lineage.domains,
        subject=str(facts.get("subject", "")),
        issuer=str(facts.get("issuer", "")),
        serial=str(facts.get("serial", "")),
        not_before=not_before,
        not_after=not_after,
        days_left=days_left(not_before.timestamp(), not_after.timestamp(), now),
        severity=severity(not_before.timestamp(), not_after.timestamp(), now),
        self_signed=False,
        chain=isinstance(chain, int) and chain > 1,
        chain_length=chain - 1 if isinstance(chain, int) else 0,
        sha256=str(facts.get("sha256", "")),
        key_type=str(facts.get("key_type", "")),
        method=plan(hub.context.config, lineage).method(hub.context.config),
        ca=str(facts.get("ca") or "") or None,
        auto_renew=lineage.auto_renew is not False,
        renew_at=None if due is None else datetime.fromtimestamp(due, UTC),
        renew_why="lifetime",
        last_error=one.last_error,
        version=one.version,
    )
