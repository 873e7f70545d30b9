"""Certificate signing requests (RFC 2986) as ACME wants them: names in the SAN, nothing else.

No subject, no extended key usage (Google refuses it), no must-staple (Let's Encrypt refuses it since 2025-05-07).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from core.x509.key import PrivateKey


def build_csr(key: PrivateKey, names: Sequence[str]) -> bytes:
    """Return the request for `names` (A-labels, `*.` names, IP addresses) as DER."""
    builder = x509.CertificateSigningRequestBuilder(x509.Name([]))
    builder = builder.add_extension(x509.SubjectAlternativeName(general_names(names)), critical=False)
    return builder.sign(key.native, signature_hash(key)).public_bytes(Encoding.DER)


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
