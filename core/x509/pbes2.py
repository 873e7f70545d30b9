"""Decrypts PKCS#8 keys of the common kinds (RFC 8018 PBES2, RFC 7914 scrypt).

cryptography decrypts and parses such a key in one step, so a caller cannot distinguish a wrong passphrase from an unsupported key.
"""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from core.x509 import pbes1
from core.x509.der import SEQUENCE, Element, NotDer, Reader
from core.x509.padding import WrongPassphrase, plain_key

_PBES2 = bytes.fromhex("2a864886f70d01050d")
_PBKDF2 = bytes.fromhex("2a864886f70d01050c")
_SCRYPT = bytes.fromhex("2b06010401da47040b")
_HMAC = bytes.fromhex("2a864886f70d02")
_PRFS: dict[bytes, hashes.HashAlgorithm] = {
    _HMAC + b"\x07": hashes.SHA1(),  # noqa: S303 - the default of RFC 8018
    _HMAC + b"\x08": hashes.SHA224(),
    _HMAC + b"\x09": hashes.SHA256(),
    _HMAC + b"\x0a": hashes.SHA384(),
    _HMAC + b"\x0b": hashes.SHA512(),
}
_AES = bytes.fromhex("6086480165030401")
_CIPHERS: dict[bytes, tuple[type[algorithms.AES | TripleDES], int]] = {
    _AES + b"\x02": (algorithms.AES, 16),
    _AES + b"\x16": (algorithms.AES, 24),
    _AES + b"\x2a": (algorithms.AES, 32),
    bytes.fromhex("2a864886f70d0307"): (TripleDES, 24),
}
_ARIA, _CAMELLIA = bytes.fromhex("2a831a8c9a6e0101"), bytes.fromhex("2a83088c9a4b3d010101")
_UNREAD = (
    *((_ARIA + bytes([arc]), f"ARIA-{bits}") for arc, bits in ((2, 128), (7, 192), (12, 256))),
    *((_CAMELLIA + bytes([arc]), f"Camellia-{bits}") for arc, bits in ((2, 128), (3, 192), (4, 256))),
    (bytes.fromhex("2a811ccf55016802"), "SM4"),
    (bytes.fromhex("2b0e030207"), "DES"),
    (bytes.fromhex("2a8503020215"), "GOST"),
    (bytes.fromhex("2a864886f70d0309"), "RC5"),
    (bytes.fromhex("2b06010401813c07010102"), "IDEA"),
)


class UnreadCipher(ValueError):
    """The key is encrypted with an unsupported cipher. The text is its name."""


def opened(data: bytes, passphrase: bytes) -> bytes | None:
    """Decrypt a DER EncryptedPrivateKeyInfo. Returns the key (DER of PKCS#8). None: an unsupported encryption.

    Raises WrongPassphrase, UnreadCipher.
    """
    try:
        return _opened(Reader(data), passphrase)
    except (WrongPassphrase, UnreadCipher):
        raise
    except (NotDer, IndexError, ValueError, UnsupportedAlgorithm):
        return None


def _opened(reader: Reader, passphrase: bytes) -> bytes | None:
    algorithm, sealed, *_ = reader.children(reader.whole())
    name, values = _named(reader, algorithm)
    if name != _PBES2:
        salt, rounds, *_ = reader.children(values)
        return pbes1.opened(name, reader.content(salt), reader.number(rounds), reader.content(sealed), passphrase)
    derivation, encryption, *_ = reader.children(values)
    cipher, start = _named(reader, encryption)
    if cipher not in _CIPHERS:
        unread = next((word for oid, word in _UNREAD if oid == cipher), "")
        if unread:
            raise UnreadCipher(unread)
        return None
    make, size = _CIPHERS[cipher]
    key = _derived(reader, derivation, passphrase, size)
    content = reader.content(sealed)
    block = make.block_size // 8
    iv = reader.content(start)
    if key is None or len(iv) != block:
        return None
    if not content or len(content) % block:
        raise WrongPassphrase
    decryptor = Cipher(make(key), modes.CBC(iv)).decryptor()
    return plain_key(decryptor.update(content) + decryptor.finalize(), block)


def _named(reader: Reader, algorithm: Element) -> tuple[bytes, Element]:
    oid, values, *_ = [*reader.children(algorithm), *[algorithm] * 2]
    return reader.content(oid), values


def _derived(reader: Reader, derivation: Element, passphrase: bytes, size: int) -> bytes | None:
    name, values = _named(reader, derivation)
    parts = list(reader.children(values))
    salt = reader.content(parts[0])
    if name == _SCRYPT:
        n, r, p = (reader.number(part) for part in parts[1:4])
        try:
            return Scrypt(salt, size, n, r, p).derive(passphrase)
        except (ValueError, TypeError, MemoryError):
            return None
    if name != _PBKDF2:
        return None
    digest = next((reader.content(next(reader.children(p))) for p in parts[2:] if p.tag == SEQUENCE), _HMAC + b"\x07")
    rounds = reader.number(parts[1])
    if digest not in _PRFS or not 0 < rounds < 2**31:
        return None
    return PBKDF2HMAC(_PRFS[digest], size, salt, rounds).derive(passphrase)
