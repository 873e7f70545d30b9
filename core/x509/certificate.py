"""One parsed certificate as plain values (RFC 5280).

All text comes from the creator of the certificate, so it is cleaned here, at the source: control characters, terminal escapes and
bidirectional overrides never reach a screen, a log or a file name.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from base64 import b64encode, urlsafe_b64encode
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from msgspec import Struct

from core.key_types import CURVES, EXPLICIT_CURVE, RSA_PSS
from core.text import visible
from core.x509.signature import has_signed
from core.x509.spki import is_explicit_curve, is_pss, spki_of

LONGEST_TEXT = 200
LONGEST_NAME = 255
"""A DNS name has at most 253 characters (RFC 1035). Names are compared with the ordered ones, so none may be cut."""
_KEPT = 32
"""Number of cached certificates: a new one is parsed five times until it is live, and many share a chain."""
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_UNREADABLE = (
    # The exceptions of cryptography, from tests with tens of thousands of altered certificates.
    ValueError,
    TypeError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
)


class MalformedCertificate(ValueError):
    """The bytes are not a certificate. The text is a sentence for messages."""


class Certificate(Struct, frozen=True, kw_only=True):
    """The content of a certificate."""

    der: bytes
    subject: str
    """Common name, else the first SAN, else the whole name. Cleaned, at most 200 characters."""
    issuer: str
    """Organization and common name of the issuer. Cleaned."""
    issuer_cn: str
    serial: str
    """Upper-case hex of whole bytes, no `0x`."""
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]
    """DNS names (A-labels, lower case) and IP addresses of the SAN, in its order. Without a SAN: the common name."""
    dns_names: tuple[str, ...]
    """Those of `names` that are DNS names in the certificate, whatever they look like."""
    addresses: tuple[str, ...]
    """Those of `names` that are IP addresses in the SAN."""
    has_san: bool
    self_signed: bool
    """Determined by its signature, not only by its names."""
    is_ca: bool
    key_type: str
    """`ec-256`, `rsa-2048`, `rsa-pss-2048`, `ec-explicit`, `ed25519` …, `other`."""
    sha256: str
    """`AA:BB:…` of the DER."""
    authority_key_identifier: bytes | None
    public_key_spki: bytes
    """DER SubjectPublicKeyInfo; for an EC key in normalized form, for comparison with keys. Empty: unreadable."""
    native: x509.Certificate
    """The certificate object of cryptography."""

    @property
    def extensions(self) -> x509.Extensions:
        """The parsed extensions. Accessing them does not fail."""
        return self.native.extensions

    @property
    def renewal_id(self) -> str | None:
        """Its ARI identifier, also for `replaces`: `base64url(AKI).base64url(serial)` (RFC 9773 §4.1). None: it has no AKI."""
        if self.authority_key_identifier is None or self.serial.startswith("-"):
            return None
        number = int(self.serial, 16)
        # The content of a DER INTEGER: two's complement, so with a leading zero if the highest bit is set.
        serial = number.to_bytes(number.bit_length() // 8 + 1, "big")
        return f"{_base64url(self.authority_key_identifier)}.{_base64url(serial)}"


def parse_pem(data: bytes) -> list[Certificate]:
    """Parse every certificate block, in order. Raises MalformedCertificate if there is none or one is damaged."""
    blocks = _BLOCK.findall(data)
    if not blocks:
        raise MalformedCertificate("It contains no PEM certificate.")
    return [_parse_block(block) for block in blocks]


@lru_cache(maxsize=_KEPT)
def _parse_block(block: bytes) -> Certificate:
    try:
        parsed = x509.load_pem_x509_certificate(block)
    except _UNREADABLE as exc:
        raise MalformedCertificate("It contains a damaged certificate.") from exc
    return _values(parsed)


def parse_der(data: bytes) -> Certificate:
    """Parse a certificate. Raises MalformedCertificate."""
    try:
        parsed = x509.load_der_x509_certificate(data)
    except _UNREADABLE as exc:
        raise MalformedCertificate("It is not a DER certificate.") from exc
    return _values(parsed)


def to_pem(certificate: Certificate) -> bytes:
    """Return the PEM, with 64 characters in a line and a newline at its end."""
    text = b64encode(certificate.der)
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return b"\n".join([b"-----BEGIN CERTIFICATE-----", *lines, b"-----END CERTIFICATE-----", b""])


def printable(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return text with U+FFFD for each invisible or control character, at most `longest` characters."""
    return visible(text, longest)


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _values(parsed: x509.Certificate) -> Certificate:
    try:
        return _read(parsed)
    except _UNREADABLE as exc:
        raise MalformedCertificate("A part of the certificate violates RFC 5280.") from exc


