"""Replaces the hubs' master key after a hub was removed, and encrypts everything again under the new key."""

from __future__ import annotations

from msgspec.structs import replace

from core.fleet import layout
from core.fleet.election import Leadership
from core.fleet.etcd import in_batches
from core.fleet.sealing import Master, seal_to
from core.fleet.values import Welcome, b64, decoded, encoded, unb64
from core.store.fleet import MASTER_KEY, OLD_MASTER_KEY
from core.workflows.fleet.connection import Hub
from core.workflows.fleet.known import boxes
from core.workflows.fleet.publish import Stored

_PLACES = (layout.ORDERS, layout.ACCOUNTS, layout.SECRETS)


def new_master(hub: Hub, lead: Leadership) -> Hub:
    """Give the remaining hubs a new master key, and seal everything under it. The signing key stays, because devices know it.

    Raises NotLeading, FleetError, VaultError.
    """
    random = hub.context.env.random
    _complete(hub, lead)
    old, new = hub.master, Master.new(random, signing=hub.master.signing)
    puts = _sealed_again(hub, new)
    welcomes: dict[str, bytes] = {}
    for box in boxes(hub).values():
        if box.is_hub and box.id != hub.identity.box:
            place = layout.MASTERS + box.id
            welcome = Welcome(fleet=hub.fleet.id, verifying=hub.fleet.verifying, role=box.role, master=b64(new.raw))
            welcomes[place] = seal_to(unb64(box.public), encoded(welcome), place)
    # Write the vault first: a hub must always have the key for what is in etcd.
    hub.context.vault.put(OLD_MASTER_KEY, old.raw)
    hub.context.vault.put(MASTER_KEY, new.raw)
    for batch in in_batches({**welcomes, **puts}):
        hub.etcd.commit(batch, guards=[lead.guard()])
    return replace(hub, master=new)


def _complete(hub: Hub, lead: Leadership) -> None:
    """Complete an interrupted key change: a hub keeps only two keys, and what is under the older one would be lost."""
    for batch in in_batches(_sealed_again(hub, hub.master, only_old=True)):
        hub.etcd.commit(batch, guards=[lead.guard()])


def _sealed_again(hub: Hub, new: Master, *, only_old: bool = False) -> dict[str, bytes]:
    """Return all entries under the master key, sealed again under `new`. `only_old`: only those under the previous key."""
    random, puts = hub.context.env.random, dict[str, bytes]()
    for prefix in _PLACES:
        for entry in hub.etcd.range(prefix)[0]:
            if entry.value and not (only_old and hub.master.has_sealed(entry.value, entry.key)):
                puts[entry.key] = new.seal(hub.master.open(entry.value, entry.key), entry.key, random)
    for entry in hub.etcd.range(layout.KEYS)[0]:
        stored = decoded(Stored, entry.value, entry.key)
        sealed = unb64(stored.sealed)
        if sealed and not (only_old and hub.master.has_sealed(sealed, entry.key)):
            again = new.seal(hub.master.open(sealed, entry.key), entry.key, random)
            puts[entry.key] = encoded(replace(stored, sealed=b64(again)))
    return puts
