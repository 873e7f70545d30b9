"""`appliance-ca`: a private certificate authority on the box itself.

It serves closed networks and makes the whole program usable with no network at all. The root key never leaves the
vault; root certificate and key are one vault record, so that neither exists without the other after a crash. The root
certificate is exportable for the clients' trust stores. Leaves are signed here, in process: no challenge, no account.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from msgspec import Struct

from core.errors import StoreCorrupt
from core.events import KeyUsed
from core.store.records import dumped, parsed
from core.store.vault import Vault
from core.version import BUILT
from core.workflows.context import Context
from core.x509 import authority, certificate, key, key_reader
from core.x509.selfsigned import branded

NAME = "appliance-ca"
RECORD = f"ca/{NAME}"
ROOT_LIFETIME = timedelta(days=20 * 365)
LEAF_LIFETIME = timedelta(days=90)
"""Short enough that renewal is seen to work, long enough that a box switched off over a summer survives."""
BACKDATED = timedelta(hours=1)
"""Clients' clocks differ; public CAs back-date by an hour too."""


_MAKING = threading.Lock()
"""Lineages renew side by side; the root that each of them makes must be the same."""


class Root(Struct, frozen=True):
    """The root of the box. Its repr shows no key."""

    certificate: certificate.Certificate
    key: key.PrivateKey

    def __repr__(self) -> str:
        return f"Root({self.certificate.sha256})"


def root(context: Context, vault: Vault) -> Root:
    """Open the root, making it on first use. Writes the vault then, so the caller holds the lock.

    Raises:
        VaultError: the record cannot be opened.
        StoreCorrupt (`store-corrupt`): the record does not hold a root.
    """
    with _MAKING:
        sealed = vault.find(RECORD)
        if sealed is None:
            made = _new_root(context)
            vault.put(
                RECORD,
                dumped({"certificate": _pem_text(made.certificate), "key": made.key.to_pem().decode()}),
            )
            return made
    return _opened(sealed)


def _opened(sealed: bytes) -> Root:
    try:
        record = cast("dict[str, str]", parsed(sealed, f"The sealed record {RECORD}"))
        return Root(
            certificate.parse_pem(record["certificate"].encode())[0], key_reader.load_key(record["key"].encode())
        )
    except (ValueError, KeyError, TypeError, IndexError) as exc:
        raise StoreCorrupt(
            "The root of the private CA cannot be read.",
            "Its record in the vault does not contain a certificate and a key.",
            "Restore the state folder from a backup; certificates issued so far stay valid.",
        ) from exc


def root_pem(context: Context, vault: Vault) -> bytes:
    """Return the root certificate for the clients' trust stores (SO-39)."""
    return certificate.to_pem(root(context, vault).certificate)


def known_root_pem(vault: Vault) -> bytes | None:
    """Return the root certificate where there is one already; makes none. Raises VaultError, StoreCorrupt as `root` does."""
    sealed = vault.find(RECORD)
    return None if sealed is None else certificate.to_pem(_opened(sealed).certificate)


def sign(context: Context, vault: Vault, leaf_key: key.PublicPart, names: Sequence[str]) -> tuple[bytes, bytes]:
    """Issue a leaf for `names` (A-labels and IP addresses) and return it and its chain as PEM.

    The chain holds the root: a client that trusts it needs nothing else, and `openssl s_client` shows where the leaf is from.
    """
    own = root(context, vault)
    now = context.env.clock.now()
    not_after = min(_not_before_build(now) + LEAF_LIFETIME, own.certificate.not_after)
    context.narrator.tell(KeyUsed(key=RECORD, purpose=f"sign a certificate for {names[0]}"))
    leaf = authority.sign_leaf(
        own.certificate, own.key, leaf_key, names, not_before=now - BACKDATED, not_after=not_after
    )
    return certificate.to_pem(leaf), certificate.to_pem(own.certificate)


def _new_root(context: Context) -> Root:
    now = context.env.clock.now()
    root_key = key.generate_key("ec-256")
    mark = context.env.random.token_bytes(2).hex()
    # Valid from the build date on: a root that was made under a clock far ahead must not be a future one when that is set right.
    # The mark tells the roots of two boxes of one vendor apart in a trust store.
    name = branded(context.config.appliance.name, f"Private CA {mark}")
    made = authority.new_root(
        root_key, name, not_before=min(now, BUILT) - timedelta(days=1), not_after=_not_before_build(now) + ROOT_LIFETIME
    )
    return Root(made, root_key)


def _not_before_build(now: datetime) -> datetime:
    """A clock that stands before the build date is wrong; a life counted from it would end too early."""
    return max(now, BUILT)


def _pem_text(made: certificate.Certificate) -> str:
    return certificate.to_pem(made).decode()
