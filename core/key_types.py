"""The key types of certificates in one table: configured names, curves, sizes. Lightweight: imports nothing."""

from __future__ import annotations

KEY_TYPES = ("ec-256", "ec-384", "ec-521", "rsa-2048", "rsa-3072", "rsa-4096", "rsa-8192")
"""The types that can be ordered and generated."""
CURVES = {"secp256r1": "ec-256", "secp384r1": "ec-384", "secp521r1": "ec-521"}
"""Name of the curve (SEC 2) → key type."""
SMALLEST_RSA = 2048
"""Bits. Servers and browsers reject smaller keys."""
LARGEST_RSA = 16384
"""Bits. No server accepts larger keys."""
LARGEST_QUICK_RSA = 8192
"""Bits. A larger key makes every connection slow."""
EXPLICIT_CURVE = "ec-explicit"
"""Key type of an EC key whose curve is written out instead of named, which RFC 5480 §2.1.1 forbids."""
RSA_PSS = "rsa-pss"
"""Prefix of the key type of an RSA key that is only for RSASSA-PSS (RFC 4055): `rsa-pss-2048`."""


def key_words(key_type: str) -> str:
    """Return a key type in words: `EC P-256`, `RSA with 2048 bits`."""
    if key_type.startswith(f"{RSA_PSS}-"):
        return f"RSA-PSS with {key_type.removeprefix(f'{RSA_PSS}-')} bits"
    family, _, size = key_type.partition("-")
    words = {"ec": f"EC P-{size}", "rsa": f"RSA with {size} bits", "ed25519": "Ed25519", "ed448": "Ed448"}
    return "EC, its curve written out" if key_type == EXPLICIT_CURVE else words.get(family, "EC")
