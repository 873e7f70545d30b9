"""Self-signed certificates and those of the private CA, judged by those who have to accept them: OpenSSL and Python's ssl."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from core.x509.authority import new_root, sign_leaf
from core.x509.certificate import Certificate, parse_pem, to_pem
from core.x509.chain import chain_problem, issued_pair_problem
from core.x509.key import PrivateKey, generate_key
from core.x509.selfsigned import branded, common_name_of, self_signed

# TLS libraries judge by their own clock, so these certificates live around the real one.
NOW = datetime.now(UTC).replace(microsecond=0)
SPAN = {"not_before": NOW - timedelta(days=1), "not_after": NOW + timedelta(days=90)}
KEY = generate_key("ec-256")
NAMES = ["localhost", "box.example.com", "127.0.0.1", "::1"]
ROOT_KEY = generate_key("ec-256")
ROOT = new_root(ROOT_KEY, "Acme Box Private CA 1f2e", **SPAN)
STRICT = ssl.VerifyFlags.VERIFY_X509_STRICT | ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
"""What Python 3.13 sets by itself."""


def native(certificate: Certificate) -> x509.Certificate:
    return x509.load_der_x509_certificate(certificate.der)


def handshake(folder: Path, pem: bytes, key: PrivateKey, trusted: Certificate, name: str) -> bytes:
    """Speak TLS in memory to a server with this pair, trusting one certificate; returns the DER that was served."""
    pair, root = folder / "pair.pem", folder / "root.pem"
    pair.write_bytes(key.to_pem() + pem)
    root.write_bytes(to_pem(trusted))
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(pair)
    client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_side.load_verify_locations(root)
    client_side.verify_flags |= STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_side.wrap_bio(to_server, to_client, server_side=True)
    client = client_side.wrap_bio(to_client, to_server, server_hostname=name)
    waiting: list[Callable[[], None]] = [client.do_handshake, server.do_handshake]
    for _ in range(10):
        for step in list(waiting):
            try:
                step()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(step)
    assert waiting == []
    return client.getpeercert(True) or b""


def openssl(*arguments: str, text: bytes = b"") -> str:
    """Run openssl; its output and errors together."""
    done = subprocess.run(["openssl", *arguments], input=text, capture_output=True, check=False)
    return (done.stdout + done.stderr).decode()


# -- self-signed -----------------------------------------------------------------------------------------------------


def test_the_first_certificate_is_as_promised() -> None:
    """ECDSA P-256 with the fixed product subject and every name of the box, addresses too (ST-04, ST-05, ST-06, ST-47)."""
    certificate = self_signed(KEY, "Acme Box Self-Signed", NAMES, **SPAN)
    assert certificate.key_type == "ec-256"
    assert certificate.subject == certificate.issuer == "Acme Box Self-Signed"
    assert certificate.names == tuple(NAMES)
    assert certificate.self_signed
    assert not certificate.is_ca
    assert (certificate.not_before, certificate.not_after) == (SPAN["not_before"], SPAN["not_after"])
    assert issued_pair_problem(to_pem(certificate), KEY.spki, NAMES, NOW) is None


def test_it_is_a_server_certificate() -> None:
    """Extensions are those of a server's leaf: serverAuth, no CA, critical where RFC 5280 wants it."""
    extensions = native(self_signed(KEY, "Box", NAMES, **SPAN)).extensions
    usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert list(usage.value) == [ExtendedKeyUsageOID.SERVER_AUTH]
    critical = {type(each.value).__name__: each.critical for each in extensions}
    assert critical == {
        "BasicConstraints": True,
        "KeyUsage": True,
        "ExtendedKeyUsage": False,
        "SubjectAlternativeName": False,
        "SubjectKeyIdentifier": False,
    }


@pytest.mark.parametrize("kind", ["ec-256", "ec-384", "ec-521", "rsa-2048"])
@pytest.mark.parametrize("name", NAMES)
def test_a_client_that_trusts_it_accepts_it(tmp_path: Path, kind: str, name: str) -> None:
    """A client with the certificate in its trust store speaks TLS to the box by every one of its names (ST-01)."""
    key = generate_key(kind)
    certificate = self_signed(key, "Acme Box Self-Signed", NAMES, **SPAN)
    assert handshake(tmp_path, to_pem(certificate), key, certificate, name) == certificate.der


def test_a_client_does_not_accept_another_name(tmp_path: Path) -> None:
    """For a name that is not in it the certificate is refused (SO-02)."""
    certificate = self_signed(KEY, "Box", NAMES, **SPAN)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tmp_path, to_pem(certificate), KEY, certificate, "other.example.com")


def test_rsa_alone_may_encipher_keys() -> None:
    """Key encipherment is for RSA keys; others must not claim it."""
    claims = {
        kind: native(self_signed(generate_key(kind), "Box", ["a"], **SPAN))
        .extensions.get_extension_for_class(x509.KeyUsage)
        .value.key_encipherment
        for kind in ("ec-256", "rsa-2048")
    }
    assert claims == {"ec-256": False, "rsa-2048": True}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("Acme Box Self-Signed", "Acme Box Self-Signed", id="usual"),
        pytest.param("x" * 100, "x" * 64, id="long"),
        pytest.param("ü" * 40, "ü" * 32, id="bytes-count"),
        pytest.param("x" * 63 + "ü", "x" * 63, id="no-half-character"),
        pytest.param("x" * 63 + " Self-Signed", "x" * 63, id="no-blank-at-the-end"),
        pytest.param("  ", None, id="blank"),
        pytest.param("", None, id="empty"),
    ],
)
def test_any_brand_fits_into_a_common_name(text: str, shown: str | None) -> None:
    """A long brand, or one outside ASCII, is cut to what RFC 5280 allows and never stops the first boot."""
    found = [each.value for each in common_name_of(text).get_attributes_for_oid(NameOID.COMMON_NAME)]
    assert found == ([] if shown is None else [shown])
    assert self_signed(KEY, text, ["box.example.com"], **SPAN).subject == (shown or "box.example.com")


