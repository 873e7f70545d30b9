"""What a hub reports about its fleet: the current conditions. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec import Struct, field

from core.dates import day_shown, moment_in_words
from core.errors import CertdeckError
from core.fleet_status import BoxStatus, FleetCertificate, FleetStatus
from core.notify.channel import Item
from core.notify.conditions import Condition
from core.text import listed

_NAMED = 3
_SEE = "See: certdeck fleet status."


class OfFleet(Struct, frozen=True, kw_only=True):
    """The current conditions of the fleet, by key, and the names whose failures in this run they report."""

    conditions: Mapping[str, Condition] = field(default_factory=dict)
    names: frozenset[str] = frozenset()


def out_of_reach(error: CertdeckError) -> Condition:
    """Return the condition that the fleet cannot be read: etcd is unreachable, has no quorum, or refuses this box."""
    item = Item(events=("failed",), what=error.what, why=error.why, fix=error.fix)
    return Condition(key="fleet/reach", item=item, level=error.code, ended="The fleet is reachable again.")


def conditions_of(found: FleetStatus, now: datetime) -> dict[str, Condition]:
    """Return the problems of the fleet, by key."""
    conditions = [
        *_of_etcd(found),
        *(_away(each, each.seen) for each in found.boxes if each.seen is not None and each.is_away(now)),
        *(each for one in found.certificates for each in _of_certificate(found, one, now)),
    ]
    return {each.key: each for each in conditions}


def _of_etcd(found: FleetStatus) -> Iterator[Condition]:
    lost = [each for each in found.members if each.state != "ok"]
    if lost:
        item = Item(
            events=("failed",),
            what=f"{len(lost)} of {len(found.members)} etcd members are not working.",
            why=listed([f"{each.endpoint}: {each.state.rstrip('.')}" for each in lost], _NAMED) + ".",
            fix=_SEE,
        )
        yield Condition(key="fleet/etcd", item=item, level=str(len(lost)), ended="All etcd members are working again.")


def _away(box: BoxStatus, seen: datetime) -> Condition:
    kind = "device" if box.role == "device" else "hub"
    item = Item(
        events=("failed",),
        what=f"The {kind} {box.name} was last seen on {moment_in_words(seen)}.",
        why="A working box contacts the fleet at least twice a day.",
        fix="Check whether it is on, whether it reaches etcd, and whether its timer runs (certdeck schedule). "
        f"If it no longer exists: certdeck fleet remove {box.id}",
    )
    return Condition(key=f"fleet/box/{box.id}", item=item, level="", ended=f"The {kind} {box.name} is back.")


def _of_certificate(found: FleetStatus, one: FleetCertificate, now: datetime) -> Iterator[Condition]:
    if one.last_error is not None:
        said = {key: str(one.last_error.get(key) or "") for key in ("what", "why", "fix")}
        item = Item(events=("failed",), certificate=one.name, what=said["what"], why=said["why"], fix=said["fix"])
        yield Condition(
            key=f"fleet/renewal/{one.name}", item=item, level="failed", ended=f"{one.name} was renewed for the fleet."
        )
    if one.revoked:
        item = Item(
            events=("revoked",),
            what=f"{one.name}, served by devices of the fleet, is revoked: {one.revoked}.",
            fix=f"Renew it: certdeck --renew {one.name}",
            certificate=one.name,
        )
        ended = f"{one.name} was renewed for the fleet."
        yield Condition(key=f"fleet/revoked/{one.name}", item=item, level="red", ended=ended)
    if one.is_ending(now):
        assert one.not_after is not None
        item = Item(
            events=("expiring",),
            what=f"{one.name}, served by devices of the fleet, expires on {day_shown(one.not_after)}.",
            fix=f"Renew it: certdeck --renew {one.name}",
            certificate=one.name,
            not_after=one.not_after,
        )
        ended = f"{one.name} no longer expires soon."
        yield Condition(key=f"fleet/expiring/{one.name}", item=item, level="red", ended=ended)
    late = [(box, each) for box, each in found.behind if each.name == one.name and each.wanted]
    refused = any(each.state == "failed" for _, each in late)
    # Right after publication, devices may not have installed it yet.
    if refused or (late and one.is_settled(now)):
        devices = sum(1 for box in found.boxes for each in box.certificates if each.name == one.name)
        item = Item(
            events=("not-served",),
            what=f"The newest version of {one.name} is not served by {len(late)} of {devices} devices.",
            why=listed([f"{box.name}: {each.why.rstrip('.')}" for box, each in late], _NAMED) + ".",
            fix=_SEE,
            certificate=one.name,
        )
        yield Condition(
            key=f"fleet/late/{one.name}",
            item=item,
            level="failed" if refused else "behind",
            ended=f"Every device serves {one.name} again.",
        )
