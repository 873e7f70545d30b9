"""Creates the certificates of a private CA: its root, and leaves below it (RFC 5280)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

from core.x509.certificate import Certificate, is_address
from core.x509.key import PrivateKey, PublicPart
from core.x509.selfsigned import LONGEST_COMMON_NAME, common_name_of, server_certificate, signed


def new_root(key: PrivateKey, common_name: str, *, not_before: datetime, not_after: datetime) -> Certificate:
    """Return a root certificate that may sign only leaves (path length 0)."""
    subject = common_name_of(common_name)
    usage = x509.KeyUsage(
        digital_signature=False,
        key_encipherment=False,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.native.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.native.public_key()), critical=False)
    )
    return signed(builder, key)


def sign_leaf(
    root: Certificate,
    root_key: PrivateKey,
    leaf_key: PublicPart,
    names: Sequence[str],
    *,
    not_before: datetime,
    not_after: datetime,
) -> Certificate:
    """Return a server certificate for `names`, signed by the root. The common name is the first name, if it fits."""
    first = names[0]
    fits = len(first) <= LONGEST_COMMON_NAME and not is_address(first)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, first)] if fits else [])
    parent = root.native
    identifier = parent.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        server_certificate(subject, leaf_key, names, not_before=not_before, not_after=not_after)
        .issuer_name(parent.subject)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(leaf_key.public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
    )
    return signed(builder, root_key)
