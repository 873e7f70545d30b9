"""Settings of one lineage that people change without ordering anything: whether and when it renews (CC-16, ST-31)."""

from __future__ import annotations

from dataclasses import replace

from core.config.edit import write_lineage
from core.config.load import load_lineage
from core.errors import UsageError
from core.events import Changed
from core.renewal import renew_days_problem
from core.store.index import facts_of
from core.workflows.context import Context


def set_lineage(context: Context, name: str, *, auto_renew: bool | None, renew_days_before: int | None) -> None:
    """Change what is not None; `renew_days_before=0` goes back to the default rule.

    Raises:
        NotFound; UsageError (`usage`): days that cannot work for the lifetime at hand.
    """
    lineage = load_lineage(context.paths, name)
    if auto_renew is not None:
        lineage = replace(lineage, auto_renew=auto_renew)
    if renew_days_before is not None:
        facts = facts_of(context.paths, name)
        if renew_days_before and facts.version is not None:
            problem = renew_days_problem(renew_days_before, facts.not_after - facts.not_before)
            if problem:
                raise UsageError(
                    f"{name} cannot renew {renew_days_before} days before it ends.",
                    problem,
                    "Take fewer days, or 0 for the rule that fits every lifetime.",
                    lineage=name,
                )
        lineage = replace(lineage, renew_days_before=renew_days_before or None)
    write_lineage(context.paths, lineage)
    context.narrator.tell(Changed(what=f"settings of {name}"))
