"""All-or-none deployment: every device stages a version, then all deploy it. If one rejects it, all roll back.

The next phase follows from the devices' reports (`next_phase`, pure), and `advance` writes it. So if a hub dies in between,
another hub continues.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime

from msgspec.structs import replace

from core.errors import CertdeckError
from core.events import Changed
from core.fleet import layout
from core.fleet.election import Leadership
from core.fleet.etcd import Guard
from core.fleet.values import BACK, DEPLOY, STAGE, Box, Certificate, Told, decoded, encoded
from core.renewal import next_retry
from core.store.records import rfc3339
from core.workflows.fleet.connection import Hub
from core.workflows.fleet.known import Known, current, look

STAGED, DEPLOYED, FAILED = "staged", "deployed", "failed"


def next_phase(one: Certificate, states: Sequence[str], now: datetime) -> str | None:
    """Return the phase that follows from the devices' reports about the newest version. None: no change.

    Args:
        states: `staged`, `deployed`, `failed`, or empty for a device that has not reported this version.
    """
    if not one.all_or_none or not one.version or not states:
        return None
    if one.phase == STAGE and all(state in (STAGED, DEPLOYED) for state in states):
        return DEPLOY
    if one.phase == DEPLOY and FAILED in states and one.version > 1:
        return BACK
    if one.phase == BACK and one.next_attempt is not None and one.next_attempt <= now:
        return STAGE
    return None


def is_under_way(one: Certificate, states: Sequence[str]) -> bool:
    """Tell whether further reports of devices may change the phase."""
    return one.all_or_none and bool(one.version) and any(state != DEPLOYED for state in states)


def states_of(hub: Hub, one: Certificate, devices: Sequence[Box]) -> list[str]:
    """Return the state that each device reports for the newest version, in the order of `devices`. Empty: no report."""
    places = [layout.report(box.id, one.name) for box in devices]
    found = hub.etcd.get_many(places)
    states = []
    for place in places:
        state = ""
        with suppress(CertdeckError, KeyError):
            said = decoded(Told, found[place].value, one.name)
            state = said.state if said.version == one.version else ""
        states.append(state)
    return states


def states_of_all(hub: Hub, known: Known) -> Iterator[tuple[Certificate, list[str]]]:
    """Yield each certificate with all-or-none deployment, with its devices' states."""
    for one in known.certificates.values():
        if one.all_or_none:
            yield one, states_of(hub, one, known.devices_of(one))


def advance(hub: Hub, lead: Leadership) -> int:
    """Move each certificate with all-or-none deployment to its next phase. Returns how many changed."""
    now = hub.context.env.clock.now()
    changed = 0
    for one, states in states_of_all(hub, look(hub)):
        phase = next_phase(one, states, now)
        if phase is None:
            continue
        after, there = current(hub, one.name)
        after = replace(after, phase=phase)
        if phase == BACK:
            at = next_retry(after.failures + 1, now, hub.context.env.random.uniform(0.0, 1.0))
            error = {
                "code": "fleet-device-failed",
                "what": f"A device rejected version {one.version} of {one.name}. All devices roll back to the previous version.",
                "why": "Its devices switch together or not at all.",
                "fix": "Find the device with `certdeck fleet status` and fix the cause there. All devices try again later.",
                "at": rfc3339(now),
            }
            after = replace(after, failures=after.failures + 1, next_attempt=at, last_error=error)
        elif phase == STAGE:
            after = replace(after, next_attempt=None)
        guards = [lead.guard(), Guard(there.key, modified=there.modified)]
        hub.etcd.commit({there.key: encoded(after)}, guards=guards)
        hub.context.about(one.name).narrator.tell(Changed(what=f"all devices of {one.name}: {phase}"))
        changed += 1
    return changed
