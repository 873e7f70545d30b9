"""Whether a certificate and a private key belong together."""

from __future__ import annotations


def pair_problem(fullchain: bytes, privkey: bytes) -> str:
    """Return in one sentence why a key (PEM) is not the one of the first certificate (PEM); empty where it is."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificate

    spki = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    try:
        leaf = load_pem_x509_certificate(fullchain).public_key()
        # The primality proof of an RSA-8192 key takes seconds, and a made-up key cannot have our certificate's modulus.
        key = load_pem_private_key(privkey, None, unsafe_skip_rsa_key_validation=True).public_key()
        matches = leaf.public_bytes(*spki) == key.public_bytes(*spki)
    except Exception as exc:  # noqa: BLE001 - what the parser says of damaged files differs from release to release
        return f"Its files cannot be read as certificate and key ({type(exc).__name__})."
    return "" if matches else "Its private key belongs to another certificate."
