"""The key policy `device`: each device creates its key, and a hub orders with its signing request. Absent devices follow later."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from core.errors import CertdeckError, UsageError
from core.events import DEVICE_AWAY, Warned
from core.fleet import layout
from core.fleet.etcd import in_batches
from core.fleet.values import DEVICE, Box, Certificate, Request, Signed, Wanted, decoded, encoded, unb64
from core.workflows.fleet.connection import Hub
from core.workflows.fleet.known import Known, boxes, meant_for
from core.workflows.fleet.order import OfDevice, OrderRun, order, planned
from core.workflows.fleet.publish import publish_for_devices, signed
from core.workflows.fleet.receive import sync
from core.workflows.issuing.plan import Plan
from core.x509.csr import SigningRequest

REQUEST_WAIT_SECONDS = 30.0
"""How long a hub waits for the signing requests of the devices."""
PAUSE_SECONDS = 0.3
"""Between two looks at what devices have done."""


def for_devices(run: OrderRun, one: Certificate, chosen: Plan) -> Certificate:
    """Issue and publish the next version: a certificate for each device that has created a signing request.

    Raises UsageError if no device has; otherwise what `order` raises.
    """
    hub = run.hub
    asked = _wanted(chosen, one.version + 1)
    meant = meant_for(one, boxes(hub).values())
    _ask(run, meant, asked)
    if any(box.id == hub.identity.box for box in meant):
        sync(hub.context)  # the request of this box: no other process can create it while this command holds the lock
    requests = _wait(run, asked, meant)
    missing = [box for box in meant if box.id not in requests]
    if not requests:
        away = ", ".join(box.name for box in missing) or "there is no device"
        raise UsageError(
            f"No device has created a signing request for {one.name}.",
            f"With the policy device, each device creates its own key, and none has responded: {away}.",
            "Run `certdeck fleet watch` on the devices, then try again.",
            lineage=one.name,
        )
    made = {id: order(run, one, chosen, of=of) for id, of in requests.items()}
    for box in missing:
        hub.context.narrator.tell(
            Warned(
                code=DEVICE_AWAY,
                what=f"{box.name} ({box.id}) has not created a signing request for {one.name}, and keeps its current certificate.",
                fix="Start `certdeck fleet watch` there: it then gets its own certificate.",
            )
        )
    return publish_for_devices(hub, run.lead, one.name, made, version=one.version + 1)


def late_devices(hub: Hub, known: Known, one: Certificate) -> list[Box]:
    """Return the devices without a certificate of the newest version that can be asked, or have a signing request, now."""
    if one.policy != DEVICE or not one.version:
        return []
    missing = [box for box in known.devices_of(one) if box.id not in one.made]
    if not missing:
        return []
    asked = _wanted(planned(hub, one), one.version)
    ready = _requests(hub, missing, asked)
    unasked = {box.id for box in _not_asked(hub, missing, asked)}
    return [box for box in missing if box.id in ready or box.id in unasked]


def for_late_devices(run: OrderRun, one: Certificate, late: Sequence[Box]) -> Certificate:
    """Ask late devices for a signing request, and issue and publish certificates for those that have created one."""
    chosen = planned(run.hub, one)
    asked = _wanted(chosen, one.version)
    _ask(run, late, asked)
    made = {id: order(run, one, chosen, of=of) for id, of in _requests(run.hub, late, asked).items()}
    return publish_for_devices(run.hub, run.lead, one.name, made, version=one.version) if made else one


def _wanted(chosen: Plan, version: int) -> Wanted:
    return Wanted(
        name=chosen.name,
        version=version,
        names=chosen.names,
        key_type=chosen.key_type,
        common_name=chosen.common_name,
    )


def _not_asked(hub: Hub, which: Sequence[Box], asked: Wanted) -> list[Box]:
    """Return the devices that have not been asked for this signing request yet."""
    places = {layout.wanted(box.id, asked.name): box for box in which}
    text = encoded(asked).decode()
    for place, entry in hub.etcd.get_many(list(places)).items():
        with suppress(CertdeckError):
            if decoded(Signed, entry.value, place).text == text:
                del places[place]
    return list(places.values())


def _ask(run: OrderRun, which: Sequence[Box], asked: Wanted) -> None:
    hub = run.hub
    places = [layout.wanted(box.id, asked.name) for box in _not_asked(hub, which, asked)]
    for batch in in_batches({place: signed(hub, place, asked) for place in places}):
        hub.etcd.commit(batch, guards=[run.lead.guard()])


def _requests(hub: Hub, which: Sequence[Box], asked: Wanted) -> dict[str, OfDevice]:
    """Return the devices' signing requests, by id. Those that do not match are left out: they are untrusted data."""
    places = {layout.request(box.id, asked.name): box.id for box in which}
    found = {}
    for place, entry in hub.etcd.get_many(list(places)).items():
        with suppress(CertdeckError, ValueError):
            told = decoded(Request, entry.value, place)
            request = SigningRequest(unb64(told.csr))
            if told.version == asked.version and request.names == frozenset(asked.names):
                found[places[place]] = OfDevice(device=places[place], request=request)
    return found


def _wait(run: OrderRun, asked: Wanted, meant: Sequence[Box]) -> dict[str, OfDevice]:
    clock = run.hub.context.env.clock
    ends = clock.monotonic() + REQUEST_WAIT_SECONDS
    while True:
        found = _requests(run.hub, meant, asked)
        if len(found) == len(meant) or clock.monotonic() > ends:
            return found
        run.lead.check()
        clock.sleep(PAUSE_SECONDS, run.hub.context.cancel)
