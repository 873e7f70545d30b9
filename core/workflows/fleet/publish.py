"""A certificate that was had becomes a version of the fleet, and a delivery for each device.

One transaction makes the version known and forgets its order. The deliveries follow from it: `deliver` compares what each device
has with what it should have, so a hub that dies in between is followed by one that goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    APPROVED,
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
from core.workflows.fleet.order import Made

SHARED_BY_ALL = "*"
KEPT_VERSIONS = 2
Had = tuple[int, str, str]
"""Version, key policy and phase of a delivery."""
__all__ = ["APPROVED", "boxes", "certificates", "deliver", "publish", "publish_for_devices"]


class Stored(Struct, frozen=True, kw_only=True):
    """`certdeck/shared/keys/NAME/VERSION[/ID]`: certificate and sealed key."""

    fullchain: str
    sealed: str = ""
    """Base64. Policy master: under the master key. Hybrid: sealed to the device, and that under the master key."""


def boxes(hub: Hub) -> dict[str, Box]:
    """Return the boxes that were let in, by id."""
    found, _ = hub.etcd.range(layout.BOXES)
    each = [decoded(Box, entry.value, entry.key) for entry in found]
    return {box.id: box for box in each}


def certificates(hub: Hub) -> dict[str, Certificate]:
    """Return the certificates of the fleet, by name."""
    found, _ = hub.etcd.range(layout.CERTIFICATES)
    each = [decoded(Certificate, entry.value, entry.key) for entry in found]
    return {one.name: one for one in each}


def meant_for(wanted: Certificate, known: Iterable[Box]) -> list[Box]:
    """Return the devices that a certificate is for."""
    return [box for box in known if box.is_device and (not wanted.boxes or box.id in wanted.boxes)]


def publish(hub: Hub, lead: Leadership, name: str, made: Made) -> Certificate:
    """Make a certificate that all its devices share the newest version, and forget its order."""
    assert made.key is not None
    there = current(hub, name)
    wanted = decoded(Certificate, there.value, there.key)
    version = wanted.version + 1
    pem = made.key.to_pem()
    random = hub.context.env.random
    fullchain = made.fullchain.decode()
    if wanted.policy == HYBRID:
        puts: dict[str, bytes] = {}
        for box in meant_for(wanted, boxes(hub).values()):
            place = layout.key(name, version, box.id)
            inner = seal_to(unb64(box.public), pem, sealed_place(hub, box.id, name, version))
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
    """Make the certificates of devices that have their own keys known. `made`: by device.

    Args:
        version: the next one; or the newest, for devices that had none of it yet.
    """
    there = current(hub, name)
    wanted = decoded(Certificate, there.value, there.key)
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
    old = [
        entry.key
        for entry in hub.etcd.range(f"{layout.KEYS}{wanted.name}/")[0]
        if _version_of(entry.key, wanted.name) <= version - KEPT_VERSIONS
    ]
    guards = [lead.guard(), Guard(place, modified=there.modified)]
    hub.etcd.commit({**puts, place: encoded(published)}, [*orders, *old[:40]], guards)
    hub.context.narrator.tell(VersionStored(version=version))
    return published


def current(hub: Hub, name: str) -> KeyValue:
    """Return the entry of a certificate. Raises NotFound (`not-found`)."""
    from core.errors import NotFound

    found = hub.etcd.get(layout.CERTIFICATES + name)
    if found is None:
        raise NotFound(
            f"The fleet has no certificate {name!r}.",
            "It was never issued, or it was removed.",
            "List the names with: certdeck fleet status",
            lineage=name,
        )
    return found


def deliver(hub: Hub, lead: Leadership, names: Sequence[str] = ()) -> int:
    """Give each device what it should have and has not; take away what it should not have. Returns how many entries changed."""
    known = boxes(hub)
    wanted = {name: one for name, one in certificates(hub).items() if one.version}
    if names:
        wanted = {name: one for name, one in wanted.items() if name in names}
    there = _delivered(hub)
    changed = 0
    for one in wanted.values():
        lacking = [
            box
            for box in meant_for(one, known.values())
            if there.get((box.id, one.name)) != (one.version, one.policy, one.phase)
        ]
        # Some at a time, so that the first device does not wait for the last one's to be sealed.
        for at in range(0, len(lacking), OPERATIONS // 2):
            puts = _deliveries(hub, one, lacking[at : at + OPERATIONS // 2])
            for batch in in_batches(puts):
                hub.etcd.commit(batch, guards=[lead.guard()])
            changed += len(puts)
    gone = [] if names else _too_many(known, wanted, there)
    if gone:
        hub.etcd.commit({}, gone[:90], [lead.guard()])
    return changed + len(gone)


def _too_many(
    known: Mapping[str, Box], wanted: Mapping[str, Certificate], there: Mapping[tuple[str, str], Had]
) -> list[str]:
    right = {(box.id, one.name) for one in wanted.values() for box in meant_for(one, known.values())}
    return [layout.delivery(id, name) for id, name in there if (id, name) not in right]


def _delivered(hub: Hub) -> dict[tuple[str, str], Had]:
    """Return what stands there for each device, by id and name. What cannot be read is as good as nothing."""
    found: dict[tuple[str, str], Had] = {}
    for entry in hub.etcd.range(layout.DEVICES)[0]:
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
    """Return the entries of some devices, signed, by their place; without those that cannot be given one yet."""
    stored = {
        entry.key: decoded(Stored, entry.value, entry.key)
        for entry in hub.etcd.range(layout.key(one.name, one.version))[0]
    }
    place = layout.key(one.name, one.version)
    pem = b""
    if one.phase != BACK and one.policy == MASTER and place in stored:
        pem = hub.master.open(unb64(stored[place].sealed), place)
        whom = listed([f"{box.name} ({box.id})" for box in lacking], 10)
        hub.context.about(one.name).narrator.tell(KeyUsed(key=place, purpose=f"seal it to {whom}"))
    puts = {}
    for box in lacking:
        delivery = _back(hub, box, one) if one.phase == BACK else _delivery(hub, box, one, stored, pem)
        if delivery is not None:
            at = layout.delivery(box.id, one.name)
            puts[at] = signed(hub, at, delivery)
    return puts


def _delivery(hub: Hub, box: Box, one: Certificate, stored: Mapping[str, Stored], pem: bytes) -> Delivery | None:
    """Return what a device is to get; None where it cannot be given yet. `pem`: the key that all share, opened."""
    name, version = one.name, one.version
    own = layout.key(name, version, box.id)
    # Another policy's key no hub can open: a device that came later gets the next version.
    found = stored.get(layout.key(name, version) if one.policy == MASTER else own)
    if found is None:
        return None
    sealed = ""
    if one.policy == MASTER:
        sealed = b64(seal_to(unb64(box.public), pem, sealed_place(hub, box.id, name, version)))
    elif one.policy == HYBRID:
        sealed = b64(hub.master.open(unb64(found.sealed), own))
    facts = one.made.get(box.id) or one.made.get(SHARED_BY_ALL) or {}
    return Delivery(
        name=name,
        version=version,
        created=hub.context.env.clock.now(),
        fullchain=found.fullchain,
        sealed=sealed,
        phase=one.phase,
        policy=one.policy,
        weakened=one.weakened,
        targets=_targets(one),
        ca=str(facts.get("ca") or ""),
        directory=str(facts.get("directory") or ""),
    )


def _back(hub: Hub, box: Box, one: Certificate) -> Delivery | None:
    """Return the word to serve the version before again: a device that had it has its key. None: there was none."""
    before = one.version - 1
    found = hub.etcd.get(layout.key(one.name, before, box.id)) or hub.etcd.get(layout.key(one.name, before))
    if found is None:
        return None
    return Delivery(
        name=one.name,
        version=one.version,
        created=hub.context.env.clock.now(),
        fullchain=decoded(Stored, found.value, found.key).fullchain,
        policy=one.policy,
        weakened=one.weakened,
        targets=_targets(one),
        phase=BACK,
    )


def _targets(one: Certificate) -> tuple[str, ...]:
    found = one.spec.get("targets") or ()
    return tuple(map(str, found)) if isinstance(found, (list, tuple)) else ()


def sealed_place(hub: Hub, box: str, name: str, version: int) -> str:
    """Return what a key that is sealed to a device is bound to."""
    return place_of_key(hub.fleet.id, box, name, version)


def place_of_key(fleet: str, box: str, name: str, version: int) -> str:
    return f"{fleet}/{box}/{name}/{version}"


def signed(hub: Hub, place: str, value: Struct) -> bytes:
    """Return a value with the hubs' signature, for one place."""
    text = encoded(value)
    return dumped({"text": text.decode(), "signature": b64(hub.master.sign(text, signed_place(hub.fleet.id, place)))})


def signed_place(fleet: str, place: str) -> str:
    return f"{fleet}/{place}"


def _facts(made: Made) -> dict[str, object]:
    """Return what is known of a certificate, as plain values."""
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


def _version_of(key: str, name: str) -> int:
    found = key.removeprefix(f"{layout.KEYS}{name}/").partition("/")[0]
    return int(found) if found.isdigit() else 1 << 62
