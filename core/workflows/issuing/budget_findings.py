"""Checks an order against the CA's rate limits before it is placed, for the wizard and the doctor."""

from __future__ import annotations

from collections.abc import Iterator

from core.budget import FAILURES, first_in_the_way
from core.operations import Finding
from core.workflows.context import Context
from core.workflows.issuing.budget_words import limit_words, moment, spent
from core.workflows.issuing.ledger import Counted, Ledger
from core.workflows.issuing.plan import Plan

ID, TITLE = "budget", "CA rate limits"


def budget_findings(context: Context, wanted: Plan) -> Iterator[Finding]:
    """Yield a failed finding for an exhausted limit, else a warning for a limit that the order would exhaust."""
    ledger = Ledger(context)
    if not wanted.issuer.limits or not ledger.has_uses(Counted.at(wanted.issuer)):
        return
    found = ledger.standing(wanted.issuer, wanted.names)
    in_the_way = first_in_the_way(found)
    if in_the_way is not None:
        error = spent(context.config, wanted.issuer, wanted.names, in_the_way)
        yield Finding(id=ID, status="fail", title=TITLE, detail=f"{error.what} {error.why}", fix=error.fix)
        return
    for each in found:
        if each.left == 1 and each.allowance.limit != FAILURES:
            yield Finding(
                id=ID,
                status="warn",
                title=TITLE,
                detail=f"{limit_words(wanted.issuer, each)}, and this order is the last of them until "
                f"{moment(each.unused_at - (each.used - 1) * each.allowance.seconds / each.allowance.count)}",
                fix="For tests, use --staging.",
            )
