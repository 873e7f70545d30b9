"""One dead name of several: the command that goes on without the names that a CA refused."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from core.errors import AcmeProblem, AuthorizationFailed, IssuerError
from core.workflows.plan import Plan


def tell_the_way_on(plan: Plan, error: IssuerError) -> None:
    """Add to an error's advice how to order the other names, where the CA refused some of them and not all."""
    refused = _refused(error)
    left = [name for name in plan.names if name not in refused]
    if not left or len(left) == len(plan.names):
        return
    domains = " ".join(f"-d {shlex.quote(name)}" for name in left)
    error.fix += f" To go on without {_listed(sorted(refused))}: `certdeck issue --name {plan.name} {domains}`."


def _refused(error: IssuerError) -> set[str]:
    """Return the names that an error is about, as they were ordered."""
    if isinstance(error, AuthorizationFailed):
        problems = error.details.get("problems")
        return set(problems) if isinstance(problems, Mapping) else set()
    if not isinstance(error, AcmeProblem):
        return set()
    found = error.details.get("subproblems")
    subproblems = found if isinstance(found, list) else []
    return {str(each.get("identifier")) for each in (error.details, *subproblems) if each.get("identifier")}


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
