"""One sealed file of any length, written and read in bounded memory: the container of a backup.

    magic (16 bytes) · format (1 byte) · length of the header (2) · header (JSON) · chunks

The header says how the key is made: by scrypt from a passphrase, or by X25519 (RFC 7748) and HKDF (RFC 5869) for the holder of a
private key. Each chunk is 64 KiB of plain text under AES-256-GCM. Its nonce is its number and a flag for the last one (the
STREAM construction of Hoang et al., as in age), its associated data the whole head: nothing can be cut off, moved or exchanged.
Every file has a key of its own, so a nonce is never used twice.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from core.errors import BackupInvalid, BackupLocked, BackupTooNew, UsageError
from core.store.master_key import KEY_BYTES, SCRYPT, derive

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    from core.ports import Random

MAGIC = b"certdeck-backup\n"
FORMAT = 1
CHUNK = 64 * 1024
_TAG = 16
_LONGEST_HEADER = 4096
_MOST_SCRYPT_BYTES = 1 << 30
"""128·n·r: what a header can make the reader allocate."""
_DAMAGED_FIX = "Copy the file again, or use another backup. Nothing was changed."


class Lock(Struct, frozen=True, kw_only=True):
    """What seals or opens a file: one of the two is set. Its repr shows no secret."""

    passphrase: bytes | None = None
    key_pem: bytes | None = None
    """X25519: the public key seals, the private key opens."""

    def __repr__(self) -> str:
        return f"Lock({'passphrase' if self.passphrase is not None else 'key'})"


class Sealer:
    """Writes a sealed file through `write`. Call `close` at the end; without it the file does not open."""

    def __init__(self, write: Callable[[bytes], None], lock: Lock, random: Random) -> None:
        """Make the key and write the head. Raises UsageError (`usage`) for a public key that cannot be used."""
        header, raw = _new_key(lock, random)
        text = json.dumps({**header, "key": _key_id(raw)}).encode()
        head = MAGIC + bytes([FORMAT]) + len(text).to_bytes(2, "big") + text
        self._write = write
        self._cipher = AESGCM(raw)
        self._head = hashlib.sha256(head).digest()
        self._number = 0
        self._pending = bytearray()
        write(head)

    def add(self, data: bytes) -> None:
        self._pending += data
        while len(self._pending) > CHUNK:
            self._seal(bytes(self._pending[:CHUNK]), is_last=False)
            del self._pending[:CHUNK]

    def close(self) -> None:
        self._seal(bytes(self._pending), is_last=True)

    def _seal(self, plain: bytes, *, is_last: bool) -> None:
        self._write(self._cipher.encrypt(_nonce(self._number, is_last=is_last), plain, self._head))
        self._number += 1


class Opener:
    """Reads what `Sealer` wrote; a plain text is given out only after it was authenticated."""

    def __init__(self, read: Callable[[int], bytes], lock: Lock) -> None:
        """Read the head and make the key.

        Args:
            read: returns that many bytes, or fewer at the end of the file alone.

        Raises BackupInvalid, BackupLocked, BackupTooNew; UsageError (`usage`) for a private key that cannot be read.
        """
        header, head = _header(read)
        raw = _known_key(header, lock)
        if _key_id(raw) != header.get("key"):
            raise _locked(lock)
        self._read = read
        self._cipher = AESGCM(raw)
        self._head = hashlib.sha256(head).digest()
        self._number = 0
        self._sealed = read(CHUNK + _TAG)
        self._plain = bytearray()
        self._is_over = False

    def take(self, count: int) -> bytes:
        """Return exactly `count` bytes. Raises BackupInvalid (`backup-invalid`) where there are fewer."""
        while len(self._plain) < count:
            if self._is_over:
                raise invalid("It is incomplete.")
            self._open()
        taken = bytes(self._plain[:count])
        del self._plain[:count]
        return taken

    def finish(self) -> None:
        """See that nothing comes any more. Raises BackupInvalid."""
        if not self._is_over:
            self._open()
        if self._plain or not self._is_over:
            raise invalid("There is data after its end.")

    def _open(self) -> None:
        following = self._read(CHUNK + _TAG)
        is_last = not following
        try:
            self._plain += self._cipher.decrypt(_nonce(self._number, is_last=is_last), self._sealed, self._head)
        except (InvalidTag, ValueError) as exc:
            raise invalid("It is truncated, or was changed later.") from exc
        self._sealed, self._is_over = following, is_last
        self._number += 1


def invalid(why: str) -> BackupInvalid:
    """Return the error for a file that holds no whole backup."""
    return BackupInvalid("The backup is not valid.", why, _DAMAGED_FIX)


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


def _key_id(raw: bytes) -> str:
    """Return what tells a wrong passphrase from a damaged file."""
    return hashlib.sha256(b"certdeck backup key id\0" + raw).hexdigest()[:16]


def _header(read: Callable[[int], bytes]) -> tuple[Mapping[str, object], bytes]:
    start = read(len(MAGIC) + 3)
    if not start.startswith(MAGIC) or len(start) < len(MAGIC) + 3:
        raise invalid("It is not a backup made by certdeck.")
    if start[len(MAGIC)] > FORMAT:
        raise BackupTooNew(
            "This release cannot read the backup.",
            f"It has format {start[len(MAGIC)]}; this release supports formats up to {FORMAT}.",
            "Update certdeck on this box, then restore again.",
        )
    length = int.from_bytes(start[-2:], "big")
    text = read(length) if length <= _LONGEST_HEADER else b""
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise invalid("Its header is damaged.") from exc
    if start[len(MAGIC)] != FORMAT or not isinstance(header, dict) or len(text) != length:
        raise invalid("Its header is damaged.")
    return header, start + text


# -- keys --------------------------------------------------------------------------------------------------------------


def _new_key(lock: Lock, random: Random) -> tuple[dict[str, object], bytes]:
    if lock.passphrase is not None:
        salt = random.token_bytes(16)
        header = {"lock": "scrypt", **SCRYPT, "salt": _base64(salt)}
        return header, derive(lock.passphrase, salt, SCRYPT["n"], SCRYPT["r"], SCRYPT["p"])
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    recipient = _public_key(lock.key_pem or b"")
    ephemeral = X25519PrivateKey.from_private_bytes(random.token_bytes(32))
    ours = ephemeral.public_key().public_bytes_raw()
    theirs = recipient.public_bytes_raw()
    header = {"lock": "x25519", "ephemeral": _base64(ours), "recipient": _base64(theirs)}
    return header, _agreed(ephemeral.exchange(recipient), ours, theirs)


def _known_key(header: Mapping[str, object], lock: Lock) -> bytes:
    kind = header.get("lock")
    if kind == "scrypt" and lock.passphrase is not None:
        return _from_passphrase(header, lock.passphrase)
    if kind == "x25519" and lock.key_pem is not None:
        return _from_private_key(header, lock)
    if kind in ("scrypt", "x25519"):
        needs = "a passphrase" if kind == "scrypt" else "a private key"
        option = "--passphrase-file FILE" if kind == "scrypt" else "--key FILE"
        raise BackupLocked("The backup could not be opened.", f"It was sealed for {needs}.", f"Restore with {option}.")
    raise invalid("Its header is damaged.")


def _from_passphrase(header: Mapping[str, object], passphrase: bytes) -> bytes:
    n, r, p = (header.get(name) for name in ("n", "r", "p"))
    if not (isinstance(n, int) and isinstance(r, int) and isinstance(p, int)):
        raise invalid("Its header is damaged.")
    if not (1 < n <= 1 << 24 and 0 < r <= 64 and 0 < p <= 4 and 128 * n * r <= _MOST_SCRYPT_BYTES):
        raise invalid("Its header demands more memory than is allowed.")
    try:
        return derive(passphrase, _bytes(header, "salt"), n, r, p)
    except (ValueError, MemoryError) as exc:
        raise invalid("Its header is damaged.") from exc


def _from_private_key(header: Mapping[str, object], lock: Lock) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(lock.key_pem or b"", password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, X25519PrivateKey):
        raise UsageError(
            "The private key is not valid.",
            "It is not an X25519 key in PEM without a passphrase.",
            "Give the key that belongs to the public key of the backup.",
        )
    theirs = private.public_key().public_bytes_raw()
    ours = _bytes(header, "ephemeral")
    if theirs != _bytes(header, "recipient"):
        raise _locked(lock)
    try:
        return _agreed(private.exchange(X25519PublicKey.from_public_bytes(ours)), ours, theirs)
    except ValueError as exc:  # a point of low order
        raise invalid("Its header is damaged.") from exc


def check_public_key(pem: bytes) -> None:
    """Raise UsageError (`usage`) where a PEM is not an X25519 public key."""
    _public_key(pem)


def _public_key(pem: bytes) -> X25519PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if isinstance(key, X25519PublicKey):
        return key
    raise UsageError(
        "The public key is not valid.",
        "It is not an X25519 public key in PEM.",
        "Create one: openssl genpkey -algorithm X25519 -out backup.key; openssl pkey -in backup.key -pubout -out backup.pub",
    )


def _agreed(shared: bytes, ours: bytes, theirs: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=ours + theirs, info=b"certdeck backup").derive(shared)


def _locked(lock: Lock) -> BackupLocked:
    if lock.passphrase is not None:
        return BackupLocked(
            "The backup could not be opened.", "The passphrase is wrong.", "Give the correct passphrase."
        )
    return BackupLocked(
        "The backup could not be opened.",
        "It was sealed for another key.",
        "Give the private key that belongs to the public key of the backup.",
    )


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(header: Mapping[str, object], name: str) -> bytes:
    try:
        return base64.b64decode(str(header.get(name, "")), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise invalid("Its header is damaged.") from exc
