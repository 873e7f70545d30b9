"""The state of the fleet for this box's notifications."""

from __future__ import annotations

from core.errors import CertdeckError
from core.notify.of_fleet import OfFleet, conditions_of, out_of_reach
from core.workflows.context import Context
from core.workflows.fleet.overview import status
from core.workflows.fleet.scheduled import THE_FLEET


def look(context: Context) -> OfFleet:
    """Return the conditions of the fleet. Empty on a device, whose own run reports what it could not deploy."""
    try:
        found = status(context)
    except CertdeckError as exc:
        return OfFleet(conditions={(gone := out_of_reach(exc)).key: gone}, names=frozenset([THE_FLEET]))
    if found.role == "device":
        return OfFleet(names=frozenset([THE_FLEET]))
    return OfFleet(
        conditions=conditions_of(found, context.env.clock.now()),
        names=frozenset([THE_FLEET, *(each.name for each in found.certificates)]),
    )
