"""Keys as other programs write them: kept as to their algorithm, put right where that is sure, refused by name where it is not."""

from __future__ import annotations

import subprocess
from base64 import b64encode
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)

from core.x509.certificate import parse_pem
from core.x509.der import tlv
from core.x509.key_reader import load_key, with_full_number
from core.x509.pkcs12 import PssKey, to_pfx
from tests.support.authority import Authority, Leaf, key_pem, make_key
from tests.support.clock import NOON
from tests.support.programs import find_program
from tests.support.uploads import judge, pem, san, sign

HOST = "shop.example.com"
SHOP = Authority.new(now=NOON).leaf([HOST])


def openssl(*argv: str, folder: Path) -> bytes:
    return subprocess.run([find_program("openssl"), *argv], check=True, capture_output=True, cwd=folder).stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pairs that OpenSSL made: `pss`, for RSA-PSS alone, and `explicit`, on a curve that is written out."""
    folder = tmp_path_factory.mktemp("keys")
    pss = ["RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_pss_keygen_md:sha256"]
    explicit = ["EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"]
    for kind, options in {"pss": pss, "explicit": explicit}.items():
        openssl("genpkey", "-algorithm", *options, "-out", f"{kind}.key", folder=folder)
        given = [
            "-key",
            f"{kind}.key",
            "-out",
            f"{kind}.pem",
            "-subj",
            f"/CN={HOST}",
            "-addext",
            f"subjectAltName=DNS:{HOST}",
        ]
        openssl("req", "-x509", *given, "-days", "400", "-addext", "basicConstraints=critical,CA:FALSE", folder=folder)
    openssl("pkcs8", "-topk8", "-in", "pss.key", "-passout", "pass:x", "-out", "pss.enc", folder=folder)
    bundle = ["-in", "pss.pem", "-inkey", "pss.key", "-passout", "pass:x", "-out", "pss.p12"]
    openssl("pkcs12", "-export", *bundle, folder=folder)
    return folder


def now_of(made: Path) -> datetime:
    """Return the time to judge the files of `made` by: the real openssl knows the real clock alone."""
    return parse_pem((made / "pss.pem").read_bytes())[0].not_before + timedelta(days=1)


@pytest.mark.parametrize("form", ["pss.key", "pss.enc", "pss.p12"])
def test_an_rsa_pss_key_is_kept_as_it_is(made: Path, form: str) -> None:
    """A key for RSA-PSS alone stays one, byte for byte, plain, encrypted and out of a PFX; that browsers refuse it is said."""
    parts = [(made / form).read_bytes()] + ([] if form.endswith("p12") else [(made / "pss.pem").read_bytes()])
    judged = judge(*parts, passphrase=b"x", now=now_of(made))
    assert judged.accepted, judged.text
    assert judged.material is not None
    assert judged.material.key is not None
    assert judged.material.key.key_type == "rsa-pss-2048"
    assert judged.material.key.to_pem() == (made / "pss.key").read_bytes()
    assert judged["key-strength"].status == "warn"
    assert "its key is of type RSA-PSS" in judged["key-strength"].detail
    again = load_key(judged.material.key.to_pem())
    assert again.spki == judged.material.leaf.public_key_spki


def test_an_rsa_pss_key_is_not_written_into_a_pfx(made: Path) -> None:
    """The library would write it as a plain RSA key, so an export as PFX is refused in words."""
    leaf = parse_pem((made / "pss.pem").read_bytes())[0]
    with pytest.raises(PssKey, match="of type RSA-PSS"):
        to_pfx(load_key((made / "pss.key").read_bytes()), leaf, [], b"x", False, "shop")


def test_a_pss_key_is_no_plain_ones(made: Path) -> None:
    """A key that says it is for RSA-PSS alone does not belong to a certificate of the same numbers that is not."""
    key = load_key((made / "pss.key").read_bytes())
    plain = sign(HOST, key.native, extensions=[san(HOST)])
    judged = judge(pem(plain), key.to_pem())
    assert judged["key-match"].status == "fail"
    assert "RSA-PSS with 2048 bits" in judged["key-match"].detail


def test_a_curve_that_is_written_out_is_refused(made: Path) -> None:
    """Explicit curve parameters are refused in the certificate and in the key, with RFC 5480 named."""
    judged = judge((made / "explicit.pem").read_bytes(), (made / "explicit.key").read_bytes(), now=now_of(made))
    assert {"parse", "key-strength"} <= set(judged.failed)
    assert judged["key-strength"].detail.count("RFC 5480") == judged["parse"].detail.count("RFC 5480") == 1
    sec1 = openssl("ec", "-in", "explicit.key", folder=made)
    assert "RFC 5480" in judge(sec1)["parse"].detail


def rewritten_number(leaf: Leaf, number: bytes, *, pkcs8: bool) -> bytes:
    """Return the leaf's EC key with its private number written as these bytes."""
    assert isinstance(leaf.key, ec.EllipticCurvePrivateKey)
    public = leaf.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    curve = tlv(0x06, bytes.fromhex("2a8648ce3d030107"))
    point = tlv(0xA1, tlv(0x03, b"\0" + public))
    head = tlv(0x02, b"\1") + tlv(0x04, number)
    if not pkcs8:
        return tlv(0x30, head + tlv(0xA0, curve) + point)
    algorithm = tlv(0x30, tlv(0x06, bytes.fromhex("2a8648ce3d0201")) + curve)
    return tlv(0x30, tlv(0x02, b"\0") + algorithm + tlv(0x04, tlv(0x30, head + point)))