@pytest.mark.parametrize("brand", ["Acme Box", "x" * 200, "日本" * 40, " ", "a" + "é" * 60])
def test_a_long_brand_leaves_room_for_what_it_is(brand: str) -> None:
    """Of a brand that does not fit the end is left out: the words after it are always there (ST-05)."""
    shown = branded(brand, "Self-Signed")
    assert shown.endswith("Self-Signed")
    assert len(shown.encode()) <= 64
    assert common_name_of(shown).get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == shown


def test_without_a_subject_the_san_is_critical() -> None:
    """An empty subject makes the SAN critical (RFC 5280 §4.2.1.6)."""
    certificate = native(self_signed(KEY, "", ["box.example.com"], **SPAN))
    assert certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical


def test_two_certificates_have_two_serials() -> None:
    """A certificate that is made anew with the same key has a serial number of its own."""
    first, second = (self_signed(KEY, "Box", NAMES, **SPAN) for _ in range(2))
    assert first.serial != second.serial
    assert first.public_key_spki == second.public_key_spki


# -- the private CA --------------------------------------------------------------------------------------------------


def test_the_root_signs_leaves_and_nothing_else() -> None:
    """The root is a CA of path length 0 that may sign certificates and revocation lists."""
    assert ROOT.is_ca
    assert ROOT.self_signed
    extensions = native(ROOT).extensions
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert (constraints.critical, constraints.value.path_length) == (True, 0)
    assert (usage.critical, usage.value.key_cert_sign, usage.value.crl_sign) == (True, True, True)
    assert not usage.value.digital_signature


@pytest.mark.parametrize("kind", ["ec-256", "ec-384", "rsa-2048"])
@pytest.mark.parametrize("name", ["shop.example.com", "any.example.com", "127.0.0.1"])
def test_a_client_that_trusts_the_root_accepts_the_leaf(tmp_path: Path, kind: str, name: str) -> None:
    """A client that has the root in its trust store accepts the leaf by each of its names, under the strict rules too."""
    key = generate_key(kind)
    leaf = sign_leaf(ROOT, ROOT_KEY, key, ["shop.example.com", "*.example.com", "127.0.0.1"], **SPAN)
    assert handshake(tmp_path, to_pem(leaf) + to_pem(ROOT), key, ROOT, name) == leaf.der


@pytest.mark.parametrize(
    ("names", "subject"),
    [
        pytest.param(["shop.example.com"], "shop.example.com", id="first-name"),
        pytest.param(["a" * 60 + ".example.com"], None, id="too-long"),
        pytest.param(["192.0.2.7"], None, id="address"),
        pytest.param(["*.example.com"], "*.example.com", id="wildcard"),
    ],
)
def test_openssl_accepts_the_leaf(tmp_path: Path, names: list[str], subject: str | None) -> None:
    """`openssl verify -x509_strict` follows leaf to root; the common name is the first name where it fits."""
    leaf = sign_leaf(ROOT, ROOT_KEY, KEY, names, **SPAN)
    (tmp_path / "root.pem").write_bytes(to_pem(ROOT))
    (tmp_path / "leaf.pem").write_bytes(to_pem(leaf))
    said = openssl(
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        "-CAfile",
        str(tmp_path / "root.pem"),
        str(tmp_path / "leaf.pem"),
    )
    assert said.endswith("leaf.pem: OK\n"), said
    assert leaf.names == tuple(names)
    common_names = native(leaf).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert [each.value for each in common_names] == ([subject] if subject else [])


def test_leaf_and_root_are_linked() -> None:
    """The leaf names its issuer by key identifier, and our own look at the chain agrees."""
    leaf = sign_leaf(ROOT, ROOT_KEY, KEY, NAMES, **SPAN)
    own = native(ROOT).extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert leaf.authority_key_identifier == own
    assert chain_problem(leaf, [ROOT]) is None
    assert leaf.issuer == "Acme Box Private CA 1f2e"
    assert issued_pair_problem(to_pem(leaf) + to_pem(ROOT), KEY.spki, NAMES, NOW) is None


def test_a_root_of_a_brand_outside_ascii_is_made() -> None:
    """The brand of the box may be written in any script."""
    assert new_root(ROOT_KEY, "Größer & Söhne 设备 " * 8, **SPAN).subject.startswith("Größer & Söhne 设备")


def test_a_leaf_cannot_sign(tmp_path: Path) -> None:
    """A certificate below a leaf of ours is refused by OpenSSL: stealing a leaf's key makes no CA."""
    stolen = sign_leaf(ROOT, ROOT_KEY, KEY, ["shop.example.com"], **SPAN)
    victim = generate_key("ec-256")
    bad_signature = sign_leaf(stolen, KEY, victim, ["bank.example.com"], **SPAN)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tmp_path, to_pem(bad_signature) + to_pem(stolen), victim, ROOT, "bank.example.com")


def test_pem_out_is_what_openssl_reads() -> None:
    """OpenSSL computes the fingerprint that the console shows (ST-49)."""
    certificate = self_signed(KEY, "Box", NAMES, **SPAN)
    said = openssl("x509", "-noout", "-fingerprint", "-sha256", text=to_pem(certificate))
    assert said.strip().partition("=")[2] == certificate.sha256
    assert parse_pem(to_pem(certificate)) == [certificate]
