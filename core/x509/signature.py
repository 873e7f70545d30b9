"""Verifies signatures of keys and certificates (RFC 5280 §6.1.3 a.1, a.4). For the rules of paths, see `core.x509.path`."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import HashAlgorithm

UNVERIFIABLE = (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, InternalError)


def has_signed(above: x509.Certificate, below: x509.Certificate) -> bool:
    """Tell whether `above` is the named issuer of `below` and its key signed it. Never raises."""
    try:
        if above.subject != below.issuer:
            return False
        below.verify_directly_issued_by(above)
    except InvalidSignature:
        return False
    except UNVERIFIABLE:
        return _has_signed_weakly(above, below)
    return True


def _has_signed_weakly(above: x509.Certificate, below: x509.Certificate) -> bool:
    """Verify a signature with SHA-1 or MD5, which cryptography refuses. Other checks report that it is weak."""
    try:
        key, digest, scheme = above.public_key(), below.signature_hash_algorithm, below.signature_algorithm_parameters
    except UNVERIFIABLE:
        return False
    return verifies(key, below.signature, below.tbs_certificate_bytes, digest, scheme)


def verifies(key: object, signature: bytes, data: bytes, digest: HashAlgorithm | None, scheme: object = None) -> bool:
    """Tell whether `signature` is the key's signature of `data`. Never raises.

    Args:
        digest: None for Ed25519 and Ed448, which have their own.
        scheme: PSS parameters of an RSA signature; anything else means PKCS #1 v1.5.
    """
    try:
        if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            key.verify(signature, data)
        elif digest is None:
            return False
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, scheme if isinstance(scheme, padding.PSS) else padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(digest))
        else:
            return False
    except UNVERIFIABLE:
        return False
    return True
