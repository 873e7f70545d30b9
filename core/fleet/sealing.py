"""Encryption of the fleet's secrets, to one box or under the master key, and signatures of the hubs.

To a box: HPKE (RFC 9180), DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. Under the master key: AES-256-GCM with a fresh
nonce. Each secret is bound to its place (`info`, associated data): a secret that was moved to another place does not decrypt.
Hubs sign with Ed25519 what they write for a device: write access to etcd alone is not enough to give a device a key.
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.concealed import Concealed
from core.fleet_errors import FleetForged
from core.ports import Random

_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_NONCE = 12
_SIGNED = b"certdeck fleet 1\0"


def new_box_key(random: Random) -> bytes:
    """Generate a private key for a box: 32 raw bytes. A secret."""
    return random.token_bytes(32)


def public_half(private: bytes) -> bytes:
    """Return the 32 raw bytes of the public key."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def fingerprint(public: bytes) -> str:
    """Return the SHA-256 of a public key in the form that people compare: `1f2e:…`, sixteen groups."""
    found = hashlib.sha256(public).hexdigest()
    return ":".join(found[at : at + 4] for at in range(0, 64, 4))


def box_id(public: bytes) -> str:
    """Return the id of a box in etcd: the first 16 digits of its fingerprint, so that the id is bound to the key."""
    return hashlib.sha256(public).hexdigest()[:16]


def seal_to(public: bytes, secret: bytes, place: str) -> bytes:
    """Encrypt `secret` to a box, bound to one place. Raises ValueError for an invalid public key."""
    return _SUITE.encrypt(secret, X25519PublicKey.from_public_bytes(public), info=_SIGNED + place.encode())


def open_with(private: bytes, sealed: bytes, place: str) -> bytes:
    """Decrypt the result of `seal_to` for the same place. Raises FleetForged (`fleet-forged`)."""
    try:
        return _SUITE.decrypt(sealed, X25519PrivateKey.from_private_bytes(private), info=_SIGNED + place.encode())
    except (InvalidTag, ValueError) as exc:
        raise forged(place) from exc


class Master(Concealed):
    """The keys that all hubs of a fleet share: the master key and the signing key."""

    __slots__ = ("_cipher", "_previous", "_signing", "raw")

    def __init__(self, raw: bytes, previous: bytes | None = None) -> None:
        """Load the 64 bytes of both keys. `previous`: the bytes before the last key change, for entries not yet sealed again.

        Raises ValueError for another length.
        """
        if len(raw) != 64:
            raise ValueError("a master key has 64 bytes")
        self.raw = raw
        self._cipher = AESGCM(raw[:32])
        self._signing = Ed25519PrivateKey.from_private_bytes(raw[32:])
        self._previous = None if previous is None else Master(previous)

    @classmethod
    def new(cls, random: Random, signing: bytes = b"") -> Master:
        """Generate new keys. `signing`: keep this signing key, because the devices know its public half."""
        return cls(random.token_bytes(32) + (signing or random.token_bytes(32)))

    @property
    def signing(self) -> bytes:
        return self.raw[32:]

    @property
    def verifying(self) -> bytes:
        """Return the public half of the signing key. Devices store it."""
        return self._signing.public_key().public_bytes_raw()

    def seal(self, secret: bytes, place: str, random: Random) -> bytes:
        nonce = random.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, secret, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Decrypt the result of `seal` for the same place. Raises FleetForged (`fleet-forged`)."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode())
        except (InvalidTag, ValueError) as exc:
            if self._previous is not None:
                return self._previous.open(sealed, place)
            raise forged(place) from exc

    def has_sealed(self, sealed: bytes, place: str) -> bool:
        """Tell whether it is sealed under this key, not under the previous one."""
        try:
            self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode())
        except (InvalidTag, ValueError):
            return False
        return True

    def sign(self, text: bytes, place: str) -> bytes:
        return self._signing.sign(_to_sign(text, place))


def verify(public: bytes, text: bytes, signature: bytes, place: str) -> None:
    """Check that a hub wrote `text` for `place`. Raises FleetForged (`fleet-forged`)."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _to_sign(text, place))
    except (InvalidSignature, ValueError) as exc:
        raise forged(place) from exc


def _to_sign(text: bytes, place: str) -> bytes:
    return _SIGNED + place.encode() + b"\0" + text


def forged(place: str) -> FleetForged:
    """Return the error for an entry at `place` whose seal or signature does not verify."""
    return FleetForged(
        "An entry of the fleet in etcd was refused.",
        f"{place} was not written by a hub of this fleet, or was changed or moved afterwards.",
        "Certificates in service are not affected. Check who can write to etcd. A hub rewrites the entry with: certdeck fleet sync",
    )
