"""What a rehearsal shows: the staging certificate as a status, though nothing of it is kept."""

from __future__ import annotations

from core.operations import LineageStatus
from core.severity import days_left, severity
from core.workflows.context import Context
from core.workflows.issuing.acquire import Acquired
from core.workflows.issuing.plan import Plan, staging_of
from core.x509 import chain
from core.x509.chain_end import first_end


def rehearsed(context: Context, plan: Plan, got: Acquired) -> LineageStatus:
    """Return the status that the lineage would have."""
    leaf, intermediates = chain.split_fullchain(got.fullchain)
    first = first_end(leaf, intermediates)
    not_before, not_after, now = (
        leaf.not_before.timestamp(),
        leaf.not_after.timestamp(),
        context.env.clock.now().timestamp(),
    )
    return LineageStatus(
        name=plan.name,
        domains=plan.names,
        subject=leaf.subject,
        issuer=leaf.issuer,
        serial=leaf.serial,
        not_before=leaf.not_before,
        not_after=leaf.not_after,
        days_left=days_left(not_before, first.not_after.timestamp(), now),
        severity=severity(not_before, not_after, now, first.not_after.timestamp()),
        self_signed=leaf.self_signed,
        chain=bool(intermediates),
        chain_length=len(intermediates),
        sha256=leaf.sha256,
        key_type=leaf.key_type,
        method=plan.method(context.config),
        ca=staging_of(context.config, plan).issuer.name,
        auto_renew=False,
        renew_at=None,
        renew_why="off",
        last_error=None,
        profile=plan.profile,
        chain_not_after=first.not_after,
        chain_end="" if first is leaf else first.subject,
    )
