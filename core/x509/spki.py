"""Reads the algorithm of a public or private key from its DER (RFC 5280 §4.1.2.7, RFC 5958).

cryptography loses two things when it loads a key: the restriction of an RSA key to PSS (RFC 4055), and explicit curve parameters of
an EC key (forbidden by RFC 5480 §2.1.1). A server needs the first, and clients reject the second.
"""

from __future__ import annotations

from cryptography import x509

from core.x509.der import OID, SEQUENCE, NotDer, Reader

PSS = bytes.fromhex("2a864886f70d01010a")
"""1.2.840.113549.1.1.10, id-RSASSA-PSS."""
EC = bytes.fromhex("2a8648ce3d0201")
_VERSION = 0xA0
_NIST = bytes.fromhex("6086480165030403")
_SLH_DSA = tuple(
    f"SLH-DSA-{digest}-{size}{speed}" for digest in ("SHA2", "SHAKE") for size in (128, 192, 256) for speed in "sf"
)
_OTHERS = {
    bytes.fromhex("2b6571"): "Ed448",
    bytes.fromhex("2b656e"): "X25519",
    bytes.fromhex("2b656f"): "X448",
    bytes.fromhex("2a8648ce380401"): "DSA",
    bytes.fromhex("2a864886f70d010301"): "Diffie-Hellman",
    bytes.fromhex("2a8648ce3e0201"): "Diffie-Hellman",
    **{_NIST + bytes([17 + number]): f"ML-DSA-{size}" for number, size in enumerate((44, 65, 87))},
    **{_NIST + bytes([20 + number]): name for number, name in enumerate(_SLH_DSA)},
}
"""Key types that TLS servers do not use."""


def spki_of(certificate: x509.Certificate) -> bytes:
    """Return the DER SubjectPublicKeyInfo of a certificate, unchanged. Empty: it cannot be found."""
    try:
        reader = Reader(certificate.tbs_certificate_bytes)
        parts = list(reader.children(reader.whole()))
        # version? serialNumber signature issuer validity subject subjectPublicKeyInfo
        number = 6 if parts and parts[0].tag == _VERSION else 5
        return reader.data[parts[number - 1].after : parts[number].after]
    except (NotDer, IndexError):
        return b""


def algorithm_of(der: bytes) -> tuple[bytes, bytes]:
    """Return the DER AlgorithmIdentifier of an SPKI or an unencrypted PKCS#8, and the content of its OID. Empty: other data."""
    try:
        reader = Reader(der)
        previous = reader.whole().start
        for child in reader.children(reader.whole()):
            if child.tag == SEQUENCE:
                oid = next(reader.children(child), None)
                is_named = oid is not None and oid.tag == OID
                return der[previous : child.after], reader.content(oid) if is_named and oid else b""
            previous = child.after
    except NotDer:
        pass
    return b"", b""


def other_key_name(der: bytes) -> str:
    """Return the name of a key type (SPKI or PKCS#8) that TLS servers do not use. Empty: another type."""
    return _OTHERS.get(algorithm_of(der)[1], "")


def is_pss(der: bytes) -> bool:
    """Tell whether an SPKI or a PKCS#8 contains an RSA key that is restricted to PSS."""
    return algorithm_of(der)[1] == PSS


def is_explicit_curve(der: bytes) -> bool:
    """Tell whether an EC key (SPKI, PKCS#8 or SEC 1) has explicit curve parameters."""
    try:
        reader = Reader(der)
        top = list(reader.children(reader.whole()))
        for child in top:
            inside = list(reader.children(child)) if child.is_constructed else []
            if child.tag == SEQUENCE and inside and inside[0].tag == OID and reader.content(inside[0]) == EC:
                return len(inside) > 1 and inside[1].tag == SEQUENCE
            if child.tag == _VERSION and inside and inside[0].tag == SEQUENCE:  # the parameters of SEC 1
                return True
    except NotDer:
        pass
    return False
