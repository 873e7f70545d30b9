"""Reads private keys in the formats of other programs (PKCS#1, SEC 1, PKCS#8; plain or encrypted).

cryptography checks the primes of an RSA key when it loads one, which takes seconds at 8192 bits. Here the numbers are checked for
consistency instead, which detects any damage and costs almost nothing.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from core.key_types import LARGEST_RSA
from core.x509.cost import TooCostly, check_kdf_cost
from core.x509.der import INTEGER, OCTET_STRING, OID, SEQUENCE, Element, NotDer, Reader, tlv
from core.x509.key import Native, PrivateKey
from core.x509.passphrase import no_panic
from core.x509.spki import EC, algorithm_of, is_explicit_curve, is_pss, other_key_name

_BLOCK = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----([A-Za-z0-9+/=\s]*)-----END [A-Z ]*PRIVATE KEY-----")
_PARAMETERS = 0xA0
_BYTES_OF_CURVES = {
    bytes.fromhex("2a8648ce3d030107"): 32,  # P-256
    bytes.fromhex("2b81040022"): 48,  # P-384
    bytes.fromhex("2b81040023"): 66,  # P-521
    bytes.fromhex("2b8104000a"): 32,  # secp256k1
    bytes.fromhex("2b2403030208010107"): 32,  # brainpoolP256r1
    bytes.fromhex("2b240303020801010b"): 48,
    bytes.fromhex("2b240303020801010d"): 64,
}
FAILURES = (ValueError, TypeError, UnsupportedAlgorithm, OverflowError, InternalError)


class MalformedKey(ValueError):
    """The bytes are not a usable private key. The text is one sentence; `fix` says what to do, or is empty."""

    def __init__(self, text: str, fix: str = "") -> None:
        super().__init__(text)
        self.fix = fix


class KeyOfNoUse(MalformedKey):
    """A valid key of a type that TLS servers do not use."""


class KeyNeedsPassphrase(MalformedKey):
    """The key is encrypted, and no passphrase was given."""


class KeyPassphraseWrong(MalformedKey):
    """The passphrase does not open the key."""


def load_key(pem: bytes) -> PrivateKey:
    """Read the first unencrypted key in a PEM, the format in which this box stores keys. Raises MalformedKey."""
    block = _BLOCK.search(pem)
    try:
        return read_der(b64decode(b"".join(block[1].split()), validate=True) if block else b"")
    except Base64Error as exc:
        raise MalformedKey("The private key is damaged.") from exc


def read_der(data: bytes) -> PrivateKey:
    """Read an unencrypted key in DER. Raises MalformedKey."""
    if is_explicit_curve(data):
        raise MalformedKey(
            "The private key is an EC key with explicit curve parameters, which RFC 5480 forbids. OpenSSL 3 and Java reject it.",
            "Create a new key with a named curve, for example EC P-256, and have a certificate issued for it.",
        )
    try:
        with no_panic():
            native = serialization.load_der_private_key(
                with_full_number(data), None, unsafe_skip_rsa_key_validation=True
            )
    except FAILURES as exc:
        if other_key_name(data) or isinstance(exc, UnsupportedAlgorithm):
            raise _of_no_use(other_key_name(data)) from exc
        if _lacks_curve(data):
            raise MalformedKey("The private key does not contain its curve.", "Give the original key file.") from exc
        raise MalformedKey("The private key is damaged.") from exc
    if not isinstance(native, Native):
        raise _of_no_use(other_key_name(data))
    return checked(native, algorithm_of(data)[0] if is_pss(data) else b"")


def read_encrypted_der(data: bytes, passphrase: bytes | None) -> PrivateKey:
    """Read an encrypted PKCS#8 key in DER. Raises MalformedKey (KeyNeedsPassphrase, KeyPassphraseWrong)."""
    if passphrase is None:
        raise KeyNeedsPassphrase("The private key is protected by a passphrase.")
    from core.x509 import pbes2  # most keys are unencrypted, and the ciphers are slow to load
    from core.x509.padding import WrongPassphrase

    try:
        check_kdf_cost(data)
        plain = pbes2.opened(data, passphrase)
    except NotDer as exc:
        raise MalformedKey("The encrypted private key is damaged.") from exc
    except TooCostly as exc:
        raise MalformedKey(
            f"Opening the private key takes {exc}, which is more than any legitimate program uses."
        ) from exc
    except pbes2.UnreadCipher as exc:
        raise unread_cipher(str(exc)) from exc
    except WrongPassphrase as exc:
        raise KeyPassphraseWrong("The passphrase of the private key is wrong.") from exc
    if plain is not None:
        return read_der(plain)
    try:
        with no_panic():
            native = serialization.load_der_private_key(data, passphrase, unsafe_skip_rsa_key_validation=True)
        return checked(native)
    except MalformedKey:
        raise
    except FAILURES as exc:
        raise failed_to_open(exc) from exc


