"""SHA-256 of a certificate as status shows it, made without cryptography: looking at a target must stay cheap."""

from __future__ import annotations

import base64
import binascii
import hashlib

BEGIN = b"-----BEGIN CERTIFICATE-----"
END = b"-----END CERTIFICATE-----"


def sha256_of_der(der: bytes) -> str:
    """Return `AA:BB:…`, 32 pairs of upper-case hex digits."""
    return hashlib.sha256(der).digest().hex(":").upper()


def sha256_of_pem(pem: bytes) -> str | None:
    """Return the fingerprint of the first certificate in `pem`, or None when there is none to be read."""
    _, begin, rest = pem.partition(BEGIN)
    body, end, _ = rest.partition(END)
    if not begin or not end:
        return None
    try:
        return sha256_of_der(base64.b64decode(b"".join(body.split()), validate=True))
    except binascii.Error:
        return None
