"""Orders that have not ended: a disconnect, a reboot or a kill costs nothing, and a manual DNS-01 order lives for days.

`state/orders/NAME/order.json` says where the order is at the CA and what was asked for; `privkey.sealed` beside it is the key its
CSR was made with, sealed by the vault. The key is kept before the CSR is: an order that is finalized always has its key.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from core.errors import MasterKeyWrong, NotFound, StoreCorrupt
from core.paths import Paths
from core.regular import NotRegular, read_stored
from core.store.atomic import make_dir, remove_tree, store_error, write_file, write_folder
from core.store.records import load_record, to_json, write_record

if TYPE_CHECKING:
    from core.store.vault import Vault

_ORDER = "order.json"
_KEY = "privkey.sealed"


class Wanted(Protocol):
    """What an order is placed for: a plan."""

    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def profile(self) -> str | None: ...
    @property
    def challenge(self) -> str: ...
    @property
    def key_type(self) -> str: ...


class OrderRecord(Struct, frozen=True, kw_only=True):
    """One open order."""

    name: str
    """The lineage it is for."""
    issuer: str
    directory: str
    account_url: str
    identifiers: tuple[str, ...]
    """As ordered: A-labels, `*.` names, IP addresses."""
    created: datetime
    order_url: str | None = None
    """None: not made yet."""
    profile: str | None = None
    challenge: str = "http-01"
    stage: str = "new"
    """`new`, `pending`, or `stopped` by a person."""
    expires: datetime | None = None
    records: tuple[tuple[str, str, str], ...] = ()
    """(name, type, value) that a person has to set; a restarted order keeps them."""
    spec: Mapping[str, object] = field(default_factory=dict)
    """The lineage's settings as they will be written (`lineages.spec_of`)."""
    request: Mapping[str, object] = field(default_factory=dict)
    """What else was asked for, plain values."""

    def was_asked(self, directory: str | None, account_url: str, *, like: Wanted) -> bool:
        """Return whether this is an order of that account for what is wanted."""
        had = (self.directory, self.account_url, self.identifiers, self.profile, self.challenge)
        wanted = (directory, account_url, like.names, like.profile, like.challenge)
        return had == wanted and self.request.get("key_type") == like.key_type


STOPPED = "stopped"
"""The stage of an order that a person has cancelled: nothing continues it automatically."""


def save_order(paths: Paths, record: OrderRecord) -> None:
    """Keep an order, replacing what was kept of it. Durable. Raises StoreError."""
    folder = paths.orders / record.name
    make_dir(folder)
    write_record(folder / _ORDER, to_json(record))


def begin_order(paths: Paths, vault: Vault, record: OrderRecord, privkey: bytes) -> None:
    """Keep a new order and its key (PEM) in one step; none may be kept for the lineage. Durable. Raises VaultError, StoreError."""
    from core.store.vault import order_key

    make_dir(paths.orders)
    files = {_ORDER: to_json(record), _KEY: vault.seal(order_key(record.name), privkey)}
    write_folder(paths.orders / record.name, files)


def save_order_key(paths: Paths, vault: Vault, name: str, privkey: bytes) -> None:
    """Keep the key (PEM) of an order, sealed. Durable. Raises VaultError, StoreError."""
    from core.store.vault import order_key

    folder = paths.orders / name
    make_dir(folder)
    write_file(folder / _KEY, vault.seal(order_key(name), privkey))


def load_order(paths: Paths, name: str) -> OrderRecord | None:
    """Return the open order of a lineage, or None. Raises StoreCorrupt (`store-corrupt`), StoreError."""
    path = paths.orders / name / _ORDER
    try:
        record = load_record(OrderRecord, path)
        if record is not None and (record.name, record.spec.get("name", name)) != (name, name):
            raise ValueError("it does not match this certificate")
        return record
    except (ValueError, TypeError) as exc:
        raise StoreCorrupt(
            f"The open order in {path} cannot be read.",
            "It was changed or damaged.",
            f"Remove the folder {path.parent} and issue the certificate again.",
            lineage=name,
        ) from exc


def load_order_key(paths: Paths, vault: Vault, name: str) -> bytes | None:
    """Return the key (PEM) of an open order, or None when none was made yet.

    Raises StoreCorrupt (`store-corrupt`) where its file was altered; VaultError, StoreError.
    """
    from core.store.vault import order_key

    path = paths.orders / name / _KEY
    try:
        sealed = read_stored(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except NotRegular as exc:
        raise _damaged_key(path, name) from exc
    except OSError as exc:
        raise store_error(exc, path, "read") from exc
    try:
        return vault.unseal(order_key(name), sealed)
    except MasterKeyWrong as exc:  # the key of the account has opened: it is this file alone
        raise _damaged_key(path, name) from exc


def _damaged_key(path: Path, name: str) -> StoreCorrupt:
    return StoreCorrupt(
        f"The private key of the open order for {name} cannot be read.",
        f"Its file {path} was changed or damaged, so the order cannot be completed.",
        f"Remove the folder {path.parent} and issue the certificate again.",
        lineage=name,
    )


def require_order(paths: Paths, name: str) -> OrderRecord:
    """Return the open order of a lineage. Raises NotFound (`not-found`) when it has none."""
    record = load_order(paths, name)
    if record is None:
        from core.store.lineages import waiting_version

        waiting = waiting_version(paths, name)
        if waiting is not None:
            raise NotFound(
                f"There is no open order for {name}.",
                f"It has ended with a certificate: version {waiting} is kept, and not deployed yet.",
                f"Deploy it: certdeck deploy {name}.",
                lineage=name,
            )
        raise NotFound(
            f"There is no open order for {name}.",
            "It has ended, was cancelled, or was never started.",
            "Start one with: certdeck issue",
            lineage=name,
        )
    return record


def delete_order(paths: Paths, name: str, *, durable: bool = True) -> None:
    """Forget an order and its key; it need not be there. Raises StoreError.

    Args:
        durable: False once its certificate is stored: an order that comes back after a power cut is then recognised.
    """
    remove_tree(paths.orders / name, durable=durable)


def list_orders(paths: Paths) -> tuple[str, ...]:
    """Return the lineages with an open order, sorted."""
    try:
        found = [path.name for path in paths.orders.iterdir() if (path / _ORDER).exists()]
    except FileNotFoundError:
        return ()
    except OSError as exc:
        raise store_error(exc, paths.orders, "read") from exc
    return tuple(sorted(name for name in found if not name.startswith(".")))
