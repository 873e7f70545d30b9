"""The policy `device`: each device makes its key, a hub orders for its signing request. One that was away gets its own later."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from core.errors import CertdeckError, UsageError
from core.events import DEVICE_AWAY, Warned
from core.fleet import layout
from core.fleet.election import Leadership
from core.fleet.values import DEVICE, Box, Certificate, Request, Signed, Wanted, decoded, encoded, unb64
from core.store.lineages import lineage_of
from core.workflows.fleet.connection import Hub
from core.workflows.fleet.order import order
from core.workflows.fleet.publish import boxes, meant_for, publish_for_devices, signed
from core.workflows.fleet.receive import sync
from core.workflows.issuing.plan import plan
from core.workflows.issuing.sessions import Sessions
from core.x509.csr import SigningRequest

REQUEST_WAIT_SECONDS = 30.0
"""How long devices are waited for to make their signing requests."""
PAUSE_SECONDS = 0.3


def for_devices(
    hub: Hub, lead: Leadership, one: Certificate, sessions: Sessions, email: str | None, agree_tos: bool
) -> Certificate:
    """Have the next version: a certificate for each device that has made a signing request."""
    asked = _wanted(hub, one, one.version + 1)
    meant = meant_for(one, boxes(hub).values())
    for box in meant:
        _ask(hub, lead, box, asked)
    if any(box.id == hub.identity.box for box in meant):
        sync(hub.context)  # this box's own request: nobody else can make it while this command holds the lock
    requests = _wait(hub, lead, asked, meant)
    missing = [box for box in meant if box.id not in requests]
    if not requests:
        away = ", ".join(box.name for box in missing) or "there is no device"
        raise UsageError(
            f"No device has created a signing request for {one.name}.",
            f"With the policy device, each device creates its own key, and none has responded: {away}.",
            "Run `certdeck fleet watch` on the devices, then try again.",
            lineage=one.name,
        )
    made = {
        id: order(hub, lead, one, sessions, email=email, agree_tos=agree_tos, device=id, request=request)
        for id, request in requests.items()
    }
    for box in missing:
        hub.context.narrator.tell(
            Warned(
                code=DEVICE_AWAY,
                what=f"{box.name} ({box.id}) has not created a signing request for {one.name}, and keeps its current certificate.",
                fix="Start `certdeck fleet watch` there: it then gets its own certificate.",
            )
        )
    return publish_for_devices(hub, lead, one.name, made, version=one.version + 1)


def late_devices(hub: Hub, one: Certificate) -> list[Box]:
    """Return the devices that have no certificate of the newest version, where something can be done for them now."""
    if one.policy != DEVICE or not one.version:
        return []
    missing = [box for box in meant_for(one, boxes(hub).values()) if box.id not in one.made]
    if not missing:
        return []
    asked = _wanted(hub, one, one.version)
    return [box for box in missing if not _is_asked(hub, box, asked) or _request(hub, box, asked) is not None]


def for_late_devices(hub: Hub, lead: Leadership, one: Certificate, sessions: Sessions) -> Certificate:
    """Ask devices that have none for a signing request, and have certificates for those that have made theirs."""
    asked = _wanted(hub, one, one.version)
    found = {}
    for box in late_devices(hub, one):
        _ask(hub, lead, box, asked)
        request = _request(hub, box, asked)
        if request is not None:
            found[box.id] = request
    if not found:
        return one
    made = {id: order(hub, lead, one, sessions, device=id, request=request) for id, request in found.items()}
    return publish_for_devices(hub, lead, one.name, made, version=one.version)


def _wanted(hub: Hub, one: Certificate, version: int) -> Wanted:
    chosen = plan(hub.context.config, lineage_of(one.spec, one.name))
    return Wanted(
        name=one.name,
        version=version,
        names=chosen.names,
        key_type=chosen.key_type,
        common_name=chosen.common_name,
    )


def _is_asked(hub: Hub, box: Box, asked: Wanted) -> bool:
    found = hub.etcd.get(layout.wanted(box.id, asked.name))
    with suppress(CertdeckError):
        return found is not None and decoded(Signed, found.value, found.key).text == encoded(asked).decode()
    return False


def _ask(hub: Hub, lead: Leadership, box: Box, asked: Wanted) -> None:
    if not _is_asked(hub, box, asked):
        place = layout.wanted(box.id, asked.name)
        hub.etcd.commit({place: signed(hub, place, asked)}, guards=[lead.guard()])


def _request(hub: Hub, box: Box, asked: Wanted) -> SigningRequest | None:
    """Return what a device has made, if it is what was asked for: a device's word is data from outside."""
    place = layout.request(box.id, asked.name)
    found = hub.etcd.get(place)
    if found is None:
        return None
    with suppress(CertdeckError, ValueError):
        told = decoded(Request, found.value, place)
        request = SigningRequest(unb64(told.csr))
        if told.version == asked.version and request.names == frozenset(asked.names):
            return request
    return None


def _wait(hub: Hub, lead: Leadership, asked: Wanted, meant: Sequence[Box]) -> dict[str, SigningRequest]:
    clock = hub.context.env.clock
    ends = clock.monotonic() + REQUEST_WAIT_SECONDS
    while True:
        made = {box.id: _request(hub, box, asked) for box in meant}
        found = {id: request for id, request in made.items() if request is not None}
        if len(found) == len(meant) or clock.monotonic() > ends:
            return found
        lead.check()
        clock.sleep(PAUSE_SECONDS, hub.context.cancel)
