"""Decrypts PKCS#8 keys of older programs: PBES1 (RFC 8018 §6.1) and PKCS#12 (RFC 7292 §B).

The ciphers are DES and Triple DES. Keys under RC2 or RC4 are left to cryptography.
"""

from __future__ import annotations

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from core.x509.padding import WrongPassphrase, plain_key

_PKCS5 = bytes.fromhex("2a864886f70d0105")
_PKCS12 = bytes.fromhex("2a864886f70d010c01")
MD5_DES, SHA1_DES = _PKCS5 + b"\x03", _PKCS5 + b"\x0a"
SHA1_3DES, SHA1_2DES = _PKCS12 + b"\x03", _PKCS12 + b"\x04"
BLOCK = 8
_SHA1_BLOCK, _SHA1_SIZE = 64, 20
_KEY, _IV = 1, 2
"""Purpose of the derived bytes (RFC 7292 §B.3)."""


def opened(scheme: bytes, salt: bytes, rounds: int, sealed: bytes, passphrase: bytes) -> bytes | None:
    """Return the decrypted key (DER of PKCS#8). None: an unsupported scheme. Raises WrongPassphrase.

    Args:
        scheme: content octets of the object identifier.
        rounds: limited by the caller.
    """
    if scheme not in (MD5_DES, SHA1_DES, SHA1_3DES, SHA1_2DES) or rounds < 1:
        return None
    if not sealed or len(sealed) % BLOCK:
        raise WrongPassphrase
    key, iv = key_and_iv(scheme, passphrase, salt, rounds)
    decryptor = Cipher(TripleDES(key), modes.CBC(iv)).decryptor()
    return plain_key(decryptor.update(sealed) + decryptor.finalize(), BLOCK)


def key_and_iv(scheme: bytes, passphrase: bytes, salt: bytes, rounds: int) -> tuple[bytes, bytes]:
    """Derive key and initialization vector from a passphrase. A DES key is returned as an equivalent Triple DES key."""
    if scheme in (MD5_DES, SHA1_DES):
        made = passphrase + salt
        for _ in range(rounds):
            made = _hash(hashes.MD5() if scheme == MD5_DES else hashes.SHA1(), made)  # noqa: S303 - as the file asks
        return made[:8] * 3, made[8:16]
    try:
        text = passphrase.decode()
    except UnicodeDecodeError:
        text = passphrase.decode("latin-1")
    wide = (text + "\0").encode("utf-16-be")
    size = 24 if scheme == SHA1_3DES else 16
    key = _pkcs12_bytes(wide, salt, rounds, _KEY, size)
    return key + key[: 24 - size], _pkcs12_bytes(wide, salt, rounds, _IV, BLOCK)


def _pkcs12_bytes(passphrase: bytes, salt: bytes, rounds: int, purpose: int, size: int) -> bytes:
    """Derive bytes according to RFC 7292 §B.2, with SHA-1."""
    block = _SHA1_BLOCK
    mixed = _filled(salt) + _filled(passphrase)
    made = b""
    while len(made) < size:
        step = bytes([purpose]) * block + mixed
        for _ in range(rounds):
            step = _hash(hashes.SHA1(), step)  # noqa: S303 - as the file asks
        made += step
        add = int.from_bytes((step * 4)[:block], "big") + 1
        mixed = b"".join(
            ((int.from_bytes(mixed[at : at + block], "big") + add) % (1 << (8 * block))).to_bytes(block, "big")
            for at in range(0, len(mixed), block)
        )
    return made[:size]


def _filled(text: bytes) -> bytes:
    """Return a text, repeated to fill whole blocks."""
    count = -(-len(text) // _SHA1_BLOCK) * _SHA1_BLOCK
    return (text * (count // len(text) + 1))[:count] if text else b""


def _hash(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize()
