"""Private keys: made, read, compared. A key shows itself nowhere: not in `repr`, not in an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from core.x509.passphrase import no_panic

if TYPE_CHECKING:
    from core.x509.certificate import Certificate

KEY_TYPES = ("ec-256", "ec-384", "ec-521", "rsa-2048", "rsa-3072", "rsa-4096", "rsa-8192")
_CURVES: dict[str, ec.EllipticCurve] = {"ec-256": ec.SECP256R1(), "ec-384": ec.SECP384R1(), "ec-521": ec.SECP521R1()}
_NAMES = {curve.name: name for name, curve in _CURVES.items()}

Native = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


class MalformedKey(ValueError):
    """The bytes are no private key that can be used; the text is a sentence for people."""


class PrivateKey:
    """A private key. Its repr shows the type alone."""

    __slots__ = ("native",)

    def __init__(self, native: Native) -> None:
        self.native = native

    def __repr__(self) -> str:
        return f"PrivateKey({self.key_type})"

    @property
    def key_type(self) -> str:
        if isinstance(self.native, rsa.RSAPrivateKey):
            return f"rsa-{self.native.key_size}"
        if isinstance(self.native, ec.EllipticCurvePrivateKey):
            return _NAMES.get(self.native.curve.name, "other")
        return "ed25519"

    @property
    def spki(self) -> bytes:
        """DER SubjectPublicKeyInfo of the public half."""
        return self.native.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def to_pem(self) -> bytes:
        """Return PKCS#8, unencrypted. A secret."""
        return self.native.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def generate_key(key_type: str) -> PrivateKey:
    """Make a key. `rsa-8192` takes seconds (the GIL is released). Raises ValueError for an unknown type."""
    if key_type in _CURVES:
        return PrivateKey(ec.generate_private_key(_CURVES[key_type]))
    if key_type in KEY_TYPES:
        return PrivateKey(rsa.generate_private_key(65537, int(key_type.removeprefix("rsa-"))))
    raise ValueError(f"unknown key type {key_type!r}")


def load_key(pem: bytes, passphrase: bytes | None = None) -> PrivateKey:
    """Read a PEM key; an empty passphrase is none. Raises MalformedKey."""
    passphrase = passphrase or None
    try:
        with no_panic():
            native = serialization.load_pem_private_key(pem, passphrase)
    except TypeError as exc:
        wanted = "It is protected by a passphrase." if passphrase is None else "It has no passphrase."
        raise MalformedKey(wanted) from exc
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise MalformedKey("It is damaged, or the passphrase is wrong.") from exc
    if not isinstance(native, Native):
        raise MalformedKey("Its kind is none that TLS servers use.")
    return PrivateKey(native)


def matches(certificate: Certificate, key: PrivateKey) -> bool:
    """Tell whether the key belongs to the certificate."""
    return certificate.public_key_spki == key.spki
