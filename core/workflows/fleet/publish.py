"""Publishes an issued certificate as a version of the fleet, and writes a delivery for each device.

One transaction publishes the version and deletes its order. The deliveries follow from it: `deliver` compares what each device
has with what it should have. So if a hub dies in between, another hub continues.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from msgspec import Struct
from msgspec.structs import asdict, replace

from core.errors import CertdeckError
from core.events import KeyUsed, VersionStored
from core.fleet import layout
from core.fleet.election import Leadership
from core.fleet.etcd import OPERATIONS, Guard, KeyValue, in_batches
from core.fleet.sealing import seal_to
from core.fleet.values import (
    BACK,
    DEPLOY,
    HYBRID,
    MASTER,
    STAGE,
    Box,
    Certificate,
    Delivery,
    Signed,
    b64,
    decoded,
    encoded,
    unb64,
)
from core.store.records import dumped, rfc3339
from core.store.versions import CertificateFacts, certificate_facts
from core.text import listed
from core.workflows.fleet.connection import Hub
from core.workflows.fleet.known import boxes, certificates, current, meant_for
from core.workflows.fleet.order import Made

SHARED_BY_ALL = "*"
KEPT_VERSIONS = 2
Had = tuple[int, str, str]
"""Version, key policy and phase of a delivery."""


class Stored(Struct, frozen=True, kw_only=True):
    """`certdeck/shared/keys/NAME/VERSION[/ID]`: certificate and sealed key."""

    fullchain: str
    sealed: str = ""
    """Base64. Policy `master`: encrypted under the master key. `hybrid`: sealed to the device, then under the master key."""


def publish(hub: Hub, lead: Leadership, name: str, made: Made) -> Certificate:
    """Publish a certificate that all its devices share as the newest version, and delete its order.

    Raises NotFound, NotLeading, FleetError.
    """
    assert made.key is not None
    wanted, there = current(hub, name)
    version = wanted.version + 1
    pem = made.key.to_pem()
    random = hub.context.env.random
    fullchain = made.fullchain.decode()
    if wanted.policy == HYBRID:
        puts: dict[str, bytes] = {}
        for box in meant_for(wanted, boxes(hub).values()):
            place = layout.key(name, version, box.id)
            inner = seal_to(unb64(box.public), pem, layout.sealed_for(hub.fleet.id, box.id, name, version))
            outer = hub.master.seal(inner, place, random)
            puts[place] = encoded(Stored(fullchain=fullchain, sealed=b64(outer)))
        for batch in in_batches(puts):
            hub.etcd.commit(batch, guards=[lead.guard()])
        first = {layout.key(name, version): encoded(Stored(fullchain=fullchain))}
    else:
        place = layout.key(name, version)
        first = {place: encoded(Stored(fullchain=fullchain, sealed=b64(hub.master.seal(pem, place, random))))}
    return _known(hub, lead, there, version, {SHARED_BY_ALL: _facts(made)}, first, [made.place])


def publish_for_devices(
    hub: Hub, lead: Leadership, name: str, made: Mapping[str, Made], *, version: int
) -> Certificate:
    """Publish the certificates of devices that have their own keys.

    Args:
        made: by device id.
        version: the next version; or the newest one, for devices that follow late.

    Raises NotFound, NotLeading, FleetError.
    """
    wanted, there = current(hub, name)
    puts = {
        layout.key(name, version, box): encoded(Stored(fullchain=one.fullchain.decode())) for box, one in made.items()
    }
    for batch in in_batches(puts):
        hub.etcd.commit(batch, guards=[lead.guard()])
    facts: dict[str, Mapping[str, object]] = {box: _facts(one) for box, one in made.items()}
    if version == wanted.version:
        facts = {**wanted.made, **facts}
    return _known(hub, lead, there, version, facts, {}, [one.place for one in made.values()])


def _known(
    hub: Hub,
    lead: Leadership,
    there: KeyValue,
    version: int,
    facts: Mapping[str, Mapping[str, object]],
    puts: Mapping[str, bytes],
    orders: Sequence[str],
) -> Certificate:
    wanted = decoded(Certificate, there.value, there.key)
    published = replace(
        wanted,
        version=version,
        phase=STAGE if wanted.all_or_none else DEPLOY,
        made=facts,
        rotate=False,
        failures=0,
        next_attempt=None,
        last_error=None,
    )
    place = layout.CERTIFICATES + wanted.name
    guards = [lead.guard(), Guard(place, modified=there.modified)]
    # One transaction takes OPERATIONS deletions. The rest can follow: an order for a device's key does not match the next key.
    now, later = orders[:OPERATIONS], orders[OPERATIONS:]
    hub.etcd.commit({**puts, place: encoded(published)}, now, guards)
    hub.context.narrator.tell(VersionStored(version=version))
    for at in range(0, len(later), OPERATIONS):
        hub.etcd.commit({}, later[at : at + OPERATIONS], [lead.guard()])
    _forget_versions(hub, wanted.name, version - KEPT_VERSIONS)
    return published


def _forget_versions(hub: Hub, name: str, newest: int) -> None:
    """Delete the keys of all versions up to `newest`, which are no longer needed."""
    of_name = f"{layout.KEYS}{name}/"
    versions = {key.removeprefix(of_name).partition("/")[0] for key in hub.etcd.keys(of_name)}
    for version in sorted(int(each) for each in versions if each.isdigit() and int(each) <= newest):
        hub.etcd.commit({}, [layout.key(name, version)])
        hub.etcd.delete_prefix(layout.key(name, version) + "/")


def deliver(hub: Hub, lead: Leadership, names: Sequence[str] = ()) -> int:
    """Write the deliveries that devices lack, and delete those that they should not have. Returns the number of changed entries.

    Raises NotLeading, FleetError.
    """
    known = boxes(hub)
    wanted = {name: one for name, one in certificates(hub).items() if one.version and (not names or name in names)}
    right = {
        (box.id, one.name): (one.version, one.policy, one.phase)
        for one in wanted.values()
        for box in meant_for(one, known.values())
    }
    # For a few certificates, read only their own deliveries: each has several KiB.
    there = _delivered(hub, list(right) if names else None)
    changed = 0
    for one in wanted.values():
        lacking = [
            box for box in meant_for(one, known.values()) if there.get((box.id, one.name)) != right[box.id, one.name]
        ]
        # In batches, so that the first device does not wait until the last delivery is sealed.
        for at in range(0, len(lacking), OPERATIONS // 2):
            puts = _deliveries(hub, one, lacking[at : at + OPERATIONS // 2])
            for batch in in_batches(puts):
                hub.etcd.commit(batch, guards=[lead.guard()])
            changed += len(puts)
    gone = [layout.delivery(id, name) for id, name in there if (id, name) not in right]
    for at in range(0, len(gone), OPERATIONS):
        hub.etcd.commit({}, gone[at : at + OPERATIONS], [lead.guard()])
    return changed + len(gone)


def _delivered(hub: Hub, which: Sequence[tuple[str, str]] | None) -> dict[tuple[str, str], Had]:
    """Return the existing deliveries, by device id and certificate name. An unreadable one has version 0, so it is replaced.

    Args:
        which: only these; None: all.
    """
    if which is None:
        entries = hub.etcd.range(layout.DEVICES)[0]
    else:
        entries = list(hub.etcd.get_many([layout.delivery(id, name) for id, name in which]).values())
    found: dict[tuple[str, str], Had] = {}
    for entry in entries:
        id, _, rest = entry.key.removeprefix(layout.DEVICES).partition("/")
        kind, _, name = rest.partition("/")
        if kind != "certs":
            continue
        found[id, name] = (0, "", "")
        with suppress(CertdeckError):
            had = decoded(Delivery, decoded(Signed, entry.value, entry.key).text.encode(), entry.key)
            found[id, name] = (had.version, had.policy, had.phase)
    return found


def _deliveries(hub: Hub, one: Certificate, lacking: Sequence[Box]) -> dict[str, bytes]:
    """Return the signed deliveries for some devices, by etcd key. Devices that cannot get one yet are left out."""
    version = one.version - 1 if one.phase == BACK else one.version
    shared = layout.key(one.name, version)
    own = {box.id: layout.key(one.name, version, box.id) for box in lacking}
    stored = {
        place: decoded(Stored, entry.value, place)
        for place, entry in hub.etcd.get_many([shared, *own.values()]).items()
    }
    pem = b""
    if one.phase != BACK and one.policy == MASTER and shared in stored:
        pem = hub.master.open(unb64(stored[shared].sealed), shared)
        whom = listed([f"{box.name} ({box.id})" for box in lacking], 10)
        hub.context.about(one.name).narrator.tell(KeyUsed(key=shared, purpose=f"seal it to {whom}"))
    puts = {}
    for box in lacking:
        if one.phase == BACK:
            delivery = _back(hub, one, stored.get(own[box.id]) or stored.get(shared))
        else:
            # No hub can open a key of another policy: a device that joined later gets the next version.
            delivery = _delivery(hub, box, one, stored.get(shared if one.policy == MASTER else own[box.id]), pem)
        if delivery is not None:
            at = layout.delivery(box.id, one.name)
            puts[at] = signed(hub, at, delivery)
    return puts


def _delivery(hub: Hub, box: Box, one: Certificate, found: Stored | None, pem: bytes) -> Delivery | None:
    """Return the delivery for a device. None: it cannot get one yet. `pem`: the decrypted key that all devices share."""
    if found is None:
        return None
    sealed = ""
    if one.policy == MASTER:
        sealed = b64(seal_to(unb64(box.public), pem, layout.sealed_for(hub.fleet.id, box.id, one.name, one.version)))
    elif one.policy == HYBRID:
        sealed = b64(hub.master.open(unb64(found.sealed), layout.key(one.name, one.version, box.id)))
    facts = one.made.get(box.id) or one.made.get(SHARED_BY_ALL) or {}
    return replace(
        _without_key(hub, one, found),
        sealed=sealed,
        phase=one.phase,
        ca=str(facts.get("ca") or ""),
        directory=str(facts.get("directory") or ""),
    )


def _back(hub: Hub, one: Certificate, before: Stored | None) -> Delivery | None:
    """Return the delivery that rolls a device back to the previous version, whose key it has. None: there was no such version."""
    return None if before is None else replace(_without_key(hub, one, before), phase=BACK)


def _without_key(hub: Hub, one: Certificate, found: Stored) -> Delivery:
    """Return a delivery with the fields that are the same for every device."""
    targets = one.spec.get("targets") or ()
    return Delivery(
        name=one.name,
        version=one.version,
        created=hub.context.env.clock.now(),
        fullchain=found.fullchain,
        policy=one.policy,
        weakened=one.weakened,
        targets=tuple(map(str, targets)) if isinstance(targets, (list, tuple)) else (),
    )


def signed(hub: Hub, place: str, value: Struct) -> bytes:
    """Return a value as JSON with the hubs' signature, bound to one place."""
    text = encoded(value)
    return dumped(
        {"text": text.decode(), "signature": b64(hub.master.sign(text, layout.signed_for(hub.fleet.id, place)))}
    )


def _facts(made: Made) -> dict[str, object]:
    """Return the facts of a certificate as JSON values."""
    facts: CertificateFacts = certificate_facts(made.fullchain)
    plain = {key: _plain(value) for key, value in asdict(facts).items()}
    return {
        **plain,
        "ca": made.plan.issuer.name,
        "directory": made.plan.issuer.directory or "",
        "profile": made.plan.profile or "",
    }


def _plain(value: object) -> object:
    from datetime import datetime

    if isinstance(value, datetime):
        return rfc3339(value)
    return list(value) if isinstance(value, tuple) else value
