"""Whether one certificate has signed another (RFC 5280 §6.1.3 a.1, a.4). What is allowed: `core.x509.path`."""

from __future__ import annotations

import warnings

from cryptography import x509
from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

UNVERIFIABLE = (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, InternalError)


def has_signed(above: x509.Certificate, below: x509.Certificate) -> bool:
    """Tell whether `above` is named as the issuer of `below`, and its key has signed it. Never raises."""
    with warnings.catch_warnings():
        # cryptography warns of names that break RFC 5280 whenever it looks at them.
        warnings.simplefilter("ignore")
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
    """Look at a signature over SHA-1 or MD5, which cryptography refuses to look at: that it is weak is said elsewhere."""
    try:
        key = above.public_key()
        digest = below.signature_hash_algorithm
        parameters = below.signature_algorithm_parameters
        if digest is None:
            return False
        if isinstance(key, rsa.RSAPublicKey) and isinstance(parameters, padding.PKCS1v15 | padding.PSS):
            key.verify(below.signature, below.tbs_certificate_bytes, parameters, digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(parameters, ec.ECDSA):
            key.verify(below.signature, below.tbs_certificate_bytes, parameters)
        else:
            return False
    except UNVERIFIABLE:
        return False
    return True
