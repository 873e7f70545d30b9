"""Evaluates what was seen at a target's listeners. Pure: nothing is probed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.lineage_status import ListenerState
from core.targets.sight import Sight

DEPLOYED, STALE, UNKNOWN = "deployed", "stale", "unknown"

Before = Mapping[str, Sequence[str]]
"""Listener → what it presented before a deployment; empty: nothing could be seen there. Missing: it was not probed."""


def states_of(sights: Sequence[Sight], expected: str | None) -> tuple[ListenerState, ...]:
    """Return the state of each listener compared with the certificate that it should present."""
    return tuple(_state(sight, expected) for sight in sights)


def summary(sights: Sequence[Sight], expected: str | None) -> tuple[str, str]:
    """Return the state of a target whose service was probed, and the reason in words.

    `stale` if any listener presents another certificate. If a host has several addresses, those that accept no connections do not
    count, as long as one of them was seen: a service need not listen on all.
    """
    for sight in sights:
        if sight.other_than(expected) is not None:
            return STALE, _other(sight, expected)
    unseen = [sight for sight in sights if not sight.served and not _is_covered(sight, sights)]
    return (UNKNOWN, unseen[0].why) if unseen else (DEPLOYED, "")


def broken_by_deployment(
    sights: Sequence[Sight], expected: str, before: Before, every: Sequence[Sight]
) -> tuple[str, ...]:
    """Return, in words, what a deployment broke: another certificate is presented, or nothing where something was before.

    Args:
        every: the sights of all listeners, including `sights`.
    """
    found = []
    for sight in sights:
        was = before.get(sight.listener.address)
        if sight.other_than(expected) is not None:
            found.append(_other(sight, expected))
        elif not sight.served and (was or (was is None and not _is_covered(sight, every))):
            found.append(sight.why)
    return tuple(found)


def is_restored(sight: Sight, before: Before) -> bool:
    """Return whether a listener presents the same again as before, whatever that was."""
    was = before.get(sight.listener.address)
    return bool(was) and set(sight.served) == set(was or ())


def not_seen(sights: Sequence[Sight], before: Before) -> tuple[Sight, ...]:
    """Return the listeners where nothing could be seen before the deployment and nothing can be seen now."""
    return tuple(
        sight
        for sight in sights
        if not sight.served and before.get(sight.listener.address) == () and not _is_covered(sight, sights)
    )


def served_of(sights: Sequence[Sight], expected: str | None) -> str | None:
    """Return the one fingerprint to report for a target: a different one from the expected, if there is any."""
    others = [other for sight in sights if (other := sight.other_than(expected)) is not None]
    return next((each for each in (*others, *(s.served[0] for s in sights if s.served))), None)


def _state(sight: Sight, expected: str | None) -> ListenerState:
    address = sight.listener.address
    if not sight.served:
        return ListenerState(address=address, state=UNKNOWN, why=sight.why)
    other = sight.other_than(expected)
    if other is None:
        return ListenerState(address=address, state=DEPLOYED, served_sha256=expected)
    return ListenerState(address=address, state=STALE, served_sha256=other, why=_other(sight, expected))


def _is_covered(sight: Sight, sights: Sequence[Sight]) -> bool:
    """Return whether one address of a host is closed while another address of it was seen."""
    return sight.closed and any(each.served for each in sights if each.listener.probe == sight.listener.probe)


def _other(sight: Sight, expected: str | None) -> str:
    other = sight.other_than(expected) or ""
    turns = " intermittently" if len(sight.served) > 1 else ""
    return f"{sight.listener.address} presents a different certificate{turns}, with the SHA-256 {other[:23]}…"
