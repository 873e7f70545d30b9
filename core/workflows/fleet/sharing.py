"""Shares account keys and the root of the private CA between the hubs, sealed under the master key.

A hub takes the account key from etcd before it uses the account, and writes a new key to etcd before the CA sees it: the key
identifies the account, whichever hub uses it.
"""

from __future__ import annotations

from msgspec.structs import replace

from core.acme.account_key import AccountKey
from core.fleet import layout
from core.fleet.election import Leadership
from core.fleet.values import SharedAccount, decoded, encoded
from core.issuers import Issuer
from core.store.accounts import AccountRecord, account_id, load_account, read_account, save_account
from core.store.records import from_json, to_json
from core.workflows import appliance_ca
from core.workflows.context import Context
from core.workflows.fleet.connection import Hub, as_hub, leading
from core.workflows.issuing.plan import issuer_named


def share_account(hub: Hub, lead: Leadership, issuer: Issuer) -> None:
    """Synchronize the account at an issuer between this hub and etcd, before the CA is contacted. etcd's copy wins.

    Raises NotLeading, FleetError, VaultError.
    """
    assert issuer.directory is not None, "only ACME issuers have accounts"
    context, paths, vault = hub.context, hub.context.paths, hub.context.vault
    place = layout.ACCOUNTS + account_id(issuer.name, issuer.directory)
    found = hub.etcd.get(place)
    if found is not None:
        shared = decoded(SharedAccount, hub.master.open(found.value, place), place)
        record = from_json(AccountRecord, shared.record.encode(), place)
        had = read_account(paths, record.id)
        own = vault.find(record.key_record)
        if own != shared.key.encode():
            if own is not None and had is not None and had.url == record.url:
                # A hub changed the account key: `Sessions` asks the CA which of the two keys is valid.
                vault.put(record.new_key_record, own)
            vault.put(record.key_record, shared.key.encode())
            save_account(paths, record)
        elif had is None or (had.url is None and record.url is not None):
            save_account(paths, record)
        return
    known = load_account(paths, issuer.name, issuer.directory)
    pem = None if known is None else vault.find(known.key_record)
    if known is None or pem is None or not known.has_account:
        key = AccountKey.generate()
        pem = key.to_pem()
        known = known or AccountRecord.new(issuer.name, issuer.directory, contact=None, created=context.env.clock.now())
        known = replace(known, url=None).with_key(key.kind, key.thumbprint)
        vault.put(known.key_record, pem)
        save_account(paths, known)
    _give(hub, lead, place, known, pem)


def give_account(hub: Hub, lead: Leadership, issuer: Issuer) -> None:
    """Write the account to etcd if it has changed, for example after the CA registered it."""
    assert issuer.directory is not None
    known = load_account(hub.context.paths, issuer.name, issuer.directory)
    pem = None if known is None else hub.context.vault.find(known.key_record)
    if known is None or pem is None:
        return
    place = layout.ACCOUNTS + known.id
    found = hub.etcd.get(place)
    if found is not None:
        shared = decoded(SharedAccount, hub.master.open(found.value, place), place)
        if (shared.record, shared.key) == (to_json(known).decode(), pem.decode()):
            return
    _give(hub, lead, place, known, pem)


def _give(hub: Hub, lead: Leadership, place: str, record: AccountRecord, pem: bytes) -> None:
    shared = SharedAccount(record=to_json(record).decode(), key=pem.decode())
    hub.etcd.commit({place: hub.master.seal(encoded(shared), place, hub.context.env.random)}, guards=[lead.guard()])


def share_root(hub: Hub, lead: Leadership) -> None:
    """Synchronize the root of the private CA between this hub and etcd. etcd's copy wins."""
    vault = hub.context.vault
    place = layout.SECRETS + appliance_ca.NAME
    found = hub.etcd.get(place)
    if found is not None:
        root = hub.master.open(found.value, place)
        if vault.find(appliance_ca.RECORD) != root:
            vault.put(appliance_ca.RECORD, root)
        return
    appliance_ca.root(hub.context, vault)
    made = vault.get(appliance_ca.RECORD)
    hub.etcd.commit({place: hub.master.seal(made, place, hub.context.env.random)}, guards=[lead.guard()])


def share_change(context: Context, issuer: str) -> None:
    """Write an account that was changed on this hub to etcd. Raises NotLeading, FleetError: the change is then only local."""
    chosen = issuer_named(context.config, issuer)
    with as_hub(context) as hub, leading(hub, wait_seconds=10.0) as lead:
        give_account(hub, lead, chosen)