def _read(parsed: x509.Certificate) -> Certificate:
    der = parsed.public_bytes(Encoding.DER)
    digest = hashlib.sha256(der).hexdigest().upper()
    common_name = _attribute(parsed.subject, NameOID.COMMON_NAME)
    alternative = _alternative_names(parsed)
    names: tuple[str, ...]
    dns_names: tuple[str, ...]
    addresses: tuple[str, ...] = ()
    if alternative is None:
        names = dns_names = (common_name.lower(),) if common_name else ()
    else:
        dns_names = tuple(name for name, is_address in alternative if not is_address)
        addresses = tuple(name for name, is_address in alternative if is_address)
        names = tuple(name for name, _ in alternative)
    issuer_cn = _attribute(parsed.issuer, NameOID.COMMON_NAME)
    organisation = _attribute(parsed.issuer, NameOID.ORGANIZATION_NAME)
    issuer = f"{organisation} {issuer_cn}".strip() if issuer_cn != organisation else issuer_cn
    key = _public_key(parsed)
    return Certificate(
        der=der,
        subject=printable(common_name or (names[0] if names else "") or parsed.subject.rfc4514_string()),
        issuer=printable(issuer or parsed.issuer.rfc4514_string()),
        issuer_cn=printable(issuer_cn),
        serial=_serial(parsed.serial_number),
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        names=_printables(names),
        dns_names=_printables(dns_names),
        addresses=addresses,
        has_san=alternative is not None,
        self_signed=parsed.subject == parsed.issuer and has_signed(parsed, parsed),
        is_ca=_is_ca(parsed),
        key_type=_key_type(key, spki_of(parsed)),
        sha256=":".join(digest[i : i + 2] for i in range(0, 64, 2)),
        authority_key_identifier=_authority_key_identifier(parsed),
        public_key_spki=_comparable_spki(parsed, key),
        native=parsed,
    )


def _printables(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(printable(name, LONGEST_NAME) for name in names)


def _serial(number: int) -> str:
    """Return a serial number in OpenSSL's format: hex of whole bytes, with a leading zero if needed."""
    digits = f"{abs(number):X}"
    return f"{'-' if number < 0 else ''}{digits.zfill(len(digits) + len(digits) % 2)}"


def _attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    found = name.get_attributes_for_oid(oid)
    value = found[0].value if found else ""
    # Stripped, so that a blank name counts as empty and the next one is used.
    return (value if isinstance(value, str) else value.decode("latin-1")).strip()


def _alternative_names(parsed: x509.Certificate) -> list[tuple[str, bool]] | None:
    """Return (name, whether it is an IP address) for the SAN's DNS names and IP addresses. None: there is no SAN."""
    try:
        san = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    found = []
    for general in san:
        if isinstance(general, x509.DNSName):
            found.append((general.value.lower(), False))
        elif isinstance(general, x509.IPAddress):
            found.append((str(general.value), True))
    return found


def _public_key(parsed: x509.Certificate) -> object | None:
    try:
        return parsed.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None


def _key_type(key: object | None, spki: bytes) -> str:
    if is_explicit_curve(spki):
        return EXPLICIT_CURVE
    if isinstance(key, rsa.RSAPublicKey):
        return f"{RSA_PSS if is_pss(spki) else 'rsa'}-{key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return CURVES.get(key.curve.name, "other")
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519"
    return "ed448" if isinstance(key, ed448.Ed448PublicKey) else "other"


def _comparable_spki(parsed: x509.Certificate, key: object | None) -> bytes:
    """Return the public key in the normalized form of the key classes: it may have a compressed point or an explicit curve."""
    if key is None:
        return b""
    own = spki_of(parsed)
    # cryptography does not keep the restriction of a key to PSS.
    return own if is_pss(own) else parsed.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _is_ca(parsed: x509.Certificate) -> bool:
    try:
        return parsed.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _authority_key_identifier(parsed: x509.Certificate) -> bytes | None:
    try:
        return parsed.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:
        return None


def is_address(name: str) -> bool:
    """Tell whether a SAN's text is an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
