"""The key of a fleet's certificate on a device: sealed to the box by a hub, or created here for a signing request."""

from __future__ import annotations

from core.errors import CertdeckError
from core.events import Changed, KeyUsed
from core.fleet import layout
from core.fleet.etcd import Etcd
from core.fleet.sealing import open_with
from core.fleet.values import DEVICE, Delivery, Request, Wanted, b64, decoded, encoded, unb64
from core.identifiers import check_lineage_name
from core.key_types import KEY_TYPES
from core.store.fleet import BOX_KEY, Identity
from core.upload.rejected import InputRejected
from core.workflows.context import Context
from core.workflows.fleet.members import own_key
from core.x509 import csr
from core.x509.key import PrivateKey, generate_key
from core.x509.key_reader import load_key


def key_of(context: Context, identity: Identity, delivery: Delivery) -> PrivateKey:
    """Return the key of a delivery. Raises InputRejected if the key is missing or invalid; FleetForged, VaultError."""
    name, version = delivery.name, delivery.version
    if delivery.policy == DEVICE:
        pem = context.vault.find(_request_key(name, version))
        if pem is None:
            raise unfit(name, "Its key should be on this box, but is missing.")
        context.narrator.tell(KeyUsed(key=_request_key(name, version), purpose="use it for the new version"))
        return load_key(pem)
    context.narrator.tell(KeyUsed(key=BOX_KEY, purpose=f"open the key of {name}, version {version}"))
    try:
        sealed = unb64(delivery.sealed)
    except ValueError as exc:
        raise unfit(name, "Its key cannot be read.") from exc
    place = layout.sealed_for(identity.fleet, identity.box, name, version)
    try:
        return load_key(open_with(own_key(context), sealed, place))
    except ValueError as exc:
        raise unfit(name, "The encrypted content is not a private key.") from exc


def make_request(context: Context, etcd: Etcd, box: str, wanted: Wanted) -> bool:
    """Create the key and the signing request that a hub asks for. Only the request leaves this box.

    Returns whether the request is new.
    Raises InputRejected, FleetError, VaultError.
    """
    name, version = wanted.name, wanted.version
    check_lineage_name(name)
    if wanted.key_type not in KEY_TYPES:
        raise unfit(name, f"The key type {wanted.key_type!r} is not supported here.")
    place = layout.request(box, name)
    found = etcd.get(place)
    record = _request_key(name, version)
    pem = context.vault.find(record)
    if found is not None and pem is not None:
        try:
            if decoded(Request, found.value, place).version == version:
                return False
        except CertdeckError:
            pass
    key = generate_key(wanted.key_type) if pem is None else load_key(pem)
    if pem is None:
        context.vault.put(record, key.to_pem())
    context.narrator.tell(KeyUsed(key=record, purpose="sign the request"))
    der = csr.build_csr(key, wanted.names, common_name=wanted.common_name)
    etcd.put(place, encoded(Request(name=name, version=version, csr=b64(der))))
    context.narrator.tell(Changed(what=f"created a key and a signing request for {name}, version {version}"))
    return True


def forget_request(context: Context, delivery: Delivery) -> None:
    """Delete the key of a signing request: it is now stored with the certificate. Raises VaultError, StoreError."""
    context.vault.delete(_request_key(delivery.name, delivery.version))


def _request_key(name: str, version: int) -> str:
    return f"fleet/request/{name}/{version}"


def unfit(name: str, why: str) -> InputRejected:
    """Return the error for a published certificate that this box rejects."""
    return InputRejected(
        f"The fleet's certificate {name} was rejected. The live certificate is unchanged.",
        why,
        f"Check the published version with `certdeck fleet status`. To publish a new one, run `certdeck renew "
        f"{name} --force` on a hub.",
        lineage=name,
    )
