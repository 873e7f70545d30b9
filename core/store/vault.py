"""Secrets at rest: account keys, EAB keys, provider passwords, old and not yet used private keys.

AES-256-GCM, a fresh nonce each, the record's name as associated data, so that a record put in the place of another does not
open. A sealed file is: format version (1 byte), id of the key (8), nonce (12), ciphertext with its tag. Each record is a file of
its own, written in one step. `rotate` seals everything again, file by file, while both keys exist; killed at any instruction,
every record still opens, and the next `rotate` continues where it stopped.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote

from core.errors import MasterKeyWrong, NotFound, UsageError, VaultError
from core.paths import Paths
from core.ports import Environment
from core.regular import read_stored
from core.store import master_key
from core.store.atomic import flush, make_dir, remove_file, store_error, storing, write_file
from core.store.master_key import MasterKey
from core.store.records import check_format

FORMAT = 1
_NO_FORMAT = 9
"""The first byte of a text is this (a tab) or more: no format of a later release, but a file that was overwritten."""
SUFFIX = ".sealed"
_HEAD = 1 + 8 + 12
_MAKING = threading.Lock()
"""Held to look for the master key and make it: side by side, each vault of a process would see none and make its own."""


class Vault:
    """Opens its keys on first use. Thread-safe; writing wants the writers' lock. Its repr shows no secret."""

    def __init__(self, paths: Paths, env: Environment, keys: list[MasterKey] | None = None) -> None:
        self._paths = paths
        self._env = env
        self._lock = threading.Lock()
        self._keys = keys
        """The ring, where the caller has it already: a passphrase costs 0.14 s each time."""
        self._may_seal = False

    def __repr__(self) -> str:
        return f"Vault({self._paths.vault})"

    # -- records -------------------------------------------------------------------------------------------------------

    def put(self, name: str, secret: bytes) -> None:
        """Keep `secret` under `name` (`account/letsencrypt-1a2b3c4d`, `eab/zerossl`), replacing what was there. Durable.

        Makes the master key where nothing sealed exists yet. Raises VaultError, StoreError.
        """
        make_dir(self._paths.vault)
        write_file(self._place(name), self.seal(name, secret))

    def get(self, name: str) -> bytes:
        """Return a secret. Raises NotFound (`not-found`), VaultError, StoreError."""
        secret = self.find(name)
        if secret is None:
            raise NotFound(
                f"There is no secret {name} in the vault.",
                "It was never set, or it was removed.",
                "Set it again. For an account key, remove the account: the next order creates a new one.",
            )
        return secret

    def find(self, name: str) -> bytes | None:
        """Return a secret, or None when there is none. Raises VaultError, StoreError."""
        place = self._place(name)
        try:
            sealed = read_stored(place)
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise store_error(exc, place, "read") from exc
        return self.unseal(name, sealed)

    def delete(self, name: str) -> None:
        """Forget a secret; it need not be there. Raises StoreError."""
        remove_file(self._place(name))

    def path_of(self, name: str) -> Path:
        """Return the file of a record, whether it is there or not."""
        return self._place(name)

    def names(self) -> tuple[str, ...]:
        """Return the names of all records, sorted. Opens nothing."""
        return tuple(sorted(name for name, path in sealed_files(self._paths) if path.parent == self._paths.vault))

    # -- sealing -------------------------------------------------------------------------------------------------------

    def seal(self, name: str, secret: bytes) -> bytes:
        """Return `secret` sealed for the place `name`. Makes the master key where nothing sealed exists yet."""
        key = self._ring(seals=True)[0]
        return _sealed(key, self._env.random.token_bytes(12), name, secret)

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """Open what `seal` made for the same `name`.

        Raises:
            MasterKeyMissing (`master-key-missing`): there is no key at all.
            MasterKeyWrong (`master-key-wrong`): another key sealed it, or it was altered.
            StoreTooNew (`store-too-new`): a later release sealed it.
        """
        from cryptography.exceptions import InvalidTag

        keys = self._ring(seals=False)
        if len(sealed) >= _HEAD and sealed[0] < _NO_FORMAT:
            check_format(sealed[0], f"The sealed record {name}", FORMAT)
        if len(sealed) < _HEAD or sealed[0] != FORMAT:
            raise _damaged(name)
        key = next((key for key in keys if key.id == sealed[1:9]), None)
        if key is None:
            raise master_key.wrong(name)
        try:
            return key.cipher.decrypt(sealed[9:_HEAD], sealed[_HEAD:], name.encode())
        except InvalidTag as exc:
            raise _damaged(name) from exc

    def check(self) -> None:
        """See whether the vault opens: that there is a key wherever something is sealed, and that it fits one record.

        Raises VaultError, StoreError. Changes nothing.
        """
        for name, path in sealed_files(self._paths):
            with suppress(FileNotFoundError):
                self.unseal(name, _read(path))
                return

    def create(self) -> None:
        """Make the master key if there is none. Raises MasterKeyMissing when something is sealed already; StoreError."""
        self._ring(seals=True)

    # -- rotation ------------------------------------------------------------------------------------------------------

    def rotate(self) -> int:
        """Seal everything anew under a new master key; returns how many secrets. Wants the writers' lock.

        Safe to kill at any instruction; call it again to finish. Raises VaultError before anything is changed when a record does
        not open; StoreError.
        """
        self._keys = None
        keys = self._ring(seals=True)
        renewed = master_key.rotation(self._paths, keys)
        count = self.open_all()
        key = keys[0] if renewed is None else self._successor(renewed, keys)
        self.reseal(key)
        if renewed is not None:
            with storing(renewed[0]):
                master_key.successor(renewed[0]).replace(renewed[0])
                flush(renewed[0].parent)
        self._keys = None
        return count

    def open_all(self, key: MasterKey | None = None) -> int:
        """Open everything that is sealed, with `key` alone where one is given; returns how many secrets. Changes nothing.

        Raises VaultError for the first record that does not open; StoreError.
        """
        count = 0
        for name, path in sealed_files(self._paths):
            sealed = _read(path)
            if key is not None and sealed[1:9] != key.id:
                raise master_key.wrong(name)
            self.unseal(name, sealed)
            count += 1
        return count

    def reseal(self, key: MasterKey) -> int:
        """Seal under `key`, one of the ring, what another key has sealed; returns how many secrets. Wants the writers' lock.

        Raises VaultError, StoreError.
        """
        count = 0
        for name, path in list(sealed_files(self._paths)):
            sealed = _read(path)
            if sealed[1:9] != key.id:
                fresh = _sealed(key, self._env.random.token_bytes(12), name, self.unseal(name, sealed))
                write_file(path, fresh, beside=_beside(self._paths, path))
                count += 1
        return count

    def _successor(self, renewed: tuple[Path, master_key.Make], keys: list[MasterKey]) -> MasterKey:
        path, write = renewed
        new = master_key.successor(path)
        for key in keys:
            if key.path == new:  # a rotation died: its key has sealed something already
                return key
        key = write(new, self._env)
        self._keys = [*keys, key]
        return key

    # -- keys ----------------------------------------------------------------------------------------------------------

    def _ring(self, *, seals: bool) -> list[MasterKey]:
        with self._lock:
            if not self._keys:
                self._keys = master_key.ring(self._paths, self._env)
            if seals and not self._may_seal:
                with _MAKING:
                    keys = self._keys or master_key.ring(self._paths, self._env)
                    self._refuse_split({key.id for key in keys})
                    self._keys = keys or [master_key.make(self._paths, self._env)]
                self._may_seal = True
            if not self._keys:
                raise master_key.missing(self._paths)
            return self._keys

    def _refuse_split(self, ids: set[bytes]) -> None:
        """Refuse to seal under a key that opens nothing of what is there: half the vault would be lost with either key."""
        stranger = None
        for name, key_id in _headers(self._paths):
            if key_id in ids:
                return
            stranger = stranger or name
        if stranger is not None:
            raise master_key.wrong(stranger) if ids else master_key.missing(self._paths)

    def _place(self, name: str) -> Path:
        encoded = quote(name, safe="")
        if not encoded or len(encoded) > 200:
            raise UsageError(
                f"{name[:60]!r} is not a valid name for a secret.",
                "The name is empty or too long.",
                "Choose a shorter name.",
            )
        if encoded.startswith("."):
            encoded = "%2E" + encoded[1:]
        return self._paths.vault / (encoded + SUFFIX)


