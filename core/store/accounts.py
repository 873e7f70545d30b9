"""Accounts at CAs, one for each issuer and directory: `state/accounts/ISSUER-<8 hex of the directory URL's SHA-256>.json`.

The account's key is in the vault, under `key_record`. Keep key and record before asking the CA for an account: the key is
the account's identity, and a crash in between then costs nothing, because the same key finds the same account again.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from core.errors import StoreCorrupt
from core.paths import Paths
from core.regular import read_stored
from core.store.atomic import make_dir, store_error
from core.store.records import from_json, to_json, write_record

SUFFIX = ".json"


class AccountRecord(Struct, frozen=True, kw_only=True):
    """One account, without its key."""

    issuer: str
    directory: str
    created: datetime | None
    url: str | None = None
    """The account URL (`kid`); None until the CA has answered."""
    contact: str | None = None
    terms: str | None = None
    """URL of the terms of service that were agreed to."""
    key_type: str | None = None
    thumbprint: str | None = None
    """RFC 7638; kept so that showing an account opens no key. None in a record of an older release."""

    @classmethod
    def new(cls, issuer: str, directory: str, *, contact: str | None, created: datetime) -> AccountRecord:
        """Return the record of an account that the CA does not know yet."""
        return cls(issuer=issuer, directory=directory, contact=contact, created=created)

    def with_key(self, key_type: str, thumbprint: str) -> AccountRecord:
        """Return the record with what may be shown of its key."""
        return replace(self, key_type=key_type, thumbprint=thumbprint)

    def registered(self, url: str, terms: str | None) -> AccountRecord:
        """Return the record with what the CA said."""
        return replace(self, url=url, terms=terms or self.terms)

    def without_account(self) -> AccountRecord:
        """Return what stays when the account is given up: whom to name and which terms were agreed to, for the next one."""
        return replace(self, url=None, key_type=None, thumbprint=None)

    @property
    def has_account(self) -> bool:
        """Return whether an account, or at least its key, was made. Records of older releases keep no thumbprint."""
        return self.url is not None or self.thumbprint is not None

    @property
    def id(self) -> str:
        return account_id(self.issuer, self.directory)

    @property
    def key_record(self) -> str:
        """Name of the vault record that holds the key: PKCS#8 PEM."""
        return f"account/{self.id}"

    @property
    def new_key_record(self) -> str:
        """Name of the vault record with the key that is to take its place, while the CA is being told."""
        return f"account-new/{self.id}"


def account_id(issuer: str, directory: str) -> str:
    """Return what tells accounts apart; an issuer whose directory changes gets a new one."""
    return f"{issuer}-{hashlib.sha256(directory.encode()).hexdigest()[:8]}"


def load_account(paths: Paths, issuer: str, directory: str) -> AccountRecord | None:
    """Return the account at a directory, or None. Raises StoreCorrupt (`store-corrupt`), StoreError."""
    return read_account(paths, account_id(issuer, directory))


def save_account(paths: Paths, record: AccountRecord) -> None:
    """Keep an account's record. Durable. Raises StoreError."""
    make_dir(paths.accounts)
    write_record(paths.accounts / (record.id + SUFFIX), to_json(record))


def list_accounts(paths: Paths) -> tuple[AccountRecord, ...]:
    """Return all accounts that can be read, by issuer; one that cannot is said when it is used. Raises StoreError."""
    try:
        found = sorted(path.name for path in paths.accounts.iterdir())
    except FileNotFoundError:
        return ()
    except OSError as exc:
        raise store_error(exc, paths.accounts, "read") from exc
    ids = [name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX) and not name.startswith(".")]
    records = []
    for id in ids:
        with suppress(StoreCorrupt):
            records.append(read_account(paths, id))
    return tuple(record for record in records if record is not None)


def read_account(paths: Paths, id: str) -> AccountRecord | None:
    """Return the account of an id, or None. Raises StoreCorrupt (`store-corrupt`), StoreError."""
    path = paths.accounts / (id + SUFFIX)
    try:
        record = from_json(AccountRecord, read_stored(path), path)
        if record.id != id:
            raise ValueError("it belongs to another account")
        return record
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise store_error(exc, path, "read") from exc
    except (ValueError, TypeError) as exc:
        raise StoreCorrupt(
            f"The account in {path} cannot be read.",
            "It was changed or damaged.",
            "Remove that file: the key is in the vault, and the CA knows the account by its key.",
        ) from exc
