"""Detects the TLS services of this box, and stores what they serve for `status`."""

from __future__ import annotations

from datetime import timedelta

from core.detected import DetectedService
from core.store import detected
from core.store.index import facts_of_all
from core.workflows.context import Context

_EVERY = timedelta(hours=24)


def detect(context: Context) -> tuple[DetectedService, ...]:
    """Detect services. Changes nothing of theirs, and needs no lock. Raises Cancelled."""
    from core.detect.find import detect as find

    now = context.env.clock.now()
    own = {facts.sha256 for facts in facts_of_all(context.paths)[0] if facts.sha256}
    found = find(context.env, own=frozenset(own), targets=context.config.targets, now=now, cancel=context.cancel)
    detected.save(context.paths, found, now)
    return found


def refresh(context: Context) -> None:
    """Detect services if that was not done within the last day."""
    record = detected.load(context.paths)
    if record is None or not timedelta(0) <= context.env.clock.now() - record.at < _EVERY:
        detect(context)