@pytest.mark.parametrize("pkcs8", [False, True], ids=["sec1", "pkcs8"])
@pytest.mark.parametrize("zeros", [1, 2, 9])
def test_a_padded_private_number_is_read(pkcs8: bool, zeros: int) -> None:
    """GnuTLS writes a zero before a private number with its highest bit set; OpenSSL reads such keys, and so do we."""
    assert isinstance(SHOP.key, ec.EllipticCurvePrivateKey)
    number = SHOP.key.private_numbers().private_value.to_bytes(32, "big")
    der = rewritten_number(SHOP, b"\0" * zeros + number, pkcs8=pkcs8)
    judged = judge(SHOP.fullchain_pem, der)
    assert judged["key-match"].status == "pass", judged.text
    as_pem = b"-----BEGIN EC PRIVATE KEY-----\n" + b64encode(der) + b"\n-----END EC PRIVATE KEY-----\n"
    assert judge(SHOP.fullchain_pem, as_pem)["key-match"].status == "pass"


def test_a_shortened_private_number_is_read() -> None:
    """A private number whose leading zeros were left out gets them back."""
    key = ec.derive_private_key(0x1234, ec.SECP256R1())
    leaf = sign(HOST, key, extensions=[san(HOST)])
    short = tlv(
        0x30, tlv(0x02, b"\1") + tlv(0x04, b"\x12\x34") + tlv(0xA0, tlv(0x06, bytes.fromhex("2a8648ce3d030107")))
    )
    assert judge(pem(leaf), short)["key-match"].status == "pass"


def test_what_is_no_ec_key_is_left_alone() -> None:
    """Only an EC key on a known curve is written anew."""
    rsa_key = make_key("rsa-2048").private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for data in (b"", b"0", b"0\0", rsa_key, bytes(40), tlv(0x30, tlv(0x02, b"\1") + tlv(0x04, bytes(40)))):
        assert with_full_number(data) == data


@pytest.mark.parametrize("cipher", ["aria-256-cbc", "camellia-256-cbc"])
def test_a_cipher_that_is_not_read_is_named(tmp_path: Path, cipher: str) -> None:
    """A key under a cipher that is not read here is not blamed on the passphrase."""
    (tmp_path / "plain").write_bytes(SHOP.key_pem)
    sealed = openssl("pkcs8", "-topk8", "-in", "plain", "-v2", cipher, "-passout", "pass:x", folder=tmp_path)
    judged = judge(SHOP.fullchain_pem, sealed, passphrase=b"x")
    assert judged.pieces.passphrase == ""
    assert f"({cipher.removesuffix('-cbc')})" in judged["parse"].detail.lower()
    assert "openssl pkey" in judged["parse"].fix


