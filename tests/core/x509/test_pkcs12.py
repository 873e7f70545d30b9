"""PKCS#12 files, read back by the library and by OpenSSL."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from core.x509.certificate import parse_pem
from core.x509.key_reader import load_key
from core.x509.pkcs12 import to_pfx
from tests.support.authority import Authority

AUTHORITY = Authority.new(now=datetime(2026, 11, 21, 12, tzinfo=UTC))
LEAF = AUTHORITY.leaf(["shop.example.com"])


def pfx(passphrase: bytes | None, *, legacy: bool = False, name: str = "shop") -> bytes:
    leaf, *chain = parse_pem(LEAF.fullchain_pem + AUTHORITY.root_pem)
    return to_pfx(load_key(LEAF.key_pem), leaf, chain, passphrase, legacy, name)


@pytest.mark.parametrize("legacy", [False, True], ids=["modern", "legacy"])
@pytest.mark.parametrize(
    "passphrase", [None, b"", b"secret", "pässwörd €".encode()], ids=["none", "empty", "ascii", "utf-8"]
)
def test_everything_is_in_the_file(passphrase: bytes | None, legacy: bool) -> None:
    """Key, leaf, chain in order and friendly name come out again."""
    found = load_pkcs12(pfx(passphrase, legacy=legacy), passphrase or None)
    assert found.key is not None
    assert found.cert is not None
    spki = found.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert spki == load_key(LEAF.key_pem).spki
    assert found.cert.certificate == LEAF.certificate
    assert found.cert.friendly_name == b"shop"
    assert [each.certificate for each in found.additional_certs] == [
        AUTHORITY.intermediate.certificate,
        AUTHORITY.root.certificate,
    ]


@pytest.mark.parametrize("legacy", [False, True], ids=["modern", "legacy"])
def test_the_passphrase_protects_it(legacy: bool) -> None:
    """With another passphrase, or none, the file does not open, and the key does not stand in it."""
    content = pfx(b"secret", legacy=legacy)
    for wrong in (None, b"other"):
        with pytest.raises(ValueError, match="password"):
            load_pkcs12(content, wrong)
    assert isinstance(LEAF.key, ec.EllipticCurvePrivateKey)
    secret = LEAF.key.private_numbers().private_value.to_bytes(32, "big")
    assert secret not in content
    assert secret in pfx(None)


@pytest.mark.parametrize(
    ("legacy", "cipher"), [(False, "AES-256-CBC"), (True, "pbeWithSHA1And3-KeyTripleDES-CBC")], ids=["modern", "legacy"]
)
def test_openssl_reads_it(tmp_path: Path, legacy: bool, cipher: str) -> None:
    """OpenSSL opens the file and finds the encryption that its readers want."""
    path = tmp_path / "shop.pfx"
    path.write_bytes(pfx(b"secret", legacy=legacy))
    command = ["openssl", "pkcs12", "-in", str(path), "-passin", "pass:secret", "-info", "-nokeys"]
    done = subprocess.run([*command, *(["-legacy"] if legacy else [])], capture_output=True, text=True, check=True)
    assert cipher in done.stderr
    assert done.stdout.count("BEGIN CERTIFICATE") == 3


@pytest.mark.parametrize("name", ["", "Größe", "*.example.com"])
def test_any_lineage_gives_a_friendly_name(name: str) -> None:
    """The friendly name may be any text."""
    found = load_pkcs12(pfx(b"x", name=name), b"x")
    assert found.cert is not None
    assert (found.cert.friendly_name or b"").decode() == name
