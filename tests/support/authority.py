"""A throwaway certificate authority: root, intermediate, and leaves of every kind a test may want."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def make_key(kind: str = "ec-256") -> PrivateKey:
    """Make a private key: `ec-256 ec-384 ec-521 rsa-2048 rsa-3072 rsa-4096 ed25519`, and `rsa-1024` for refusals."""
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    family, size = kind.split("-")
    if family == "rsa":
        return rsa.generate_private_key(65537, int(size))
    curves: dict[str, ec.EllipticCurve] = {"256": ec.SECP256R1(), "384": ec.SECP384R1(), "521": ec.SECP521R1()}
    return ec.generate_private_key(curves[size])


def key_pem(key: PrivateKey, password: bytes | None = None) -> bytes:
    """Return the key as PKCS#8 PEM."""
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 fingerprint as `AA:BB:…`."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _sign(builder: x509.CertificateBuilder, key: PrivateKey) -> x509.Certificate:
    return builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A certificate with its key and the intermediates above it."""

    certificate: x509.Certificate
    key: PrivateKey
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def certificate_pem(self) -> bytes:
        return _pem(self.certificate)

    @property
    def key_pem(self) -> bytes:
        return key_pem(self.key)

    @property
    def chain_pem(self) -> bytes:
        return b"".join(_pem(each) for each in self.chain)

    @property
    def fullchain_pem(self) -> bytes:
        return self.certificate_pem + self.chain_pem

    @property
    def sha256(self) -> str:
        return fingerprint(self.certificate)

    def write(self, certificate: Path, key: Path) -> None:
        """Write fullchain and key to two files, making their folders."""
        for path, content, mode in ((certificate, self.fullchain_pem, 0o644), (key, self.key_pem, 0o600)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(mode)


class Authority:
    """A root, and an intermediate below it that signs the leaves."""

    def __init__(self, root: Leaf, intermediate: Leaf, now: datetime) -> None:
        self.root = root
        self.intermediate = intermediate
        self.now = now

    @classmethod
    def new(
        cls, name: str = "Test", *, now: datetime | None = None, key: str = "ec-256", intermediate_days: float = 3650
    ) -> Authority:
        """Make an authority `NAME Root` / `NAME Intermediate` that is good for twenty years around `now`.

        `intermediate_days`: how long the intermediate is good from `now` on.
        """
        at = now or datetime.now(UTC)
        root_key, intermediate_key = make_key(key), make_key(key)
        root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} Root")])
        intermediate_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} Intermediate")])
        root_builder = cls._ca_builder(root_name, root_name, root_key, root_key, at, path_length=None)
        root = _sign(root_builder.not_valid_after(at + timedelta(days=3650)), root_key)
        intermediate = _sign(
            cls._ca_builder(
                intermediate_name, root_name, intermediate_key, root_key, at, path_length=0
            ).not_valid_after(at + timedelta(days=intermediate_days)),
            root_key,
        )
        return cls(
            Leaf(certificate=root, key=root_key),
            Leaf(certificate=intermediate, key=intermediate_key, chain=(root,)),
            at,
        )

    @staticmethod
    def _ca_builder(
        subject: x509.Name,
        issuer: x509.Name,
        key: PrivateKey,
        issuer_key: PrivateKey,
        at: datetime,
        *,
        path_length: int | None,
    ) -> x509.CertificateBuilder:
        usage = dict.fromkeys(
            (
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(at - timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
            .add_extension(
                x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **usage), critical=True
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        )

    @property
    def root_pem(self) -> bytes:
        """What clients trust."""
        return self.root.certificate_pem

    @property
    def chain_pem(self) -> bytes:
        """The intermediate: what a server sends after its leaf."""
        return self.intermediate.certificate_pem

    def leaf(
        self,
        names: Sequence[str],
        *,
        days: float = 90,
        days_left: float | None = None,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        key: str | PrivateKey = "ec-256",
        common_name: str | None = None,
        subject: x509.Name | None = None,
    ) -> Leaf:
        """Make a leaf for `names` (DNS names and IP addresses) that lives `days`, seen from the authority's `now`.

        `days_left` places the life so that this much of it is left (negative: expired); `not_before` and `not_after` win. `key` is
        a kind or a key of the caller's. `subject` is taken as it is, hostile or not; else it holds `common_name`, by default
        the first name.
        """
        own = make_key(key) if isinstance(key, str) else key
        end = not_after or self.now + timedelta(days=days if days_left is None else days_left)
        start = not_before or end - timedelta(days=days)
        cn = names[0][:64] if common_name is None and names else common_name or ""
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, cn)] if cn else []
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject or x509.Name(attributes))
            .issuer_name(self.intermediate.certificate.subject)
            .public_key(own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.intermediate.key.public_key()), critical=False
            )
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False
            )
        certificate = _sign(builder, self.intermediate.key)
        return Leaf(certificate=certificate, key=own, chain=(self.intermediate.certificate,))


def self_signed(
    names: Sequence[str],
    *,
    days: float = 365,
    now: datetime | None = None,
    key: str = "ec-256",
    subject: str = "Self-Signed",
) -> Leaf:
    """Make a self-signed leaf for `names`."""
    own = make_key(key)
    start = now or datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([_general_name(each) for each in names]), critical=False)
    )
    return Leaf(certificate=_sign(builder, own), key=own)
