"""Signing requests for other CAs that are still open, with their keys: those never leave the box (CL-15).

`state/requests/NAME/request.json` says what was asked for and which key is its own; the key lies beside it, sealed by the vault,
as `KEY.sealed`. It is kept before the request is, so a request always has its key; a key without a request is a leftover.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from core.errors import NotFound, StoreCorrupt
from core.paths import Paths
from core.regular import read_stored
from core.store.atomic import make_dir, remove_file, remove_tree, store_error, write_file
from core.store.records import load_record, to_json, write_record

if TYPE_CHECKING:
    from core.store.vault import Vault

_REQUEST = "request.json"
_SEALED = ".sealed"


class RequestRecord(Struct, frozen=True, kw_only=True):
    """One open request. Public, all of it."""

    name: str
    names: tuple[str, ...]
    """A-labels, `*.` names, IP addresses; the first one is the main one."""
    key_type: str
    subject: str
    """What was asked for beside the names: `O=Acme Ltd,C=DE`, in one form."""
    created: datetime
    csr: str
    """PEM."""
    key: str
    """`key_id` of its public key; the name of the sealed file."""
    answer: str = ""
    """`NAME/VERSION` of the version that holds its certificate, which may still wait for its services; empty: none has come."""


def key_id(spki: bytes) -> str:
    """Return what a key is called by here: the SHA-256 of its public half (DER SubjectPublicKeyInfo)."""
    return hashlib.sha256(spki).hexdigest()


def save_request(paths: Paths, vault: Vault, record: RequestRecord, privkey: bytes) -> None:
    """Keep a request and its key (PEM), replacing the request of that name in one step. Durable. Raises VaultError, StoreError."""
    from core.store.vault import request_key

    folder = paths.requests / record.name
    make_dir(folder)
    write_file(_key_file(paths, record), vault.seal(request_key(record.name, record.key), privkey))
    write_record(folder / _REQUEST, to_json(record))
    for path in sorted(folder.glob(f"[!.]*{_SEALED}")):
        if path != _key_file(paths, record):
            remove_file(path)


def save_answer(paths: Paths, record: RequestRecord, name: str, version: int) -> None:
    """Keep which version a request has led to. Durable. Raises StoreError."""
    write_record(paths.requests / record.name / _REQUEST, to_json(replace(record, answer=f"{name}/{version}")))


def find_request(paths: Paths, name: str) -> RequestRecord | None:
    """Return the open request of that name, or None. Raises StoreCorrupt (`store-corrupt`), StoreError."""
    path = paths.requests / name / _REQUEST
    try:
        return load_record(RequestRecord, path)
    except (ValueError, TypeError) as exc:
        raise StoreCorrupt(
            f"The signing request in {path} cannot be read.",
            "It was changed or damaged.",
            f"Restore the folder {path.parent} from a backup, or remove the request: certdeck csr {name} --remove.",
            lineage=name,
        ) from exc


def no_request(name: str) -> NotFound:
    """Return the error for a request that is not there."""
    return NotFound(
        f"There is no signing request called {name}.",
        "It was never created, or its certificate was already imported.",
        f"List the open requests with `certdeck csr`, or create one with `certdeck csr {name} -d DOMAIN`.",
    )


def open_key(paths: Paths, vault: Vault, record: RequestRecord) -> bytes:
    """Return the key (PEM) of a request. Raises StoreCorrupt where its file is gone, VaultError, StoreError."""
    from core.store.vault import request_key

    path = _key_file(paths, record)
    try:
        sealed = read_stored(path)
    except FileNotFoundError as exc:
        raise StoreCorrupt(
            f"The private key of the signing request {record.name} is missing.",
            f"Its file {path} was removed.",
            f"Restore it from a backup, or create a new request: certdeck csr {record.name} --replace.",
        ) from exc
    except OSError as exc:
        raise store_error(exc, path, "read") from exc
    return vault.unseal(request_key(record.name, record.key), sealed)


def has_key(paths: Paths, record: RequestRecord) -> bool:
    """Tell whether the key of a request is there: `vault new` has set it aside."""
    return _key_file(paths, record).exists()


def delete_request(paths: Paths, name: str) -> bool:
    """Forget a request and its key in one step; returns whether there was anything. Raises StoreError."""
    folder = paths.requests / name
    was_there = folder.exists()
    remove_tree(folder)
    return was_there


def list_requests(paths: Paths) -> tuple[RequestRecord, ...]:
    """Return the open requests by name; one that cannot be read is left out. Raises StoreError."""
    try:
        names = sorted(path.name for path in paths.requests.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        return ()
    except OSError as exc:
        raise store_error(exc, paths.requests, "read") from exc
    found = []
    for name in names:
        with suppress(StoreCorrupt):
            record = find_request(paths, name)
            if record is not None:
                found.append(record)
    return tuple(found)


def _key_file(paths: Paths, record: RequestRecord) -> Path:
    return paths.requests / record.name / f"{record.key}{_SEALED}"
