"""The facts of one version of a lineage: `version.json`, written once beside its certificate.

Everything that status and renewal need stands here, so that neither parses a certificate. The fingerprint ties it to the
certificate: if `cert.pem` has another one, it was replaced, and the facts are read from the certificate itself.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from core.errors import StoreCorrupt
from core.store.records import dumped, from_values, parsed, rfc3339

_TEXTS_KEPT = 64
"""The same files are read at each step of a renewal; their text is parsed once."""


class CertificateFacts(Struct, frozen=True, kw_only=True):
    """What stands in a leaf and the chain it came with."""

    subject: str
    """Common name, or the RFC 4514 text where there is none. Data from outside."""
    issuer: str
    names: tuple[str, ...]
    """DNS names (A-labels) and IP addresses of the SAN, in its order."""
    serial: str
    """Upper-case hex, no `0x`."""
    not_before: datetime
    not_after: datetime
    key_type: str
    sha256: str
    """Of the leaf's DER, `AA:BB:…`."""
    self_signed: bool
    chain_length: int
    """Certificates in fullchain.pem, the leaf among them."""
    renewal_id: str | None = None
    """ARI certificate id, `base64url(AKI).base64url(serial)`; RFC 9773 §4.1. Also the value of `replaces`."""
    chain_not_after: datetime | None = None
    """The earliest end among the certificates that are sent. None: an earlier release wrote it."""
    root_sent: bool = False
    """A root is among them."""
    chain_end: str = ""
    """Subject of the intermediate that ends before the leaf; empty where none does."""
    has_revocation: bool | None = None
    """It says where its CA publishes revocations. None: an earlier release wrote it."""


class VersionFacts(Struct, frozen=True, kw_only=True):
    """How a version came about, and its certificate."""

    created: datetime
    ca: str | None
    """The issuer's name as configured here; None for an upload."""
    directory: str | None
    """The ACME directory it was ordered from."""
    method: str
    """`self-signed`, `private-ca`, `http-01`, `dns-01`, `manual-dns-01`, `upload`."""
    certificate: CertificateFacts
    profile: str | None = None
    spec: Mapping[str, object] = field(default_factory=dict)
    """The lineage's settings to be written as its TOML when this version is deployed: plain values (`spec_of`)."""

    def to_json(self) -> bytes:
        """Return the text of `version.json`."""
        certificate = {name: _plain(value) for name, value in asdict(self.certificate).items()}
        mine = {name: _plain(value) for name, value in asdict(self).items() if name != "certificate"}
        return dumped({**mine, "certificate": certificate})

    @classmethod
    @lru_cache(maxsize=_TEXTS_KEPT)
    def from_json(cls, text: bytes, place: object = "version.json") -> VersionFacts:
        """Read `version.json`. Raises StoreCorrupt (`store-corrupt`), StoreTooNew (`store-too-new`)."""
        try:
            raw = parsed(text, place)
            inner = raw.get("certificate") if isinstance(raw, dict) else None
            made = from_values(cls, raw)
            return replace(made, certificate=from_values(CertificateFacts, inner))
        except ValueError as exc:
            raise StoreCorrupt(
                "The data of a stored version cannot be read.",
                "Its version.json was changed or damaged.",
                "Restore it from a backup, or renew the certificate with --force.",
            ) from exc


@lru_cache(maxsize=_TEXTS_KEPT)
def leaf_sha256(pem: bytes) -> str | None:
    """Return the fingerprint of the first certificate in a PEM without parsing it, or None where there is none."""
    import hashlib  # loads OpenSSL: 3 ms

    start = pem.find(b"-----BEGIN CERTIFICATE-----")
    end = pem.find(b"-----END CERTIFICATE-----", start)
    if start < 0 or end < 0:
        return None
    try:
        return hashlib.sha256(a2b_base64(pem[start + 27 : end])).digest().hex(":").upper()
    except Base64Error:
        return None


def certificate_facts(fullchain: bytes) -> CertificateFacts:
    """Parse a PEM, leaf first, into the facts that are kept of it. Imports cryptography.

    Raises ValueError for what is no certificate.
    """
    from core.x509.certificate import parse_pem
    from core.x509.chain_end import first_end
    from core.x509.revocation import places_of

    leaf, *chain = parse_pem(fullchain)
    identifier = leaf.authority_key_identifier
    first = first_end(leaf, chain)
    return CertificateFacts(
        subject=leaf.subject,
        issuer=leaf.issuer,
        names=leaf.names,
        serial=leaf.serial,
        not_before=leaf.not_before,
        not_after=leaf.not_after,
        key_type=leaf.key_type,
        sha256=leaf.sha256,
        self_signed=leaf.self_signed,
        chain_length=1 + len(chain),
        chain_not_after=first.not_after,
        chain_end="" if first is leaf else first.subject,
        root_sent=any(each.self_signed for each in chain),
        has_revocation=bool(places_of(leaf)),
        renewal_id=None
        if identifier is None
        else f"{_base64url(identifier)}.{_base64url(_der_integer(int(leaf.serial, 16)))}",
    )


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _der_integer(number: int) -> bytes:
    """Return the content octets of a DER INTEGER: a leading zero where the first bit is set (RFC 9773 §4.1)."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big", signed=number < 0)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return rfc3339(value)
    return list(value) if isinstance(value, tuple) else value
