"""Removes the padding of a decrypted key, which shows whether the passphrase was right."""

from __future__ import annotations

from cryptography.hazmat.primitives.padding import PKCS7

from core.x509.der import INTEGER, SEQUENCE, NotDer, Reader


class WrongPassphrase(ValueError):
    """The decrypted data is not a key."""


def plain_key(padded: bytes, block: int) -> bytes:
    """Return a PKCS#8 key without its padding. `block`: cipher block size in bytes. Raises WrongPassphrase for other data."""
    unpadder = PKCS7(block * 8).unpadder()
    try:
        found = unpadder.update(padded) + unpadder.finalize()
        inner = Reader(found)
        tags = inner.tags(inner.whole())
    except (ValueError, NotDer) as exc:
        raise WrongPassphrase from exc
    if tags[:2] != [INTEGER, SEQUENCE]:
        raise WrongPassphrase
    return found
