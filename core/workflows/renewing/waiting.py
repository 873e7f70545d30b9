"""Decides to which targets a run may still deploy a waiting version or order.

The targets of the order apply, except those where another certificate was deployed later.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from msgspec.structs import replace

from core.config.model import LineageConfig
from core.events import Warned
from core.store.index import Facts, facts_of_all
from core.store.records import parse_time
from core.workflows.context import Context


def still_meant(context: Context, settings: LineageConfig, since: datetime) -> LineageConfig:
    """Return the settings without the targets that got another certificate after `since`, and warn about those."""
    every = {facts.name: facts for facts in facts_of_all(context.paths)[0]}
    taken = decided_since(settings, every, since)
    for target, other in taken.items():
        context.narrator.tell(
            Warned(
                code="target-decided-otherwise",
                what=f"{settings.name} was not deployed to {target}: {other} was deployed there after it was ordered.",
                fix=f"To serve {settings.name} there: certdeck deploy {settings.name} --target {target}",
            )
        )
    return replace(settings, targets=tuple(target for target in settings.targets if target not in taken))


def decided_since(settings: LineageConfig, every: Mapping[str, Facts], since: datetime) -> dict[str, str]:
    """Return, by target of `settings`, the name of the certificate that was deployed there after `since`. Pure.

    If another certificate is deployed at an unknown time, it counts as later: a run must not replace it on a guess.
    """
    found = {}
    for target in settings.targets:
        for other in every.values():
            if other.name != settings.name and target in other.targets and not _deployed_before(other, target, since):
                found[target] = other.name
    return found


def _deployed_before(other: Facts, target: str, moment: datetime) -> bool:
    at = other.target_outcomes.get(target, {}).get("at")
    with suppress(ValueError):
        return isinstance(at, str) and parse_time(at) <= moment
    return False