def keystore(*pairs: tuple[object, object]) -> bytes:
    """Return a PKCS#12 file with several pairs, as keytool writes it: the safes of several files in one, without a checksum."""
    from core.upload.pfx_keys import _content_of, _data_info
    from core.x509.der import Reader

    safes = b""
    for certificate, key in pairs:
        data = pkcs12.serialize_key_and_certificates(b"a", key, certificate, None, BestAvailableEncryption(b"x"))
        reader = Reader(data)
        _, info, *_ = reader.children(reader.whole())
        inner = _content_of(reader, info)
        assert inner is not None
        safes += inner.raw(inner.whole())
    return tlv(0x30, tlv(0x02, b"\3") + _data_info(tlv(0x30, safes)))


def test_a_keystore_with_several_pairs() -> None:
    """The pair that is valid is taken, in either order, and one that fits the host before it; what was left out is listed."""
    old_key, new_key, other_key = make_key(), make_key("rsa-2048"), make_key()
    old = sign(HOST, old_key, extensions=[san(HOST)], not_after=NOON - timedelta(days=1))
    new = sign(HOST, new_key, extensions=[san(HOST)])
    other = sign(
        "mail.example.com", other_key, extensions=[san("mail.example.com")], not_after=NOON + timedelta(days=700)
    )
    for pairs in ([(old, old_key), (new, new_key)], [(new, new_key), (old, old_key)]):
        judged = judge(keystore(*pairs), passphrase=b"x")
        assert judged.accepted, judged.text
        assert judged.material is not None
        assert judged.material.leaf.key_type == "rsa-2048"
        assert [(each.kind, each.what) for each in judged.material.left_out][-1] == ("key", "ec-256")
        assert "2 keys" in judged["key-match"].detail
    both = keystore((other, other_key), (new, new_key))
    fitting = judge(both, passphrase=b"x", hosts=(HOST,))
    assert fitting.accepted
    assert fitting.material is not None
    assert fitting.material.leaf.names == (HOST,)
    assert judge(both, passphrase=b"wrong").pieces.passphrase == "wrong"
    assert judge(both).pieces.passphrase == "needed"


def test_a_certificate_with_trust_settings_is_read(tmp_path: Path) -> None:
    """The certificate is taken out of a TRUSTED CERTIFICATE of OpenSSL."""
    (tmp_path / "plain").write_bytes(SHOP.certificate_pem)
    trusted = openssl("x509", "-in", "plain", "-trustout", "-addtrust", "serverAuth", folder=tmp_path)
    assert b"TRUSTED" in trusted
    judged = judge(trusted, SHOP.key_pem, SHOP.chain_pem)
    assert judged.accepted, judged.text


def test_a_self_signed_certificate_with_sha1_signs_itself(tmp_path: Path) -> None:
    """That it is weak is said once; its chain is not called incomplete."""
    (tmp_path / "key").write_bytes(key_pem(make_key("rsa-2048")))
    given = ["-key", "key", "-subj", f"/CN={HOST}", "-days", "400"]
    weak = openssl("req", "-x509", "-sha1", *given, folder=tmp_path)
    judged = judge(weak, (tmp_path / "key").read_bytes())
    assert "It is self-signed" in judged["chain"].detail
    assert "SHA-1" in judged["signature"].detail


@pytest.mark.parametrize("pkcs8", [False, True], ids=["sec1", "pkcs8"])
def test_a_padded_account_key_is_read(pkcs8: bool) -> None:
    """An account key that GnuTLS wrote, as uacme keeps it, is the same key."""
    from core.acme.account_key import AccountKey

    assert isinstance(SHOP.key, ec.EllipticCurvePrivateKey)
    number = SHOP.key.private_numbers().private_value.to_bytes(32, "big")
    label = b"PRIVATE KEY" if pkcs8 else b"EC PRIVATE KEY"
    der = rewritten_number(SHOP, b"\0" + number, pkcs8=pkcs8)
    padded = b"-----BEGIN %b-----\n%b\n-----END %b-----\n" % (label, b64encode(der), label)
    assert AccountKey.from_pem(padded).thumbprint == AccountKey.from_pem(SHOP.key_pem).thumbprint
