"""Move the master key from one source to another: file, passphrase, systemd credential.

Every move ends the same way: all records are sealed under the key of the new source, each is opened with that key alone, and
only then are the other sources removed. Until then all keys are there, so a move killed anywhere loses nothing, and the next one
to the same source finishes it; one back to the former source undoes it. A credential is not certdeck's to write or to remove:
its key is written out for `systemd-creds encrypt`, or taken over into the file.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from core.errors import UsageError, VaultError
from core.paths import Paths
from core.ports import Environment
from core.store import master_key
from core.store.atomic import remove_file
from core.store.master_key import CREDENTIAL, PASSPHRASE_VARIABLE, MasterKey
from core.store.vault import Vault
from core.vault_moves import VaultMoved


def write_out(paths: Paths, env: Environment, out: Path) -> VaultMoved:
    """Write the present master key to `out` (0600) for `systemd-creds encrypt`; nothing else changes.

    Raises UsageError when `out` exists or its folder does not; VaultError, StoreError.
    """
    keys = _keys(paths, env)
    if keys[0].source == "credential":
        raise _nothing_to_move(f"The credential {CREDENTIAL} is already in use here.")
    Vault(paths, env, keys).open_all()
    if not out.parent.is_dir():
        raise UsageError(
            f"{out} cannot be written.",
            f"The folder {out.parent} does not exist.",
            "Name a file in a folder that exists.",
        )
    if not master_key.create(out, base64.b64encode(keys[0].raw) + b"\n"):
        raise UsageError(f"{out} already exists.", "certdeck does not overwrite a file with a key.", "Name a new file.")
    return VaultMoved(to="credential", is_done=False, from_=keys[0].source, resealed=0, removed=(), key_file=out)


def move(paths: Paths, env: Environment, to: str, changing: Callable[[], None]) -> VaultMoved:
    """Seal everything under the key of the source `to`, and remove the others. Wants the writers' lock.

    Safe to kill at any instruction; call it again to finish.

    Args:
        changing: Called before the first change on disk, after all refusals.

    Raises VaultError before anything is changed when there is nothing to move, the way is closed or a record does not open;
    StoreError.
    """
    keys = _keys(paths, env)
    key = _target(keys, to, env)
    if key is not None and all(each is key or each.source == "credential" for each in keys):
        raise _nothing_to_move(f"The master key is already the {to}, and there is no other key.")
    Vault(paths, env, keys).open_all()
    changing()
    if key is None:
        key = _made(paths, env, keys, to)
        keys = [*keys, key]
    before = next((each for each in keys if each.source != to), keys[0])
    vault = Vault(paths, env, keys)
    resealed = vault.reseal(key)
    vault.open_all(key)
    removed = _remove_others(paths, key)
    return VaultMoved(to=to, is_done=True, from_=before.source, resealed=resealed, removed=removed, key_file=None)


def _keys(paths: Paths, env: Environment) -> list[MasterKey]:
    keys = master_key.ring(paths, env)
    if not keys:
        Vault(paths, env).check()  # sealed records without a key are another fault
        raise _nothing_to_move("This box has no master key yet, because no secret is stored.")
    return keys


def _target(keys: list[MasterKey], to: str, env: Environment) -> MasterKey | None:
    """Return the key of the source `to`, None where it has to be made. Raises VaultError where it cannot be."""
    first = keys[0]
    # A successor (`.new`) belongs to a rotation that died; it is never what the vault moves to.
    found = next((key for key in keys if key.source == to and key.path.suffix != ".new"), None)
    if to == "credential":
        if found is None:
            raise VaultError(
                "The master key cannot be moved to a credential yet.",
                f"This process has no systemd credential {CREDENTIAL}.",
                "First write the key to a file with `certdeck vault move --to credential --out FILE`. The "
                "output shows the next steps.",
            )
        return found
    if first.source == "credential":
        if to == "passphrase":
            raise VaultError(
                "A credential cannot be moved to a passphrase in one step.",
                "The credential is used as long as the unit loads it.",
                "Move to the file first (`certdeck vault move --to file`), remove the credential from the unit, then "
                "move to the passphrase.",
            )
        if found is not None and found.id != first.id:
            raise VaultError(
                f"{found.path} already exists.",
                "It contains a different key than the credential.",
                "Run `certdeck vault move --to credential` to seal everything under the credential and remove that file, then "
                "move to the file.",
            )
    if to == "passphrase" and not env.variables.get(PASSPHRASE_VARIABLE):
        raise VaultError(
            "The master key cannot be replaced by a passphrase.",
            f"{PASSPHRASE_VARIABLE} does not name a file with the passphrase.",
            f"Set {PASSPHRASE_VARIABLE} to the path of a file (0600) that contains it, here and in the units.",
        )
    return found


def _made(paths: Paths, env: Environment, keys: list[MasterKey], to: str) -> MasterKey:
    if to == "passphrase":
        return master_key.write_parameters(master_key.parameters_file(paths), env)
    if keys[0].source == "credential":
        # The same key in both places: whatever either of them seals opens with the other, whenever the unit is changed.
        if not master_key.create(paths.master_key, base64.b64encode(keys[0].raw) + b"\n"):
            raise VaultError(
                f"{paths.master_key} already exists.", "It cannot be read as a key.", "Remove it and try again."
            )
        return replace(keys[0], source="file", path=paths.master_key)
    return master_key.write_key(paths.master_key, env)


def _remove_others(paths: Paths, key: MasterKey) -> tuple[Path, ...]:
    """Remove every key file but that of `key`; successors first, so that what is left is never only half of a rotation."""
    removed = []
    for path in (paths.master_key, master_key.parameters_file(paths)):
        for each in (master_key.successor(path), path):
            if each != key.path and each.exists():
                remove_file(each)
                removed.append(each)
    return tuple(removed)


def _nothing_to_move(why: str) -> VaultError:
    return VaultError(
        "There is nothing to move.", why, "No action is needed. To change the key itself, use `certdeck vault rotate`."
    )
