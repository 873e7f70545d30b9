"""A CA that publishes revocations: lists and OCSP answers made with cryptography, of any kind that a test may want."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from tests.support.authority import Authority, Leaf
from tests.support.pki import pki_server


def list_at(*urls: str) -> x509.CRLDistributionPoints:
    """Return the extension that says where the list is."""
    names = [x509.UniformResourceIdentifier(url) for url in urls]
    return x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)])


def responder_at(*urls: str) -> x509.AuthorityInformationAccess:
    """Return the extension that says where the responder is."""
    return x509.AuthorityInformationAccess(
        [
            x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(url))
            for url in urls
        ]
    )


def revocation_list(
    authority: Authority,
    revoked: Mapping[int, datetime],
    now: datetime,
    *,
    signer: Leaf | None = None,
    lives: timedelta = timedelta(days=7),
    age: timedelta = timedelta(hours=1),
    reason: x509.ReasonFlags | None = x509.ReasonFlags.key_compromise,
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (),
) -> bytes:
    """Return a list in DER. `revoked`: serial → since when."""
    by = signer or authority.intermediate
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.intermediate.certificate.subject)
        .last_update(now - age)
        .next_update(now - age + lives)
        .add_extension(x509.CRLNumber(7), critical=False)
    )
    for extension, is_critical in extensions:
        builder = builder.add_extension(extension, is_critical)
    for serial, at in revoked.items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at)
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)  # never ed25519 here


def ocsp_answer(
    authority: Authority,
    leaf: x509.Certificate,
    now: datetime,
    *,
    revoked_at: datetime | None = None,
    status: ocsp.OCSPCertStatus | None = None,
    signer: Leaf | None = None,
    sends: tuple[x509.Certificate, ...] = (),
    lives: timedelta | None = timedelta(days=7),
    age: timedelta = timedelta(hours=1),
) -> bytes:
    """Return a response in DER about one leaf. `signer`: who signs in the CA's place; `sends`: with these certificates."""
    by = signer or authority.intermediate
    what = status or (ocsp.OCSPCertStatus.GOOD if revoked_at is None else ocsp.OCSPCertStatus.REVOKED)
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=leaf,
            issuer=authority.intermediate.certificate,
            algorithm=hashes.SHA1(),  # noqa: S303 - what responders take
            cert_status=what,
            this_update=now - age,
            next_update=None if lives is None else now - age + lives,
            revocation_time=revoked_at,
            revocation_reason=x509.ReasonFlags.superseded if revoked_at else None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, by.certificate)
    )
    if sends:
        builder = builder.certificates(list(sends))
    return builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)  # never ed25519 here


@dataclass
class Publisher:
    """The web server of a CA: `files` by path, and what its responder answers."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    responder: Callable[[bytes], bytes] = lambda request: b""
    seen: list[str] = field(default_factory=list)

    @contextmanager
    def served(self) -> Iterator[Publisher]:
        """Serve until the context ends."""
        with pki_server(self.files, lambda request: self.responder(request), self.seen) as self.url:
            yield self
