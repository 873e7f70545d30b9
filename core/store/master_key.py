"""Where the master key comes from, and what happens if it is missing.

In this order: a systemd credential, `etc/master.key` (0600, created on first use), a passphrase (scrypt, its salt in
`etc/master.scrypt`). The first that exists seals; all of them open, so that a box can move from one source to another and an
interrupted rotation can be finished. A new key is created only if nothing is sealed: a lost key is reported, never replaced.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from core.errors import MasterKeyMissing, MasterKeyWrong, UsageError, VaultError
from core.input_file import read_secret_file
from core.paths import Paths
from core.ports import Environment
from core.regular import read_regular
from core.secret_text import NotSecretText, secret_line, secret_text
from core.store.atomic import (
    TEMPORARY,
    check_writable,
    flush,
    make_dir,
    remove_file,
    store_error,
    storing,
    write_file,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CREDENTIAL = "certdeck-master-key"
OLD_CREDENTIAL = "certdeck-master-key-old"
"""Set for one `vault rotate` after the credential was changed."""
PASSPHRASE_VARIABLE = "CERTDECK_PASSPHRASE_FILE"
KEY_BYTES = 32
_PIPE_SECONDS = 5.0
SCRYPT = {"n": 2**15, "r": 8, "p": 1}
"""0.14 s and 32 MiB (measured 2026-11); OWASP's figure for interactive use is 2^17, too much memory for an appliance."""
_RESTORE = (
    "Restore the key from a backup; certificates in service keep working. Without a backup, `certdeck vault new` sets "
    "aside the secrets that cannot be opened and reports what is lost."
)


class MasterKey(Struct, frozen=True):
    """One key. Its repr shows no secret."""

    id: bytes
    """Eight bytes that tell keys apart; written into what the key seals."""
    cipher: AESGCM
    source: str
    """`credential`, `file`, `passphrase`."""
    path: Path
    """The file it is from."""
    raw: bytes
    """KEY_BYTES."""

    def __repr__(self) -> str:
        return f"MasterKey({self.id.hex()}, {self.source})"


def ring(paths: Paths, env: Environment) -> list[MasterKey]:
    """Return every key there is, the one that seals first; scrypt takes 0.14 s where it is used.

    Raises MasterKeyWrong (`master-key-wrong`) for a damaged key or a wrong passphrase; StoreError.
    """
    credentials = env.variables.get("CREDENTIALS_DIRECTORY")
    keys: list[MasterKey] = []
    if credentials:
        for name in (CREDENTIAL, OLD_CREDENTIAL):
            _append(keys, Path(credentials) / name, "credential")
    _append(keys, paths.master_key, "file")
    for path in (parameters_file(paths), successor(parameters_file(paths))):
        if (parameters := _read(path)) is not None:
            keys.append(_from_passphrase(path, parameters, env))
    _append(keys, successor(paths.master_key), "file")
    return keys


def make(paths: Paths, env: Environment) -> MasterKey:
    """Make the first master key: from the passphrase where one is configured, else a random file. Raises StoreError."""
    if env.variables.get(PASSPHRASE_VARIABLE):
        return write_parameters(parameters_file(paths), env)
    return write_key(paths.master_key, env)


def write_key(path: Path, env: Environment) -> MasterKey:
    """Write a new random key to `path` (0600); where there is one by now, return that. Raises StoreError, MasterKeyWrong."""
    raw = env.random.token_bytes(KEY_BYTES)
    if create(path, base64.b64encode(raw) + b"\n"):
        return _key(raw, "file", path)
    keys: list[MasterKey] = []
    _append(keys, path, "file")
    return keys[0]


def write_parameters(path: Path, env: Environment) -> MasterKey:
    """Write new scrypt parameters to `path` and return the key that they and the passphrase make.

    Where there are some by now, theirs is returned. Raises StoreError, VaultError.
    """
    salt = env.random.token_bytes(16)
    key = _key(derive(_passphrase(env), salt, SCRYPT["n"], SCRYPT["r"], SCRYPT["p"]), "passphrase", path)
    record = {**SCRYPT, "salt": base64.b64encode(salt).decode(), "key": key.id.hex()}
    if create(path, json.dumps(record).encode()):
        return key
    return _from_passphrase(path, _read(path) or b"", env)


def parameters_file(paths: Paths) -> Path:
    """Return the file with salt and cost of the passphrase."""
    return paths.master_parameters


def successor(path: Path) -> Path:
    """Return where the next key stands while a rotation is under way."""
    return path.with_name(path.name + ".new")


def missing(paths: Paths) -> MasterKeyMissing:
    """Return the error for sealed records without any key."""
    return MasterKeyMissing(
        f"The master key {paths.master_key} is missing.",
        "There are sealed secrets (account keys, passwords, old private keys), and no key here can open them.",
        _RESTORE,
    )


def wrong(record: str) -> MasterKeyWrong:
    """Return the error for a record that another key has sealed."""
    return MasterKeyWrong(f"The secret {record} cannot be opened.", "It was sealed under another master key.", _RESTORE)


def create(path: Path, data: bytes) -> bool:
    """Put `data` at `path` in one step unless something is there; returns whether it was put. Raises StoreError.

    What a key has sealed is lost with it, so a key is never replaced, whoever else makes one at the same moment.
    """
    make_dir(path.parent)
    check_writable(path.parent)
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{threading.get_ident()}-{path.name}")
    write_file(temporary, data)
    try:
        with storing(path):
            try:
                os.link(temporary, path)
            except FileExistsError:
                return False
    finally:
        remove_file(temporary)  # makes the new name last, too
    return True


def is_damaged(paths: Paths) -> bool:
    """Tell whether the master key's file is there and holds no key. Raises StoreError."""
    text = _read(paths.master_key)
    return text is not None and _raw(text) is None


