"""Finds lineages with a damaged live version, and renews those that can be renewed automatically."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import CertdeckError, StoreCorrupt
from core.store.index import Facts, facts_without_live
from core.workflows.context import View
from core.workflows.deploying.shown import live_problem, unusable
from core.workflows.renewing.due import RENEW, SKIP, Decision, decide


def with_repairs(
    view: View, decisions: Sequence[Decision], differing: Sequence[Facts], *, force: bool, named: bool
) -> list[Decision]:
    """Return the decisions, with a renewal in place of each skip that would leave a damaged live version.

    Args:
        differing: the lineages whose targets do not have the live version. Only these are checked. The services have their own
            copies of the files, so damage in the store would otherwise stay unnoticed for months.
    """
    suspected = {facts.name for facts in differing}
    repaired = []
    for decision in decisions:
        if decision.action == SKIP and decision.name in suspected and live_problem(view, decision.name):
            repaired += damaged(view, [unusable(decision.name)], force=force, named=named) or [decision]
        else:
            repaired.append(decision)
    return repaired


def damaged(view: View, problems: Sequence[CertdeckError], *, force: bool, named: bool) -> list[Decision]:
    """Return renewals for those of `problems` that a new certificate solves.

    They do not include a changed link in `live`: taking the lock repairs that.
    """
    found = []
    now = view.env.clock.now().timestamp()
    for problem in problems:
        if not isinstance(problem, StoreCorrupt) or problem.lineage is None:
            continue
        try:
            decision = decide(
                facts_without_live(view.paths, problem.lineage), view.config, now, force=force, named=named
            )
        except CertdeckError:
            continue
        if decision.action != SKIP:
            found.append(Decision(problem.lineage, RENEW, "its live version is damaged"))
    return found
