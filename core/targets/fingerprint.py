"""SHA-256 of a certificate as status shows it, computed without the cryptography package: observing a target must stay cheap."""

from __future__ import annotations

from core.store.versions import leaf_sha256


def sha256_of_der(der: bytes) -> str:
    """Return `AA:BB:…`, 32 pairs of upper-case hex digits."""
    import hashlib

    return hashlib.sha256(der).digest().hex(":").upper()


def sha256_of_pem(pem: bytes) -> str | None:
    """Return the fingerprint of the first certificate in `pem`, or None if it contains no readable one."""
    return leaf_sha256(pem)
