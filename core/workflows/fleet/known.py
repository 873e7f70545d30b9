"""The state of the fleet in etcd: its boxes, its certificates, and its open orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from core.errors import NotFound
from core.fleet import layout
from core.fleet.etcd import KeyValue
from core.fleet.values import Box, Certificate, decoded
from core.workflows.fleet.connection import Hub


class Known(Struct, frozen=True, kw_only=True):
    """The state of the fleet as last read."""

    boxes: Mapping[str, Box]
    """By id."""
    certificates: Mapping[str, Certificate]
    """By name."""
    ordering: frozenset[str]
    """Names of certificates with an unfinished order."""

    def devices_of(self, one: Certificate) -> list[Box]:
        return meant_for(one, self.boxes.values())


def look(hub: Hub) -> Known:
    """Read the state of the fleet, in three requests regardless of the number of certificates. Raises FleetError."""
    orders = (entry.key.removeprefix(layout.ORDERS) for entry in hub.etcd.range(layout.ORDERS)[0])
    # An order for a device's own key belongs to a run over all devices, which finds it again.
    ordering = frozenset(each for each in orders if layout.OF_DEVICE not in each)
    return Known(boxes=boxes(hub), certificates=certificates(hub), ordering=ordering)


def boxes(hub: Hub) -> dict[str, Box]:
    """Return the approved boxes, by id."""
    found, _ = hub.etcd.range(layout.BOXES)
    each = [decoded(Box, entry.value, entry.key) for entry in found]
    return {box.id: box for box in each}


def certificates(hub: Hub) -> dict[str, Certificate]:
    """Return the certificates of the fleet, by name."""
    found, _ = hub.etcd.range(layout.CERTIFICATES)
    each = [decoded(Certificate, entry.value, entry.key) for entry in found]
    return {one.name: one for one in each}


def meant_for(wanted: Certificate, known: Iterable[Box]) -> list[Box]:
    """Return the devices that receive a certificate."""
    return [box for box in known if box.is_device and (not wanted.boxes or box.id in wanted.boxes)]


def current(hub: Hub, name: str) -> tuple[Certificate, KeyValue]:
    """Return a certificate and its entry in etcd. Raises NotFound (`not-found`)."""
    found = hub.etcd.get(layout.CERTIFICATES + name)
    if found is None:
        raise NotFound(
            f"The fleet has no certificate {name!r}.",
            "It was never issued, or it was removed.",
            "List the certificates with `certdeck fleet status`.",
            lineage=name,
        )
    return decoded(Certificate, found.value, found.key), found
