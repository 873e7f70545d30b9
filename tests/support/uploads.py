"""Uploads for tests: what somebody might bring, and what the checks make of it, without a box around it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from core.upload.bundle import CertificateBundle, assemble
from core.upload.checks import CheckContext, is_accepted, run_checks
from core.upload.parse import parse_upload
from core.upload.parsed import ParsedUpload
from core.upload.values import CheckResult, Part, Upload
from core.version import BUILT
from core.x509.trust_store import TrustStore
from tests.support.authority import Authority, PrivateKey, key_pem, make_key
from tests.support.clock import NOON
from tests.support.programs import find_program


def upload(*contents: bytes, passphrase: bytes | None = None) -> Upload:
    """Return an upload of files called `file 1`, `file 2` …"""
    parts = tuple(Part(f"file {number}", content) for number, content in enumerate(contents, 1))
    return Upload(parts, passphrase)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What became of an upload."""

    pieces: ParsedUpload
    material: CertificateBundle | None
    results: tuple[CheckResult, ...]

    @property
    def accepted(self) -> bool:
        return is_accepted(self.results)

    def __getitem__(self, id: str) -> CheckResult:
        return next(each for each in self.results if each.id == id)

    @property
    def failed(self) -> list[str]:
        """The ids of the checks that failed."""
        return [each.id for each in self.results if each.status == "fail"]

    @property
    def text(self) -> str:
        """Every word that a person would read."""
        notes = () if self.material is None else self.material.notes
        return "\n".join([*(f"{each.detail} {each.fix}" for each in self.results), *notes])


def judge(
    *contents: bytes,
    passphrase: bytes | None = None,
    roots: bytes = b"",
    known: bytes = b"",
    now: datetime = NOON,
    force: bool = False,
    **case: Any,
) -> Judged:
    """Recognise and check; `roots` is the system's trust store, `known` the chain that the lineage has now."""
    stores = (
        TrustStore("this system's trust store", lambda: roots),
        TrustStore("the chain that shop has now", lambda: known, trusted=False),
    )
    pieces = parse_upload(upload(*contents, passphrase=passphrase))
    material = assemble(pieces, stores, max(now, BUILT), hosts=case.get("hosts", ()))
    given = CheckContext(pieces=pieces, material=material, now=now, built=BUILT, **case)
    return Judged(pieces=pieces, material=material, results=run_checks(given, force=force))


def pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def name(text: str) -> x509.Name:
    """Return a subject of one common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def sign(
    subject: x509.Name | str,
    key: PrivateKey,
    *,
    issuer: x509.Name | str | None = None,
    issuer_key: PrivateKey | None = None,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    not_before: datetime = NOON - timedelta(days=30),
    not_after: datetime = NOON + timedelta(days=335),
    algorithm: hashes.HashAlgorithm | None = None,
    serial: int | None = None,
) -> x509.Certificate:
    """Sign a certificate with nothing in it that was not asked for; by itself, unless an issuer is given."""
    own = name(subject) if isinstance(subject, str) else subject
    above = name(issuer) if isinstance(issuer, str) else issuer or own
    builder = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(above)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    signer = issuer_key or key
    return builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else algorithm or hashes.SHA256())


def ca(
    subject: str,
    *,
    above: tuple[x509.Certificate, PrivateKey] | None = None,
    path_length: int | None = None,
    **fields: Any,
) -> tuple[x509.Certificate, PrivateKey]:
    """Make a CA's certificate as plain `openssl` does, with basic constraints and nothing else; below another where given."""
    key = fields.pop("key", None) or make_key()
    if above is not None:
        fields |= {"issuer": above[0].subject, "issuer_key": above[1]}
    constraints = (x509.BasicConstraints(ca=True, path_length=path_length), True)
    return sign(subject, key, extensions=[constraints, *fields.pop("more", ())], **fields), key


def mersenne_key() -> rsa.RSAPrivateKey:
    """Return an RSA key of 8676 bits, of two Mersenne primes: to look for others takes a minute. Worth nothing."""
    p, q, e = 2**4423 - 1, 2**4253 - 1, 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(e, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public)
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def san(*names: str) -> tuple[x509.ExtensionType, bool]:
    """Return the extension that holds alternative names."""
    return x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), False


def signed_by_openssl(
    folder: Path,
    subject: str,
    key: PrivateKey,
    above: tuple[x509.Certificate, PrivateKey],
    digest: str,
    extensions: str,
) -> x509.Certificate:
    """Sign with an algorithm that cryptography refuses to sign with, by the program `openssl`."""
    request = x509.CertificateSigningRequestBuilder(name(subject)).sign(key, hashes.SHA256())
    (folder / "csr").write_bytes(request.public_bytes(serialization.Encoding.PEM))
    (folder / "ca").write_bytes(pem(above[0]))
    (folder / "ca-key").write_bytes(key_pem(above[1]))
    (folder / "extensions").write_text(extensions)
    argv = [
        find_program("openssl"),
        "x509",
        "-req",
        "-in",
        "csr",
        "-CA",
        "ca",
        "-CAkey",
        "ca-key",
        f"-{digest}",
        "-days",
        "90",
    ]
    argv += ["-extfile", "extensions", "-set_serial", "77"]
    done = subprocess.run(argv, check=True, capture_output=True, cwd=folder)
    return x509.load_pem_x509_certificate(done.stdout)


def answer_to(request: str, authority: Authority, *, chain: bool = True, urls: Sequence[str] = ()) -> bytes:
    """Return what a CA sends back for a signing request (PEM), with its intermediate; `urls`: where it says that that is."""
    csr = x509.load_pem_x509_csr(request.encode())
    names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    builder = (
        x509.CertificateBuilder()
        .subject_name(csr.subject)
        .issuer_name(authority.intermediate.certificate.subject)
        .public_key(csr.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(authority.now - timedelta(days=1))
        .not_valid_after(authority.now + timedelta(days=197))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    if urls:
        builder = builder.add_extension(issuer_at(*urls), critical=False)
    signed = builder.sign(authority.intermediate.key, hashes.SHA256())
    return pem(signed) + (authority.chain_pem if chain else b"")


def issuer_at(*urls: str) -> x509.AuthorityInformationAccess:
    """Return the extension that says where the issuer's certificate is."""
    return x509.AuthorityInformationAccess(
        [
            x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(url))
            for url in urls
        ]
    )
