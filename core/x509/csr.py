"""Certificate signing requests (RFC 2986): names in the SAN, and for a CA that wants one a subject.

No extended key usage (Google refuses it), no must-staple (Let's Encrypt refuses it since 2025-05-07): a CA decides both by itself.
For ACME there is no subject either, unless the issuer is set to get a common name.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from core.x509.key import PrivateKey

_ATTRIBUTES = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
}
_LONGEST_COMMON_NAME = 64
"""RFC 5280, ub-common-name."""


def build_csr(key: PrivateKey, names: Sequence[str], *, common_name: bool = False) -> bytes:
    """Return the request for `names` (A-labels, `*.` names, IP addresses) as ACME wants it, in DER.

    Args:
        common_name: put the first name that fits into the subject, for a CA that wants one there.
    """
    fitting = [name for name in names if len(name) <= _LONGEST_COMMON_NAME] if common_name else []
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in fitting[:1]])
    return _signed(key, names, subject).public_bytes(Encoding.DER)


def build_request(key: PrivateKey, names: Sequence[str], subject: Sequence[tuple[str, str]]) -> str:
    """Return the request for a CA that is asked by hand, in PEM.

    The first name is the common name as well, where it fits: forms of many CAs want one, and no client looks at it.

    Args:
        subject: what `core.x509.subject.parse_subject` gives.
    """
    attributes = [x509.NameAttribute(_ATTRIBUTES[kind], value) for kind, value in subject]
    if len(names[0]) <= _LONGEST_COMMON_NAME:
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, names[0]))
    return _signed(key, names, x509.Name(attributes)).public_bytes(Encoding.PEM).decode("ascii")


def _signed(key: PrivateKey, names: Sequence[str], subject: x509.Name) -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder(subject)
    builder = builder.add_extension(x509.SubjectAlternativeName(general_names(names)), critical=False)
    return builder.sign(key.native, signature_hash(key))


def general_names(names: Sequence[str]) -> list[x509.GeneralName]:
    """Return names as they stand in a SAN."""
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def signature_hash(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None:
    """Return the hash that a key of this kind signs with."""
    if isinstance(key.native, ed25519.Ed25519PrivateKey):
        return None
    if key.key_type == "ec-384":
        return hashes.SHA384()
    return hashes.SHA512() if key.key_type == "ec-521" else hashes.SHA256()
