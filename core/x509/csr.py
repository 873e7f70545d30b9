"""Certificate signing requests (RFC 2986): with the names in the SAN, and a subject for CAs that require one.

They have no extended key usage (Google refuses it) and no must-staple (Let's Encrypt refuses it since 2025-05-07): the CA decides
both. For ACME they have no subject, unless the issuer is configured to get a common name.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from core.key_types import CURVES
from core.x509.key import PrivateKey, Public, PublicPart

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
    """Return the request for `names` (A-labels, `*.` names, IP addresses) for ACME, in DER.

    Args:
        common_name: put the first name that fits into the subject, for a CA that requires one there.
    """
    fitting = [name for name in names if len(name) <= _LONGEST_COMMON_NAME] if common_name else []
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in fitting[:1]])
    return _signed(key, names, subject).public_bytes(Encoding.DER)


def build_request(key: PrivateKey, names: Sequence[str], subject: Sequence[tuple[str, str]]) -> str:
    """Return the request for a CA without ACME, in PEM.

    The first name is also the common name, if it fits: the forms of many CAs require one, and clients ignore it.

    Args:
        subject: the result of `core.x509.subject.parse_subject`.
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
    """Return names in the form of a SAN."""
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


class SigningRequest(PublicPart):
    """A request that was created elsewhere. Raises ValueError if it is invalid or not signed with its own key."""

    def __init__(self, der: bytes) -> None:
        try:
            self._request = x509.load_der_x509_csr(der)
            is_signed = self._request.is_signature_valid
            public = self._request.public_key()
        except Exception as exc:  # the parser's exceptions for damaged input differ between releases
            raise ValueError("it is not a signing request") from exc
        if not is_signed or not isinstance(
            public, ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey
        ):
            raise ValueError("it is not signed with its own key")
        self.der = der
        self._public: Public = public

    @property
    def public(self) -> Public:
        return self._public

    @property
    def key_type(self) -> str:
        if isinstance(self._public, rsa.RSAPublicKey):
            return f"rsa-{self._public.key_size}"
        if isinstance(self._public, ec.EllipticCurvePublicKey):
            return CURVES.get(self._public.curve.name, "other")
        return "ed25519"

    @property
    def spki(self) -> bytes:
        """DER SubjectPublicKeyInfo."""
        return self._public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def names(self) -> frozenset[str]:
        """The DNS names and IP addresses in its SAN."""
        try:
            found = self._request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (x509.ExtensionNotFound, ValueError):
            return frozenset()
        dns = found.get_values_for_type(x509.DNSName)
        return frozenset({*dns, *map(str, found.get_values_for_type(x509.IPAddress))})


def signature_hash(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None:
    """Return the hash for signatures of this key. None: Ed25519 needs none."""
    if isinstance(key.native, ed25519.Ed25519PrivateKey):
        return None
    if key.key_type == "ec-384":
        return hashes.SHA384()
    return hashes.SHA512() if key.key_type == "ec-521" else hashes.SHA256()