def sealed_files(paths: Paths) -> Iterator[tuple[str, Path]]:
    """Yield everything that is sealed on this box: the name it is sealed for, and its file.

    One table of all places, so that a rotation forgets none: vault records, old keys of lineages, keys of open orders and of
    signing requests, copies of deleted lineages. Raises StoreError.
    """
    with storing(paths.state, "read"):
        yield from _sealed_files(paths)


def _sealed_files(paths: Paths) -> Iterator[tuple[str, Path]]:
    for path in sorted(paths.vault.glob(f"[!.]*{SUFFIX}")):
        yield unquote(path.name.removesuffix(SUFFIX)), path
    for path in sorted(paths.lineages.glob(f"[!.]*/[0-9]*/privkey{SUFFIX}")):
        yield lineage_key(path.parent.parent.name, path.parent.name), path
    for path in sorted(paths.orders.glob(f"[!.]*/privkey{SUFFIX}")):
        yield order_key(path.parent.name), path
    for path in sorted(paths.requests.glob(f"[!.]*/[!.]*{SUFFIX}")):
        yield request_key(path.parent.name, path.name.removesuffix(SUFFIX)), path
    for path in sorted(paths.deleted.glob(f"[!.]*{SUFFIX}")):
        yield deleted_copy(path.name), path


def lineage_key(name: str, version: int | str) -> str:
    """Return the name that the private key of a version is sealed for."""
    return f"lineage/{name}/{version}"


def order_key(name: str) -> str:
    """Return the name that the private key of an open order is sealed for."""
    return f"order/{name}"


def request_key(name: str, id: str) -> str:
    """Return the name that the private key of a signing request is sealed for."""
    return f"request/{name}/{id}"


def deleted_copy(file_name: str) -> str:
    """Return the name that the copy of a deleted lineage is sealed for."""
    return f"deleted/{file_name}"


def _sealed(key: MasterKey, nonce: bytes, name: str, secret: bytes) -> bytes:
    return bytes([FORMAT]) + key.id + nonce + key.cipher.encrypt(nonce, secret, name.encode())


def _headers(paths: Paths) -> Iterator[tuple[str, bytes]]:
    for name, path in sealed_files(paths):
        head = b""
        with suppress(OSError):
            head = read_stored(path)[:_HEAD]
        if len(head) == _HEAD and head[0] == FORMAT:
            yield name, head[1:9]


def _damaged(name: str) -> VaultError:
    return MasterKeyWrong(
        f"The secret {name} cannot be opened.",
        "Its file was changed, damaged or moved.",
        "Restore that file from a backup, or set the secret again. All other secrets are intact.",
    )


def _beside(paths: Paths, path: Path) -> Path | None:
    """Write beside the version folder of a lineage, where leftovers are looked for, not in it."""
    return path.parent.parent if path.is_relative_to(paths.lineages) else None


def _read(path: Path) -> bytes:
    try:
        return read_stored(path)
    except FileNotFoundError:
        raise
    except OSError as exc:
        raise store_error(exc, path, "read") from exc