def set_damaged_aside(paths: Paths, now: datetime) -> Path | None:
    """Give a master key file that holds no key another name beside it; returns that, or None where there was none.

    Raises StoreError.
    """
    if not is_damaged(paths):
        return None
    place = paths.master_key.with_name(f"{paths.master_key.name}.damaged-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    with storing(paths.master_key, "moved aside"):
        paths.master_key.rename(place)
        flush(place.parent)
    return place


def _raw(text: bytes) -> bytes | None:
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        raw = text
    return raw if len(raw) == KEY_BYTES else None


def _append(keys: list[MasterKey], path: Path, source: str) -> None:
    text = _read(path)
    if text is None:
        return
    raw = _raw(text)
    if raw is None:
        raise MasterKeyWrong(f"The master key {path} is damaged.", "It does not contain 32 bytes in base64.", _RESTORE)
    if source == "file":
        _tighten(path)
    keys.append(_key(raw, source, path))


def _from_passphrase(path: Path, text: bytes, env: Environment) -> MasterKey:
    content = _passphrase_file(env)
    try:
        candidates, refusal = [_passphrase(env, content)], None
    except VaultError as exc:
        candidates, refusal = [], exc
    # Vaults of earlier releases were sealed under the file as it stands, mark, encoding and all.
    candidates += [raw] if (raw := content.strip(b"\r\n")) and raw not in candidates else []
    try:
        record = json.loads(text)
        cost = int(record["n"]), int(record["r"]), int(record["p"])
        salt, expected = base64.b64decode(record["salt"]), bytes.fromhex(record["key"])
        for each in candidates:
            key = _key(derive(each, salt, *cost), "passphrase", path)
            if key.id == expected:
                return key
    except (ValueError, KeyError, TypeError, MemoryError, OverflowError, RecursionError) as exc:
        raise MasterKeyWrong(f"{path} is damaged.", "It does not contain the passphrase parameters.", _RESTORE) from exc
    raise refusal or MasterKeyWrong(
        "The passphrase of the vault is wrong.",
        f"It does not produce the key that {path} was written for.",
        f"Correct the file that {PASSPHRASE_VARIABLE} names. Nothing was changed.",
    )


def _passphrase(env: Environment, content: bytes | None = None) -> bytes:
    """Return the passphrase of the vault in UTF-8. Raises MasterKeyMissing, MasterKeyWrong for what is not one line of text."""
    content = _passphrase_file(env) if content is None else content
    named = env.variables.get(PASSPHRASE_VARIABLE)
    try:
        line = secret_line(secret_text(content).strip(b"\r\n"))
    except NotSecretText as exc:
        raise MasterKeyWrong(
            f"The passphrase file {named} cannot be used.", str(exc), "Save it as plain UTF-8 text on one line."
        ) from exc
    if not line:
        raise _no_passphrase(f"The passphrase file {named} is empty.")
    return line


def _passphrase_file(env: Environment) -> bytes:
    """Return what the passphrase file holds. Raises MasterKeyMissing."""
    named = env.variables.get(PASSPHRASE_VARIABLE)
    if not named:
        raise MasterKeyMissing(
            "The passphrase of the vault is missing.",
            f"The vault is sealed under a passphrase, and {PASSPHRASE_VARIABLE} does not name a file with it.",
            f"Set {PASSPHRASE_VARIABLE} to the path of a file (0600) that holds the passphrase.",
        )
    try:
        # Read while the lock is held, so a pipe has little time.
        return read_secret_file(Path(named), pipe_seconds=_PIPE_SECONDS)
    except UsageError as exc:
        raise _no_passphrase(f"The passphrase file {exc.what}", exc.why) from exc


def _no_passphrase(what: str, why: str = "The vault is sealed under a passphrase.") -> MasterKeyMissing:
    return MasterKeyMissing(what, why, "Put the passphrase into a regular file (0600), on one line.")


def derive(passphrase: bytes, salt: bytes, n: int, r: int, p: int) -> bytes:
    """Return the key of KEY_BYTES that scrypt (RFC 7914) makes of a passphrase. Takes 0.14 s and 32 MiB with SCRYPT."""
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=KEY_BYTES, n=n, r=r, p=p).derive(passphrase)


def _key(raw: bytes, source: str, path: Path) -> MasterKey:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return MasterKey(hashlib.sha256(b"certdeck master key id\0" + raw).digest()[:8], AESGCM(raw), source, path, raw)


def _read(path: Path) -> bytes | None:
    try:
        return read_regular(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        raise store_error(exc, path, "read") from exc


def _tighten(path: Path) -> None:
    """Take the key away from group and others where it is ours: refusing to work would be harsher than the fault."""
    found = path.stat()
    if stat.S_IMODE(found.st_mode) & 0o077 and found.st_uid == os.geteuid():
        try:
            path.chmod(0o600)
        except OSError as exc:
            raise store_error(exc, path, "restricted to its owner") from exc


Make = Callable[[Path, Environment], MasterKey]


def rotation(paths: Paths, keys: list[MasterKey]) -> tuple[Path, Make] | None:
    """Return which file a rotation renews and how, or None where the key comes from outside.

    Raises VaultError (`vault-error`) when the key is a credential and no second one says what to move to.
    """
    if keys[0].source == "credential":
        if len(keys) > 1:
            return None
        raise VaultError(
            "certdeck cannot change the master key here.",
            f"It is the systemd credential {CREDENTIAL}, which only the administrator can change.",
            f"Provide the old key as {OLD_CREDENTIAL} and a new key as {CREDENTIAL}, then rotate again.",
        )
    if keys[0].source == "passphrase":
        return parameters_file(paths), write_parameters
    return paths.master_key, write_key
