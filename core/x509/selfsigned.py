"""Self-signed certificates, for HTTPS from the first boot (ST-04 to ST-06). Browsers warn about them (ST-08)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from core.x509.certificate import Certificate, parse_der
from core.x509.csr import general_names, signature_hash
from core.x509.key import PrivateKey, PublicPart

LONGEST_COMMON_NAME = 64
"""Upper bound of a common name (RFC 5280). cryptography counts UTF-8 bytes."""


def self_signed(
    key: PrivateKey, common_name: str, names: Sequence[str], *, not_before: datetime, not_after: datetime
) -> Certificate:
    """Return a self-signed server certificate for `names`."""
    subject = common_name_of(common_name)
    builder = (
        server_certificate(subject, key, names, not_before=not_before, not_after=not_after)
        .issuer_name(subject)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.native.public_key()), critical=False)
    )
    return signed(builder, key)


def branded(brand: str, rest: str) -> str:
    """Return `BRAND REST` as a common name. A long brand is cut, but never `rest`, which identifies the certificate."""
    room = LONGEST_COMMON_NAME - len(rest.encode()) - 1
    return f"{brand.strip().encode()[:room].decode(errors='ignore').strip()} {rest}".strip()


def common_name_of(text: str) -> x509.Name:
    """Return a subject with this common name, cut to the maximum length. Empty: nothing is left."""
    cut = text.strip().encode()[:LONGEST_COMMON_NAME].decode(errors="ignore").strip()
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cut)] if cut else [])


def server_certificate(
    subject: x509.Name, key: PublicPart, names: Sequence[str], *, not_before: datetime, not_after: datetime
) -> x509.CertificateBuilder:
    """Return a builder with everything that our server certificates share. The caller adds issuer and key identifiers."""
    usage = x509.KeyUsage(
        digital_signature=True,
        # RFC 5246 §7.4.2: RSA key exchange of TLS 1.2 needs it; other keys must not have it.
        key_encipherment=key.key_type.startswith("rsa"),
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        # RFC 5280 §4.2.1.6: critical if the subject is empty.
        .add_extension(x509.SubjectAlternativeName(general_names(names)), critical=not list(subject))
    )


def signed(builder: x509.CertificateBuilder, key: PrivateKey) -> Certificate:
    """Sign a certificate, and return it parsed."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return parse_der(builder.sign(key.native, signature_hash(key)).public_bytes(Encoding.DER))
