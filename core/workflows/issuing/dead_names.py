"""Suggests the command that orders the remaining names after a CA refused some of them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from core.config.model import Config
from core.errors import AcmeProblem, AuthorizationFailed, IssuerError
from core.text import listed
from core.workflows.issuing.plan import Plan


def tell_the_way_on(plan: Plan, error: IssuerError, config: Config, *, is_new: bool) -> None:
    """Add the command for the other names to an error's fix if the CA refused some of the names, but not all.

    Args:
        is_new: there is no certificate with this name yet, so the command must include its settings.
    """
    refused = _refused(error)
    left = [name for name in plan.names if name not in refused]
    if not left or len(left) == len(plan.names):
        return
    words = ["certdeck", "issue", "--name", plan.name]
    for name in left:
        words += ["-d", name]
    command = shlex.join([*words, *(_settings(plan, config) if is_new else ())])
    error.fix += f" To continue without {listed(sorted(refused), 3)}: `{command}`."


def _settings(plan: Plan, config: Config) -> Iterator[str]:
    """Yield the command options that give the same settings. Defaults need no option."""
    if plan.issuer.name != config.defaults.issuer:
        yield from ("--issuer", plan.issuer.name)
    if plan.issuer.kind == "acme" and plan.challenge != config.defaults.challenge:
        yield from ("--challenge", plan.challenge)
    if plan.lineage.dns:
        yield from ("--dns", plan.lineage.dns)
    elif plan.is_manual:
        yield "--manual"
    if plan.key_type != config.defaults.key_type:
        yield from ("--key-type", plan.key_type)
    if plan.profile:
        yield from ("--profile", plan.profile)
    if plan.lineage.targets:
        yield from ("--target", *plan.lineage.targets)


def _refused(error: IssuerError) -> set[str]:
    """Return the names that an error is about, in the form in which they were ordered."""
    if isinstance(error, AuthorizationFailed):
        problems = error.details.get("problems")
        return set(problems) if isinstance(problems, Mapping) else set()
    if not isinstance(error, AcmeProblem):
        return set()
    found = error.details.get("subproblems")
    subproblems = found if isinstance(found, list) else []
    return {str(each.get("identifier")) for each in (error.details, *subproblems) if each.get("identifier")}
