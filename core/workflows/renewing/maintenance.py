"""Maintenance windows: outside its window, a scheduled run does not touch a service. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from core.config.model import Config
from core.store.index import Facts
from core.workflows.deploying.window import is_open, opens_at
from core.workflows.renewing.due import DEPLOY, PUT_BACK, RENEW, Decision

URGENT = timedelta(days=2)
"""A certificate that ends within this time is renewed regardless of the window: an expired one is worse than a restart."""


def held_by_windows(
    decisions: Sequence[Decision], every: Sequence[Facts], config: Config, now: datetime
) -> list[Decision]:
    """Return the decisions, with those postponed that would touch a service outside its window.

    Args:
        now: in the local time zone, like the windows.
    """
    facts = {each.name: each for each in every}
    return [_held(decision, facts, config, now) for decision in decisions]


def _held(decision: Decision, facts: Mapping[str, Facts], config: Config, now: datetime) -> Decision:
    known = facts.get(decision.name)
    if known is None or decision.action not in (RENEW, DEPLOY, PUT_BACK) or known.version is None or known.revoked:
        return decision
    if known.not_after - now.timestamp() < URGENT.total_seconds():
        return decision
    for name in known.targets:
        target = config.targets.get(name)
        if target is not None and target.window and not is_open(target.window, now):
            why = f"{decision.why}, and waits for the window of its service {name} ({target.window})"
            return decision.held(why, opens_at(target.window, now).timestamp())
    return decision
