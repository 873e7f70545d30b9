"""Replaces a vault that cannot be opened with a new one. Records that no key opens are set aside, never deleted.

This is for the case that `etc/` is lost and there is no backup. Certificates in use are not affected: their keys are stored
unencrypted next to them. After a crash at any step, the next call continues: each record is moved in one step, and a new key is
created last.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from core.errors import CertdeckError, MasterKeyMissing, MasterKeyWrong, UsageError
from core.events import Changed
from core.kept import LostSecret, NewVault
from core.regular import read_stored
from core.store import master_key
from core.store.accounts import list_accounts, save_account
from core.store.atomic import storing
from core.store.quarantine import set_aside
from core.store.vault import Vault, sealed_files
from core.text import plural
from core.workflows.context import Context

_KINDS = {
    "account": "account",
    "account-new": "account",
    "eab": "eab",
    "dns": "dns",
    "notify": "notify",
    "ca": "ca",
    "lineage": "version",
    "order": "order",
    "request": "request",
    "deleted": "deleted",
}
"""First part of a record's name → kind of secret."""


def lost_secrets(context: Context) -> tuple[LostSecret, ...]:
    """Return the secrets that no key of this box opens. Changes nothing.

    Raises:
        VaultError: the passphrase is missing or wrong, or a credential is damaged. That can be fixed, and nothing is lost.
    """
    if master_key.is_damaged(context.paths):
        return tuple(_secret(name) for name, _ in sealed_files(context.paths))
    return tuple(_secret(name) for name, _ in _unopened(context))


def new_vault(context: Context) -> NewVault:
    """Set aside the records that no key of this box opens, and create a master key if there is none.

    Raises:
        UsageError (`usage`): every record opens.
        VaultError: as for `lost_secrets`. Nothing was changed.
    """
    paths, now = context.paths, context.env.clock.now()
    damaged = master_key.set_damaged_aside(paths, now)
    unopened = _unopened(context)
    if not unopened and damaged is None:
        raise UsageError(
            "The vault can be opened: no secret is lost.",
            "A new vault is only for secrets that no key on this box can open.",
            "To change the key, use `certdeck vault rotate`.",
        )
    lost = tuple(_secret(name) for name, _ in unopened)
    _forget_accounts(context, {secret.name for secret in lost})
    for _, path in unopened:
        set_aside(paths, path, now)
    had_key = bool(master_key.ring(paths, context.env))
    Vault(paths, context.env).create()
    context.narrator.tell(
        Changed(what=f"created a new vault; set aside {plural(len(lost), 'secret')} that cannot be opened")
    )
    return NewVault(lost=lost, set_aside=paths.set_aside if lost else None, is_new_key=not had_key)


def _unopened(context: Context) -> list[tuple[str, Path]]:
    paths = context.paths
    keys = master_key.ring(paths, context.env)
    vault = Vault(paths, context.env)
    return [(name, path) for name, path in sealed_files(paths) if not (keys and _opens(vault, name, path))]


def _opens(vault: Vault, name: str, path: Path) -> bool:
    try:
        with storing(path, "read"):
            vault.unseal(name, read_stored(path))
    except (MasterKeyMissing, MasterKeyWrong):
        return False
    return True


def _forget_accounts(context: Context, lost: set[str]) -> None:
    """Make the next use of an account with a lost key register a new one: the CA does not know a new key under the old URL."""
    with suppress(CertdeckError):  # an unreadable record is reported when it is used
        for record in list_accounts(context.paths):
            if record.key_record in lost:
                save_account(context.paths, replace(record, url=None))


def _secret(name: str) -> LostSecret:
    return LostSecret(kind=_KINDS.get(name.partition("/")[0], "other"), name=name)
