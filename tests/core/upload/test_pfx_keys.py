"""Keys so large that proving their primes would take seconds: read at once, from every kind of file."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from core.upload.pfx_keys import split_pkcs12
from tests.support.authority import make_key
from tests.support.programs import find_program
from tests.support.uploads import ca, judge, mersenne_key, pem, san, sign

SECONDS = 2.0
LEGACY = (
    PrivateFormat.PKCS12.encryption_builder()
    .kdf_rounds(2048)
    .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
)


@pytest.fixture(scope="module")
def large() -> rsa.RSAPrivateKey:
    """A key of more than 8192 bits."""
    return mersenne_key()


@pytest.fixture(scope="module")
def site(large: rsa.RSAPrivateKey) -> tuple[x509.Certificate, x509.Certificate]:
    """A certificate for that key, and its issuer."""
    above = ca("Large Root")
    return sign(
        "a.example.com", large, issuer="Large Root", issuer_key=above[1], extensions=[san("a.example.com")]
    ), above[0]


def assert_read(content: bytes, passphrase: bytes | None) -> None:
    began = time.process_time()
    judged = judge(content, passphrase=passphrase)
    assert time.process_time() - began < SECONDS
    assert judged["key-match"].status == "pass"
    assert judged.material is not None
    assert judged.material.way.links
    assert judged.accepted


@pytest.mark.parametrize("passphrase", [None, b"x"])
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_as_pem(
    large: rsa.RSAPrivateKey,
    site: tuple[x509.Certificate, x509.Certificate],
    form: PrivateFormat,
    passphrase: bytes | None,
) -> None:
    """A PEM key of more than 8192 bits takes well under two seconds, plain and encrypted."""
    cover = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    assert_read(pem(site[0]) + pem(site[1]) + large.private_bytes(Encoding.PEM, form, cover), passphrase)


@pytest.mark.parametrize("cover", ["none", "modern", "legacy"])
def test_as_pfx(large: rsa.RSAPrivateKey, site: tuple[x509.Certificate, x509.Certificate], cover: str) -> None:
    """A PFX with such a key, too; a wrong passphrase and none are told apart as always (ST-35)."""
    chosen = {"none": NoEncryption(), "modern": BestAvailableEncryption(b"x"), "legacy": LEGACY.build(b"x")}[cover]
    made = pkcs12.serialize_key_and_certificates(b"a", large, site[0], [site[1]], chosen)
    if cover == "none":
        assert_read(made, None)
        return
    assert_read(made, b"x")
    assert judge(made, passphrase=b"y").pieces.passphrase == "wrong"
    assert judge(made).pieces.passphrase == "needed"


@pytest.mark.parametrize("options", [[], ["-legacy"], ["-keypbe", "NONE"], ["-nomac", "-certpbe", "NONE"]])
def test_as_openssl_writes_it(
    large: rsa.RSAPrivateKey,
    site: tuple[x509.Certificate, x509.Certificate],
    tmp_path: Path,
    options: list[str],
) -> None:
    """So does one that OpenSSL wrote, in whatever mix of protected and plain."""
    (tmp_path / "all.pem").write_bytes(
        pem(site[0]) + pem(site[1]) + large.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    argv = [find_program("openssl"), "pkcs12", "-export", "-in", "all.pem", "-passout", "pass:x", "-out", "all.pfx"]
    subprocess.run([*argv, *options], check=True, capture_output=True, cwd=tmp_path)
    assert_read((tmp_path / "all.pfx").read_bytes(), b"x")


def test_damage_is_found(large: rsa.RSAPrivateKey, site: tuple[x509.Certificate, x509.Certificate]) -> None:
    """Without the file's checksum, too, a key whose numbers were changed is refused."""
    made = pkcs12.serialize_key_and_certificates(b"a", large, site[0], None, NoEncryption())
    prime = large.private_numbers().q.to_bytes((4253 + 7) // 8, "big")
    assert prime in made
    judged = judge(made.replace(prime, prime[:-1] + b"\xfd"))
    assert not judged.accepted
    assert judged["parse"].status == "fail"


def test_small_and_strange_files_are_left_whole() -> None:
    """What holds one small key is read as one, and what cannot be followed is not taken apart."""
    key = make_key()
    small = pkcs12.serialize_key_and_certificates(b"a", key, sign("a", key), None, NoEncryption())
    whole = split_pkcs12(small)
    assert whole is not None
    assert not whole.has_to_be_used
    for data in (small[:-4], b"", b"0\x00", b"0\x03\x02\x01\x03", small * 2):
        assert split_pkcs12(data) is None
