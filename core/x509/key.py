"""Generates, compares and writes private keys. A key never appears in a `repr` or an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from core.key_types import CURVES, KEY_TYPES, RSA_PSS
from core.x509.der import BIT_STRING, INTEGER, OCTET_STRING, SEQUENCE, tlv
from core.x509.spki import algorithm_of, is_pss

if TYPE_CHECKING:
    from core.x509.certificate import Certificate

_MADE: dict[str, ec.EllipticCurve] = {"ec-256": ec.SECP256R1(), "ec-384": ec.SECP384R1(), "ec-521": ec.SECP521R1()}

Public = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey


class PublicPart(Protocol):
    """The public part of a key, for certificates."""

    @property
    def key_type(self) -> str: ...

    @property
    def public(self) -> Public: ...


Native = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


class PrivateKey:
    """A private key. Its repr shows only the type."""

    __slots__ = ("algorithm", "native")

    def __init__(self, native: Native, algorithm: bytes = b"") -> None:
        """Wrap a key object of cryptography.

        Args:
            algorithm: DER AlgorithmIdentifier of an RSA key that is restricted to PSS, with its parameters (RFC 4055);
                cryptography treats such a key as a plain one.
        """
        self.native = native
        self.algorithm = algorithm

    def __repr__(self) -> str:
        return f"PrivateKey({self.key_type})"

    @property
    def key_type(self) -> str:
        if isinstance(self.native, rsa.RSAPrivateKey):
            return f"{RSA_PSS if self.algorithm else 'rsa'}-{self.native.key_size}"
        if isinstance(self.native, ec.EllipticCurvePrivateKey):
            return CURVES.get(self.native.curve.name, "other")
        return "ed25519"

    @property
    def public(self) -> Public:
        return self.native.public_key()

    @property
    def spki(self) -> bytes:
        """DER SubjectPublicKeyInfo of the public key."""
        public = self.native.public_key()
        if self.algorithm and isinstance(public, rsa.RSAPublicKey):
            numbers = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
            return tlv(SEQUENCE, self.algorithm + tlv(BIT_STRING, b"\0" + numbers))
        return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def to_pem(self) -> bytes:
        """Return the key as unencrypted PKCS#8 in PEM. A secret."""
        if self.algorithm:
            return _pem(tlv(SEQUENCE, tlv(INTEGER, b"\0") + self.algorithm + tlv(OCTET_STRING, self._numbers())))
        return self.native.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def _numbers(self) -> bytes:
        return self.native.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )


def generate_key(key_type: str) -> PrivateKey:
    """Generate a key. `rsa-8192` takes seconds (the GIL is released). Raises ValueError for an unknown type."""
    if key_type in _MADE:
        return PrivateKey(ec.generate_private_key(_MADE[key_type]))
    if key_type in KEY_TYPES:
        return PrivateKey(rsa.generate_private_key(65537, int(key_type.removeprefix("rsa-"))))
    raise ValueError(f"unknown key type {key_type!r}")


def matches(certificate: Certificate, key: PrivateKey) -> bool:
    """Tell whether the key matches the certificate."""
    return certificate.public_key_spki == key.spki


def fitted(certificate: Certificate, key: PrivateKey) -> PrivateKey | None:
    """Return the key, adapted to the certificate. None: it does not match.

    Some formats of an RSA key cannot express the restriction to PSS, or lose it when read. If the certificate has the restriction
    and the same public key, the key gets it too.
    """
    if matches(certificate, key):
        return key
    if isinstance(key.native, rsa.RSAPrivateKey) and not key.algorithm and is_pss(certificate.public_key_spki):
        candidate = PrivateKey(key.native, algorithm_of(certificate.public_key_spki)[0])
        return candidate if matches(certificate, candidate) else None
    return None


def _pem(der: bytes) -> bytes:
    from base64 import b64encode

    text = b64encode(der)
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return b"\n".join([b"-----BEGIN PRIVATE KEY-----", *lines, b"-----END PRIVATE KEY-----", b""])
