"""Files as people have them: every form that is taken, and every mistake by its name."""

from __future__ import annotations

import subprocess
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs7,
    pkcs12,
)

from core.upload.parse import parse_upload
from core.x509.der import tlv
from tests.support.authority import Authority, Leaf, key_pem, make_key
from tests.support.clock import NOON
from tests.support.programs import find_program
from tests.support.uploads import judge, name, upload

WORD = b"pass w\xc3\xb6rd"


@pytest.fixture(scope="module")
def authority() -> Authority:
    """A CA for this module."""
    return Authority.new(now=NOON)


@pytest.fixture(scope="module")
def shop(authority: Authority) -> Leaf:
    """An EC certificate with its key and chain."""
    return authority.leaf(["shop.example.com"])


@pytest.fixture(scope="module")
def rsa_shop(authority: Authority) -> Leaf:
    """The same with an RSA key."""
    return authority.leaf(["shop.example.com"], key="rsa-2048")


def key_as(
    leaf: Leaf, format: PrivateFormat, password: bytes | None = None, encoding: Encoding = Encoding.PEM
) -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return leaf.key.private_bytes(encoding, format, encryption)


def der(leaf: Leaf) -> bytes:
    return leaf.certificate.public_bytes(Encoding.DER)


def pfx(leaf: Leaf, password: bytes | None, *, key: bool = True) -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    own = leaf.key if key else None
    return pkcs12.serialize_key_and_certificates(b"shop", own, leaf.certificate, leaf.chain, encryption)


def assert_whole(leaf: Leaf, *contents: bytes, passphrase: bytes | None = None, chain: bool = True) -> None:
    """Leaf, key and chain were found, belong together, and nothing was wrong."""
    judged = judge(*contents, passphrase=passphrase)
    assert judged.pieces.problems == []
    assert judged.material is not None
    assert judged.material.leaf.sha256 == leaf.sha256
    assert judged["key-match"].status == "pass"
    assert len(judged.material.way.sent) == (1 if chain else 0)


# -- PEM in every shape ----------------------------------------------------------------------------------------------------