def failed_to_open(exc: Exception) -> MalformedKey:
    """Return the error for a key that cryptography could not open: the passphrase is not always the cause."""
    if isinstance(exc, UnsupportedAlgorithm) or "unknown" in str(exc).lower():
        return unread_cipher("")
    return KeyPassphraseWrong("The passphrase of the private key is wrong.")


def unread_cipher(name: str) -> MalformedKey:
    """Return the error for a key with an unsupported cipher. `name`: of the cipher; empty: unknown."""
    return MalformedKey(
        f"The private key is encrypted with a cipher that certdeck does not support{f' ({name})' if name else ''}.",
        "Convert it: openssl pkey -in FILE -aes256 -out key.pem (older ciphers: add -provider legacy -provider default).",
    )


def checked(native: object, algorithm: bytes = b"") -> PrivateKey:
    """Return the key if TLS servers can use it and its numbers are consistent. Raises MalformedKey."""
    if not isinstance(native, Native):
        raise _of_no_use("")
    if isinstance(native, rsa.RSAPrivateKey):
        _check_rsa(native)
    return PrivateKey(native, algorithm)


def _of_no_use(name: str) -> KeyOfNoUse:
    kind = f"a {name} key, which" if name else "of a type that"
    article = kind.replace("a Ed", "an Ed").replace("a ML", "an ML").replace("a SLH", "an SLH").replace("a X", "an X")
    return KeyOfNoUse(f"The private key is {article} TLS servers do not use.", "Give the RSA or EC key.")


def _check_rsa(native: rsa.RSAPrivateKey) -> None:
    if native.key_size > LARGEST_RSA:
        raise MalformedKey(
            f"The private key has {native.key_size:,} bits; no server supports more than {LARGEST_RSA:,}."
        )
    numbers = native.private_numbers()
    p, q, d, n, e = numbers.p, numbers.q, numbers.d, numbers.public_numbers.n, numbers.public_numbers.e
    # Two primes of about the same length, as every program generates them: a tiny one would hide damage from the other checks.
    fits = (
        min(p, q).bit_length() > n.bit_length() // 3
        and p * q == n
        and (d * e - 1) % (p - 1) == 0
        and (d * e - 1) % (q - 1) == 0
    )
    crt = numbers.dmp1 == d % (p - 1) and numbers.dmq1 == d % (q - 1) and numbers.iqmp * q % p == 1
    if not (fits and crt):
        raise MalformedKey("The numbers in the private key are inconsistent: it is damaged.")


def with_full_numbers(pem: bytes) -> bytes:
    """Return a PEM with its first unencrypted EC key normalized by `with_full_number`. Any other PEM is unchanged."""
    block = _BLOCK.search(pem)
    try:
        der = b64decode(b"".join(block[1].split()), validate=True) if block else b""
    except Base64Error:
        return pem
    full = with_full_number(der)
    if block is None or full == der:
        return pem
    return pem[: block.start(1)] + b"\n" + b64encode(full) + b"\n" + pem[block.end(1) :]


# -- EC keys whose private number has other than the curve's length --------------------------------------------------------------


def with_full_number(data: bytes) -> bytes:
    """Return an EC key (SEC 1 or PKCS#8, DER) with its private number in the length of RFC 5915 §3. Other data is unchanged.

    GnuTLS writes a zero before a number with its highest bit set, and some programs omit leading zeros. OpenSSL reads both.
    """
    try:
        reader = Reader(data)
        top = reader.whole()
        parts = list(reader.children(top))
        tags = [part.tag for part in parts]
        if tags[:2] == [INTEGER, OCTET_STRING]:
            return _full_sec1(reader, parts, b"")
        if tags[:3] == [INTEGER, SEQUENCE, OCTET_STRING]:
            named = list(reader.children(parts[1]))
            if len(named) < 2 or reader.content(named[0]) != EC or named[1].tag != OID:
                return data
            inner = Reader(reader.content(parts[2]))
            key = _full_sec1(inner, list(inner.children(inner.whole())), reader.content(named[1]))
            return tlv(SEQUENCE, data[top.start : parts[1].after] + tlv(OCTET_STRING, key))
    except (NotDer, IndexError):
        pass
    return data


def _full_sec1(reader: Reader, parts: list[Element], curve: bytes) -> bytes:
    for part in parts[2:]:
        if part.tag == _PARAMETERS:
            curve = reader.content(next(reader.children(part)))
    number = reader.content(parts[1]).lstrip(b"\0")
    size = _BYTES_OF_CURVES.get(curve, 0)
    if not number or len(number) > size:
        return reader.data
    begin = reader.data[reader.whole().start : parts[0].after]
    return tlv(
        SEQUENCE, begin + tlv(OCTET_STRING, number.rjust(size, b"\0")) + reader.data[parts[1].after : parts[-1].after]
    )


def _lacks_curve(data: bytes) -> bool:
    try:
        reader = Reader(data)
        tags = reader.tags(reader.whole())
        return tags[:2] == [INTEGER, OCTET_STRING] and _PARAMETERS not in tags
    except NotDer:
        return False
