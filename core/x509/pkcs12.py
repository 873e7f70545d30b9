"""Writes PKCS#12 files (RFC 7292), for Windows, Java and appliances that accept nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import PBES, serialize_key_and_certificates

from core.x509.certificate import Certificate
from core.x509.key import PrivateKey
from core.x509.passphrase import for_pkcs12, no_panic

_LEGACY_ROUNDS = 50_000


class PssKey(ValueError):
    """The library would write a key that is restricted to PSS as a plain RSA key. The text is a sentence for messages."""


def to_pfx(
    key: PrivateKey, leaf: Certificate, chain: Sequence[Certificate], passphrase: bytes | None, legacy: bool, name: str
) -> bytes:
    """Return the content of a PKCS#12 file.

    Args:
        passphrase: UTF-8. None or empty: the file is not encrypted.
        legacy: use 3DES and SHA-1, for Windows Server 2016, Java 8 and older.
        name: the friendly name.

    Raises PssKey, UnusablePassphrase.
    """
    if key.algorithm:
        raise PssKey(
            "Its key is of type RSA-PSS, which would be written as a plain RSA key: no service could use the pair."
        )
    passphrase = for_pkcs12(passphrase)
    certificates = [each.native for each in chain]
    own = leaf.native
    with no_panic():
        return serialize_key_and_certificates(
            name.encode(), key.native, own, certificates, _encryption(passphrase, legacy)
        )


def _encryption(passphrase: bytes | None, legacy: bool) -> KeySerializationEncryption:
    if not passphrase:
        return NoEncryption()
    if not legacy:
        return BestAvailableEncryption(passphrase)
    return (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(_LEGACY_ROUNDS)
        .key_cert_algorithm(PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())  # noqa: S303 - what the old readers ask for
        .build(passphrase)
    )
