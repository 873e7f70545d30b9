"""The public vectors of the `cryptography` project: each one is accepted as what it is, or refused in words."""

from __future__ import annotations

from pathlib import Path

import cryptography_vectors
import pytest

from core.upload.values import MOST_BYTES
from tests.support.uploads import judge

VECTORS = Path(cryptography_vectors.__file__).parent
FOLDERS = ("x509", "x509/custom", "x509/requests", "x509/ocsp", "x509/ed25519", "x509/ed448", "x509/PKITS_data/certs",
           "x509/PKITS_data/smime", "pkcs12", "pkcs7", "asymmetric/PKCS8", "asymmetric/PEM_Serialization",
           "asymmetric/DER_Serialization", "asymmetric/Traditional_OpenSSL_Serialization", "asymmetric/OpenSSH",
           "asymmetric/DH", "asymmetric/X25519", "asymmetric/MLDSA")  # fmt: skip


def vector(name: str) -> bytes:
    """Return a vector's bytes."""
    return (VECTORS / name).read_bytes()


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_vector_is_answered(folder: str) -> None:
    """No vector makes the checks fail; what is not accepted is refused by a check with words."""
    seen = 0
    for path in sorted((VECTORS / folder).iterdir()):
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            continue
        seen += 1
        judged = judge(path.read_bytes(), passphrase=b"password")
        assert judged.accepted or judged.failed, path
        assert all(each.detail for each in judged.results), path
        if judged.material is None:
            assert judged["parse"].fix, path
    assert seen


READ = {
    "x509/cryptography.io.pem": (None, 1, 0),
    "x509/cryptography.io.chain.pem": (None, 2, 0),
    "x509/cryptography.io.old_header.pem": (None, 1, 0),
    "x509/verisign_md2_root.pem": (None, 1, 0),
    "x509/v1_cert.pem": (None, 1, 0),
    "x509/custom/all_key_usages.pem": (None, 1, 0),
    "x509/PKITS_data/certs/ValidcRLIssuerTest28EE.crt": (None, 1, 0),
    "x509/PKITS_data/pkcs12/GoodCACert.p12": (b"password", 1, 1),
    "pkcs12/cert-key-aes256cbc.p12": (b"cryptography", 1, 1),
    "pkcs12/cert-rc2-key-3des.p12": (b"cryptography", 1, 1),
    "pkcs12/cert-none-key-none.p12": (b"cryptography", 1, 1),
    "pkcs12/cert-aes256cbc-no-key.p12": (b"cryptography", 1, 0),
    "pkcs12/no-password.p12": (None, 1, 1),
    "pkcs12/name-all-no-pwd.p12": (None, 3, 1),
    "pkcs12/name-unicode-pwd.p12": (b"password", 3, 1),
    "pkcs12/no-cert-name-3-pwd.p12": (b"password", 2, 0),
    "pkcs12/java-truststore.p12": (None, 2, 0),
    "pkcs7/amazon-roots.p7b": (None, 2, 0),
    "pkcs7/amazon-roots.der": (None, 2, 0),
    "pkcs7/isrg.pem": (None, 1, 0),
    "asymmetric/PKCS8/unenc-rsa-pkcs8.pem": (None, 0, 1),
    "asymmetric/PKCS8/enc-rsa-pkcs8.pem": (b"foobar", 0, 1),
    "asymmetric/PKCS8/ec_private_key.pem": (None, 0, 1),
    "asymmetric/Traditional_OpenSSL_Serialization/testrsa.pem": (None, 0, 1),
    "asymmetric/Traditional_OpenSSL_Serialization/testrsa-encrypted.pem": (b"password", 0, 1),
    "asymmetric/PEM_Serialization/rsa_private_key.pem": (b"123456", 0, 1),
    "asymmetric/PEM_Serialization/ec_private_key_encrypted.pem": (b"123456", 0, 1),
    "asymmetric/DER_Serialization/testrsa.der": (None, 0, 1),
}
"""Vector → passphrase, certificates in it, keys in it."""


@pytest.mark.parametrize("name", READ)
def test_vectors_are_read(name: str) -> None:
    """Certificates, keys and containers of every age give what is in them."""
    passphrase, certificates, keys = READ[name]
    pieces = judge(vector(name), passphrase=passphrase).pieces
    assert pieces.problems == []
    assert (len(pieces.certificates), len(pieces.keys)) == (certificates, keys)


REFUSED = {
    "x509/badasn1time.pem": "damaged certificate",
    "x509/wosign-bc-invalid.pem": "damaged certificate",
    "x509/requests/rsa_sha256.pem": "certificate signing request",
    "x509/cryptography-scts-tbs-precert.der": "neither a certificate nor a private key",
    "x509/ocsp/resp-sha256.der": "neither a certificate nor a private key",
    "pkcs7/enveloped.pem": "encrypted or signed message",
    "asymmetric/PEM_Serialization/dsa_private_key.pem": "DSA private key",
    "asymmetric/OpenSSH/rsa-nopsw.key": "OpenSSH private key",
    "asymmetric/OpenSSH/rsa-nopsw.key.pub": "OpenSSH public key",
    "asymmetric/X25519/x25519-pkcs8.pem": "X25519 private key",
    "asymmetric/Ed448/ed448-pkcs8.pem": "Ed448 private key",
    "asymmetric/PEM_Serialization/rsa_public_key.pem": "public key",
}


@pytest.mark.parametrize("name", REFUSED)
def test_vectors_are_refused_by_name(name: str) -> None:
    """What is no certificate is called by its name."""
    judged = judge(vector(name))
    assert REFUSED[name] in judged["parse"].detail
    assert not judged.accepted