SHAPES: dict[str, Callable[[bytes], bytes]] = {
    "as-it-is": lambda text: text,
    "crlf": lambda text: text.replace(b"\n", b"\r\n"),
    "old-mac": lambda text: text.replace(b"\n", b"\r"),
    "byte-order-mark": lambda text: b"\xef\xbb\xbf" + text,
    "utf-16-le": lambda text: b"\xff\xfe" + text.decode().encode("utf-16-le"),
    "utf-16-be": lambda text: b"\xfe\xff" + text.decode().encode("utf-16-be"),
    "utf-16-without-mark": lambda text: text.decode().encode("utf-16-le"),
    "indented": lambda text: b"".join(b"    " + line + b"\n" for line in text.splitlines()),
    "trailing-blanks": lambda text: text.replace(b"\n", b"  \t\n"),
    "no-break-spaces": lambda text: text.replace(b"\n", b"\xc2\xa0\n"),
    "text-around": lambda text: b"Dear customer,\nhere it is:\n\n" + text + b"\n-- \nYour CA\n",
    "openssl-text": lambda text: b"Certificate:\n    Data:\n        Version: 3 (0x2)\n" + text,
    "bag-attributes": lambda text: b"Bag Attributes\n    localKeyID: 01\nKey Attributes: <No Attributes>\n" + text,
    "all-in-one-line": lambda text: text.replace(b"\n", b""),
    "escaped-line-feeds": lambda text: text.replace(b"\n", b"\\n"),
    "no-line-feed-at-the-end": lambda text: text.rstrip(b"\n"),
    "base64-of-it-all": lambda text: b64encode(text),
    "twice": lambda text: text + text,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_pem_in_every_shape(shop: Leaf, shape: str) -> None:
    """A paste of certificate, chain and key is read however mail, editors and terminals have changed it (ST-33)."""
    assert_whole(shop, SHAPES[shape](shop.fullchain_pem + shop.key_pem))


def test_any_order_and_any_number_of_files(shop: Leaf, authority: Authority) -> None:
    """Leaf, chain, root and key come in any order, in one file or many; the root is left out."""
    parts = [shop.certificate_pem, shop.chain_pem, authority.root_pem, shop.key_pem]
    for turn in range(4):
        turned = parts[turn:] + parts[:turn]
        assert_whole(shop, *turned)
        assert_whole(shop, b"".join(turned))
        assert_whole(shop, *reversed(turned))


# -- keys ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["rsa-2048", "ec-256", "ec-384", "ec-521", "ed25519"])
@pytest.mark.parametrize("password", [None, WORD], ids=["plain", "encrypted"])
def test_keys_of_every_type(authority: Authority, kind: str, password: bytes | None) -> None:
    """RSA, EC and Ed25519 keys are read as PKCS#8, plain and encrypted, as PEM and as DER (ST-34)."""
    leaf = authority.leaf(["a.example.com"], key=kind)
    for encoding in (Encoding.PEM, Encoding.DER):
        key = key_as(leaf, PrivateFormat.PKCS8, password, encoding)
        assert_whole(leaf, leaf.fullchain_pem, key, passphrase=password)


@pytest.mark.parametrize("kind", ["rsa-2048", "ec-256"])
@pytest.mark.parametrize("password", [None, WORD], ids=["plain", "encrypted"])
def test_traditional_keys(authority: Authority, kind: str, password: bytes | None) -> None:
    """PKCS#1 and SEC1 keys are read, and those encrypted with the old `Proc-Type` header, indented as well (ST-34)."""
    leaf = authority.leaf(["a.example.com"], key=kind)
    key = key_as(leaf, PrivateFormat.TraditionalOpenSSL, password)
    assert_whole(leaf, leaf.fullchain_pem, key, passphrase=password)
    assert_whole(leaf, leaf.fullchain_pem, SHAPES["indented"](key), passphrase=password)
    assert_whole(leaf, leaf.fullchain_pem, SHAPES["crlf"](key), passphrase=password)
    if password is None:
        assert_whole(leaf, leaf.fullchain_pem, key_as(leaf, PrivateFormat.TraditionalOpenSSL, None, Encoding.DER))


def test_ec_parameters_before_the_key(shop: Leaf) -> None:
    """The EC PARAMETERS block that OpenSSL writes before the key is passed over."""
    block = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    assert_whole(shop, shop.fullchain_pem, block + key_as(shop, PrivateFormat.TraditionalOpenSSL))


OPENSSL_KEYS = {
    "pbes2-aes256-sha256": ["-v2", "aes-256-cbc"],
    "pbes2-3des": ["-v2", "des3"],
    "pbes1-3des": ["-v1", "PBE-SHA1-3DES"],
    "scrypt": ["-scrypt"],
}


@pytest.mark.parametrize("kind", OPENSSL_KEYS)
def test_keys_as_openssl_encrypts_them(rsa_shop: Leaf, tmp_path: Path, kind: str) -> None:
    """What `openssl pkcs8` encrypts in its various ways is opened."""
    plain = tmp_path / "key.pem"
    plain.write_bytes(rsa_shop.key_pem)
    argv = [
        find_program("openssl"),
        "pkcs8",
        "-topk8",
        "-in",
        str(plain),
        "-passout",
        "pass:secret",
        *OPENSSL_KEYS[kind],
    ]
    done = subprocess.run(argv, check=True, capture_output=True)
    assert_whole(rsa_shop, rsa_shop.fullchain_pem, done.stdout, passphrase=b"secret")


def test_a_missing_and_a_wrong_passphrase_are_told_apart(shop: Leaf) -> None:
    """An encrypted key asks for a passphrase; a wrong one is said to be wrong; neither is in any text."""
    for key in (
        key_as(shop, PrivateFormat.PKCS8, WORD),
        key_as(shop, PrivateFormat.TraditionalOpenSSL, WORD),
        key_as(shop, PrivateFormat.PKCS8, WORD, Encoding.DER),
        pfx(shop, WORD),
    ):
        assert parse_upload(upload(key)).passphrase == "needed"
        assert parse_upload(upload(key, passphrase=b"")).passphrase == "wrong"
        wrong = judge(shop.fullchain_pem, key, passphrase=b"hunter2-wrong")
        assert wrong.pieces.passphrase == "wrong"
        assert not wrong.accepted
        assert "hunter2" not in wrong.text + repr(wrong)


def test_a_damaged_rsa_key_is_found(rsa_shop: Leaf) -> None:
    """An RSA key whose numbers do not fit together is refused: a server would sign with it and be refused itself."""
    numbers = rsa_shop.key.private_numbers()
    assert isinstance(numbers, rsa.RSAPrivateNumbers)
    damaged = rsa.RSAPrivateNumbers(
        numbers.p, numbers.q, numbers.d + 2, numbers.dmp1, numbers.dmq1, numbers.iqmp, numbers.public_numbers
    ).private_key(unsafe_skip_rsa_key_validation=True)
    judged = judge(rsa_shop.fullchain_pem, key_pem(damaged))
    assert "are inconsistent" in judged["parse"].detail


# -- DER, PKCS#12, PKCS#7 --------------------------------------------------------------------------------------------------


def test_der_certificate_and_key(shop: Leaf) -> None:
    """Certificate, chain and key are taken as DER, with a line feed behind them too."""
    chain = shop.chain[0].public_bytes(Encoding.DER)
    assert_whole(shop, der(shop), chain + b"\r\n", key_as(shop, PrivateFormat.PKCS8, None, Encoding.DER) + b"\n")
    assert_whole(shop, b64encode(der(shop)), chain, shop.key_pem)


@pytest.mark.parametrize("password", [None, WORD], ids=["open", "protected"])
def test_pkcs12(shop: Leaf, password: bytes | None) -> None:
    """A PFX gives leaf, key and chain, as a file and as base64 of a paste (ST-35)."""
    file = pfx(shop, password)
    assert_whole(shop, file, passphrase=password)
    assert_whole(shop, b64encode(file), passphrase=password)
    lines = b"\n".join(b64encode(file)[at : at + 76] for at in range(0, len(b64encode(file)), 76))
    assert_whole(shop, lines + b"\n", passphrase=password)


def test_a_passphrase_that_is_not_needed(shop: Leaf) -> None:
    """A PFX without passphrase opens although one was given, and that is said."""
    judged = judge(pfx(shop, None), passphrase=b"not needed")
    assert judged["key-match"].status == "pass"
    assert "needs no passphrase" in judged["parse"].detail


@pytest.mark.parametrize(
    "word", ["pässe".encode("latin-1"), "changeit".encode("utf-16"), b"hunter2\0", b"\xed\xa0\x80"]
)
def test_a_passphrase_that_no_file_can_have(shop: Leaf, word: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    """Bytes that are no text, and a NUL, are a wrong passphrase for every protected form, and nothing shows them."""
    for key in (
        key_as(shop, PrivateFormat.PKCS8, WORD),
        key_as(shop, PrivateFormat.TraditionalOpenSSL, WORD),
        pfx(shop, WORD),
    ):
        result = judge(shop.fullchain_pem, key, passphrase=word)
        assert result.pieces.passphrase == "wrong"
        assert "hunter2" not in result.text + repr(result)
    assert capfd.readouterr() == ("", "")


OPENSSL_PFX = {
    "modern": [],
    "legacy-rc2": ["-legacy"],
    "legacy-3des": ["-legacy", "-certpbe", "PBE-SHA1-3DES"],
    "no-mac": ["-nomac"],
    "plain": ["-keypbe", "NONE", "-certpbe", "NONE"],
    "many-rounds": ["-iter", "600000"],
}


@pytest.mark.parametrize("kind", OPENSSL_PFX)
def test_pkcs12_as_openssl_writes_it(rsa_shop: Leaf, tmp_path: Path, kind: str) -> None:
    """PFX files of every age are read, RC2-40 among them (pain point 22); those without a password with an empty one or none."""
    files = {"key": rsa_shop.key_pem, "cert": rsa_shop.certificate_pem, "chain": rsa_shop.chain_pem}
    for label, content in files.items():
        (tmp_path / label).write_bytes(content)
    argv = [find_program("openssl"), "pkcs12", "-export", "-inkey", "key", "-in", "cert", "-certfile", "chain", "", ""]
    for word, given in ((b"secret", b"secret"), (b"", b""), (b"", None)):
        argv[-2:] = ["-passout", f"pass:{word.decode()}"]
        subprocess.run([*argv, "-out", "out.p12", *OPENSSL_PFX[kind]], check=True, capture_output=True, cwd=tmp_path)
        assert_whole(rsa_shop, (tmp_path / "out.p12").read_bytes(), passphrase=given)


def test_a_key_under_the_empty_passphrase(shop: Leaf, tmp_path: Path) -> None:
    """OpenSSL encrypts a key with an empty passphrase when it is told so; it opens with the empty one alone."""
    (tmp_path / "key").write_bytes(shop.key_pem)
    argv = [find_program("openssl"), "pkcs8", "-topk8", "-in", "key", "-passout", "pass:", "-out", "out.pem"]
    subprocess.run(argv, check=True, capture_output=True, cwd=tmp_path)
    key = (tmp_path / "out.pem").read_bytes()
    assert_whole(shop, shop.fullchain_pem, key, passphrase=b"")
    assert parse_upload(upload(key)).passphrase == "needed"
    assert parse_upload(upload(key, passphrase=b"other")).passphrase == "wrong"


def test_a_pfx_without_a_key_is_a_chain(shop: Leaf) -> None:
    """A PFX that holds certificates alone gives them."""
    store = pkcs12.serialize_key_and_certificates(None, None, None, [shop.certificate, *shop.chain], NoEncryption())
    assert_whole(shop, store, shop.key_pem)


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_pkcs7(shop: Leaf, encoding: Encoding) -> None:
    """A PKCS#7 bundle, as Windows CAs send it, gives its certificates; also under the label CERTIFICATE."""
    bundle = pkcs7.serialize_certificates([*shop.chain, shop.certificate], encoding)
    assert_whole(shop, bundle, shop.key_pem)
    if encoding is Encoding.PEM:
        assert_whole(shop, bundle.replace(b"PKCS7", b"CERTIFICATE"), shop.key_pem)


# -- mistakes, by their name ---------------------------------------------------------------------------------------------


def _csr(leaf: Leaf) -> x509.CertificateSigningRequest:
    return x509.CertificateSigningRequestBuilder(name("shop")).sign(leaf.key, hashes.SHA256())


def _dsa_key() -> bytes:
    key = dsa.generate_private_key(1024)  # noqa: S505 - what is refused
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _bcfks() -> bytes:
    """Return the outline of a BCFKS keystore: an encrypted store, and how its integrity is kept."""
    algorithm = tlv(0x30, tlv(0x06, b"\x2a\x03"))
    return tlv(0x30, tlv(0x30, algorithm + tlv(0x04, bytes(40))) + tlv(0x30, algorithm + tlv(0x04, bytes(20))))


MISTAKES: dict[str, tuple[Callable[[Leaf], bytes], str]] = {
    "csr": (lambda leaf: _csr(leaf).public_bytes(Encoding.PEM), "certificate signing request"),
    "csr-der": (lambda leaf: _csr(leaf).public_bytes(Encoding.DER), "certificate signing request"),
    "openssh-key": (lambda leaf: key_as(leaf, PrivateFormat.OpenSSH), "OpenSSH private key"),
    "openssh-public": (
        lambda leaf: leaf.key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        "OpenSSH public key",
    ),
    "public-key": (
        lambda leaf: leaf.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "public key",
    ),
    "public-key-der": (
        lambda leaf: leaf.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "public key",
    ),
    "dsa": (
        lambda _leaf: _dsa_key(),
        "DSA private key",
    ),
    "x25519": (
        lambda _leaf: x25519.X25519PrivateKey.generate().private_bytes(
            Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
        ),
        "X25519 private key",
    ),
    "pgp": (lambda _leaf: b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQENBF\n-----END PGP PUBLIC KEY BLOCK-----", "PGP"),
    "jks": (lambda _leaf: b"\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1", "Java keystore"),
    "putty": (lambda _leaf: b"PuTTY-User-Key-File-2: ssh-rsa\n", "PuTTY"),
    "bks": (lambda _leaf: b"\0\0\0\2\0\0\0\x14" + bytes(30), "Bouncy Castle keystore (BKS)"),
    "uber": (lambda _leaf: b"\0\0\0\1\0\0\0\x14" + bytes(30), "Bouncy Castle keystore (UBER)"),
    "bcfks": (lambda _leaf: _bcfks(), "Bouncy Castle keystore (BCFKS)"),
    "pvk": (lambda _leaf: b"\x1e\xf1\xb5\xb0" + bytes(30), "Microsoft private key (PVK)"),
    "blob": (lambda _leaf: b"\x07\x02\0\0\0\xa4\0\0RSA2" + bytes(30), "PRIVATEKEYBLOB"),
    "ssh.com": (
        lambda _leaf: (
            b"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: x\nP2/56wAAA\n---- END SSH2 ENCRYPTED PRIVATE KEY ----"
        ),
        "ssh.com",
    ),
    "xml": (lambda _leaf: b'<?xml version="1.0"?><opnsense><theme>x</theme></opnsense>', "an XML document"),
    "zip": (lambda _leaf: b"PK\x03\x04rest of it", "ZIP archive"),
    "web-page": (lambda _leaf: b"<!DOCTYPE html><html>Please log in</html>", "web page"),
    "empty": (lambda _leaf: b"", "is empty"),
    "blank": (lambda _leaf: b" \n\n ", "is empty"),
    "prose": (lambda _leaf: b"I will send the certificate tomorrow.", "neither a certificate nor a private key"),
    "random": (lambda _leaf: bytes(range(256)) * 4, "neither a certificate nor a private key"),
    "cut-off": (lambda leaf: leaf.certificate_pem[:300], "is cut off"),
    "cut-off-der": (lambda leaf: der(leaf)[:-20], "neither a certificate nor a private key"),
    "typo": (lambda leaf: leaf.certificate_pem.replace(b"M", b"*", 1), "not base64"),
    "another-end": (
        lambda leaf: leaf.certificate_pem.replace(b"END CERTIFICATE", b"END X509 CRL"),
        "begins with CERTIFICATE",
    ),
    "cut-off-pfx": (lambda leaf: pfx(leaf, b"x")[:-30], "neither a certificate nor a private key"),
    "altered-pfx": (lambda leaf: pfx(leaf, b"x").replace(b"\x02\x01\x03", b"\x02\x01\x04", 1), "neither a certificate"),
    "no-key-in-label": (
        lambda _leaf: b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        "private key is damaged",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(shop: Leaf, mistake: str) -> None:
    """What is no certificate is called by its name, with what to give instead."""
    make, words = MISTAKES[mistake]
    judged = judge(make(shop))
    assert judged.failed == ["parse"]
    assert words in judged["parse"].detail
    assert judged["parse"].fix.endswith(".")
    assert {each.status for each in judged.results[1:]} == {"skip"}


def test_a_foreign_file_beside_good_ones_is_still_refused(shop: Leaf) -> None:
    """Each file has to be of use: a public key in the place of the private one is not passed over in silence."""
    public = shop.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    judged = judge(shop.fullchain_pem, public)
    assert "is a public key" in judged["parse"].detail
    assert "Give the private key, which was created together" in judged["parse"].fix
    assert "public key" in judged["key-match"].detail


def test_a_csr_in_the_same_file_is_left_out(shop: Leaf) -> None:
    """A CSR that lies in one file with the rest does no harm, and is mentioned."""
    judged = judge(shop.fullchain_pem + _csr(shop).public_bytes(Encoding.PEM) + shop.key_pem)
    assert judged.accepted
    assert "signing request" in judged["parse"].detail


def test_two_keys(shop: Leaf) -> None:
    """Of two keys the one that belongs is taken, and the other is spoken of; of two strangers none."""
    other = key_pem(make_key())
    judged = judge(shop.fullchain_pem, other + shop.key_pem)
    assert judged["key-match"].status == "warn"
    assert "2 keys" in judged["key-match"].detail
    assert judge(shop.fullchain_pem, other, key_pem(make_key("rsa-2048"))).failed == ["key-match"]


def test_a_key_alone_is_no_upload(shop: Leaf) -> None:
    """A private key without a certificate is said to be just that."""
    judged = judge(shop.key_pem)
    assert "no certificate" in judged["parse"].detail
    assert ec.EllipticCurvePrivateKey.__name__ not in judged.text


def test_nothing_shows_a_key(shop: Leaf) -> None:
    """No repr of what holds a key shows it."""
    judged = judge(shop.fullchain_pem, shop.key_pem)
    secret = shop.key_pem.splitlines()[1].decode()
    assert secret not in repr(judged)
    assert secret not in repr(upload(shop.key_pem, passphrase=b"hush"))
    assert "hush" not in repr(upload(shop.key_pem, passphrase=b"hush"))
