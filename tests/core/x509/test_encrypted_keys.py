"""Encrypted keys of older programs, and keys that ask for more work than anybody should do."""

from __future__ import annotations

import subprocess
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.padding import PKCS7

from core.acme.imported_key import parse_account_key
from core.errors import AccountError
from core.x509 import pbes1
from core.x509.cost import MOST_ROUNDS, TooCostly, check_kdf_cost
from core.x509.der import tlv
from core.x509.key_reader import KeyPassphraseWrong, read_encrypted_der
from core.x509.pbes2 import opened
from tests.support.programs import find_program

SECRET = "pässword"


@pytest.mark.parametrize("scheme", ["PBE-SHA1-3DES", "PBE-SHA1-2DES", "PBE-SHA1-DES", "PBE-MD5-DES"])
def test_keys_that_openssl_encrypted_are_opened(tmp_path: Path, scheme: str) -> None:
    """What OpenSSL wrote with an old scheme comes out byte for byte, and a wrong passphrase is told as one."""

    def openssl(*argv: str) -> bytes:
        return subprocess.run([find_program("openssl"), *argv], check=True, capture_output=True, cwd=tmp_path).stdout

    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "plain")
    plain = openssl("pkcs8", "-topk8", "-nocrypt", "-in", "plain", "-outform", "DER")
    old = ["-v1", scheme, "-provider", "legacy", "-provider", "default"]
    sealed = openssl("pkcs8", "-topk8", "-in", "plain", "-outform", "DER", "-passout", f"pass:{SECRET}", *old)
    assert opened(sealed, SECRET.encode()) == plain
    with pytest.raises(KeyPassphraseWrong):
        read_encrypted_der(sealed, b"wrong")


def sealed_key(plain: bytes, scheme: bytes, rounds: int) -> bytes:
    salt = b"saltsalt"
    key, iv = pbes1.key_and_iv(scheme, SECRET.encode(), salt, min(rounds, 2048))
    padder = PKCS7(64).padder()
    encryptor = Cipher(TripleDES(key), modes.CBC(iv)).encryptor()
    content = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    number = rounds.to_bytes(rounds.bit_length() // 8 + 1, "big")
    algorithm = tlv(0x30, tlv(0x06, scheme) + tlv(0x30, tlv(0x04, salt) + tlv(0x02, number)))
    return tlv(0x30, algorithm + tlv(0x04, content))


def padded_key() -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    """Return a key, and it as PKCS#8 with a zero before its private number, as certtool and uacme write it."""
    key = ec.generate_private_key(ec.SECP256R1())
    number = b"\0" + key.private_numbers().private_value.to_bytes(32, "big")
    curve = tlv(0x06, bytes.fromhex("2a8648ce3d030107"))
    algorithm = tlv(0x30, tlv(0x06, bytes.fromhex("2a8648ce3d0201")) + curve)
    inner = tlv(0x30, tlv(0x02, b"\1") + tlv(0x04, number))
    return key, tlv(0x30, tlv(0x02, b"\0") + algorithm + tlv(0x04, inner))


@pytest.mark.parametrize("scheme", [pbes1.SHA1_3DES, pbes1.SHA1_2DES, pbes1.SHA1_DES, pbes1.MD5_DES])
def test_a_padded_number_in_an_old_encryption_is_read(scheme: bytes) -> None:
    """A padded private number inside an old encryption is read, and not blamed on the passphrase."""
    key, plain = padded_key()
    found = read_encrypted_der(sealed_key(plain, scheme, 2048), SECRET.encode()).native
    assert isinstance(found, ec.EllipticCurvePrivateKey)
    assert found.private_numbers().private_value == key.private_numbers().private_value


def pbkdf2_key(rounds: int, prf: int) -> bytes:
    number = rounds.to_bytes(rounds.bit_length() // 8 + 1, "big")
    digest = tlv(0x30, tlv(0x06, bytes.fromhex("2a864886f70d02") + bytes([prf])) + tlv(0x05, b""))
    derivation = tlv(
        0x30,
        tlv(0x06, bytes.fromhex("2a864886f70d01050c")) + tlv(0x30, tlv(0x04, bytes(8)) + tlv(0x02, number) + digest),
    )
    cipher = tlv(0x30, tlv(0x06, bytes.fromhex("60864801650304012a")) + tlv(0x04, bytes(16)))
    algorithm = tlv(0x30, tlv(0x06, bytes.fromhex("2a864886f70d01050d")) + tlv(0x30, derivation + cipher))
    return tlv(0x30, algorithm + tlv(0x04, bytes(160)))


@pytest.mark.parametrize(
    ("data", "is_refused"),
    [
        (pbkdf2_key(1_400_000, 9), False),
        (pbkdf2_key(MOST_ROUNDS + 1, 9), True),
        (pbkdf2_key(600_000, 11), False),
        (pbkdf2_key(1_100_000, 11), True),
        (sealed_key(b"", pbes1.SHA1_3DES, 400_000), False),
        (sealed_key(b"", pbes1.SHA1_3DES, 700_000), True),
    ],
)
def test_work_is_counted_before_it_is_done(data: bytes, is_refused: bool) -> None:
    """What an encryption costs is read before anything is derived, each kind by what a round of it takes."""
    if is_refused:
        with pytest.raises(TooCostly):
            check_kdf_cost(data)
    else:
        assert check_kdf_cost(data) <= MOST_ROUNDS


def test_an_account_key_of_a_billion_rounds() -> None:
    """An account key that is brought along is refused before any of its rounds is done."""
    body = b64encode(pbkdf2_key(1_000_000_000, 9))
    text = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + body + b"\n-----END ENCRYPTED PRIVATE KEY-----\n"
    with pytest.raises(AccountError, match="is not valid") as told:
        parse_account_key(text, b"x")
    assert "1,000,000,000 rounds" in told.value.why
