"""Lineages whose live version cannot be read any more: a new one repairs that, where one can be ordered automatically."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import CertdeckError, StoreCorrupt
from core.store.index import facts_without_live
from core.workflows.context import View
from core.workflows.renewing.due import RENEW, SKIP, Decision, decide


def damaged(view: View, problems: Sequence[CertdeckError], *, force: bool, named: bool) -> list[Decision]:
    """Return what is to be done about those of `problems` that a new certificate ends; the others stay problems.

    One whose link in `live` was changed is not among them: taking the lock repairs that.
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
