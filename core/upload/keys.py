"""Private keys as people have them, read into the one form that is kept (PKCS#1, SEC1, PKCS#8; plain or encrypted).

cryptography proves the primes of an RSA key when it loads one, which takes seconds at 8192 bits. Here the numbers are
compared with one another instead: that finds every damage, and costs nothing.
"""

from __future__ import annotations

import re
from base64 import b64encode

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from core.upload.cost import TooCostly, refuse_costly
from core.upload.der import NotDer
from core.upload.large_key import alone
from core.upload.pem import Block
from core.x509.key import Native, PrivateKey
from core.x509.passphrase import no_panic

LARGEST_RSA = 16384
_DEK_INFO = re.compile(
    rb"^DEK-Info:(?: *AES-[^,]*,[0-9A-F]{32}| *DES-EDE3-[^,]*,[0-9A-F]{16}|(?! *AES-| *DES-EDE3-)[^,]+,[0-9A-F]+) *$",
    re.MULTILINE | re.IGNORECASE,
)
"""Cipher and start value, of the right length: the library itself does not look, and panics (RFC 1421 §4.6.1.3)."""
_FAILURES = (ValueError, TypeError, UnsupportedAlgorithm, OverflowError, InternalError)


class KeyProblem(ValueError):
    """The key cannot be used; the text is one sentence."""


class KeyNeedsPassphrase(KeyProblem):
    """It is encrypted, and no passphrase was given."""


class KeyPassphraseWrong(KeyProblem):
    """The passphrase does not open it."""


def read_der(data: bytes) -> PrivateKey:
    """Read a plain key. Raises KeyProblem."""
    try:
        return checked(serialization.load_der_private_key(data, None, unsafe_skip_rsa_key_validation=True))
    except _FAILURES as exc:
        raise _damaged(exc) from exc


def read_pem(data: bytes) -> PrivateKey:
    """Read a plain PEM key of our own. Raises KeyProblem."""
    try:
        return checked(serialization.load_pem_private_key(data, None, unsafe_skip_rsa_key_validation=True))
    except _FAILURES as exc:
        raise _damaged(exc) from exc


def read_encrypted_der(data: bytes, passphrase: bytes | None) -> PrivateKey:
    """Read an encrypted PKCS#8 key. Raises KeyProblem."""
    if passphrase is None:
        raise KeyNeedsPassphrase("The private key is protected by a passphrase.")
    try:
        refuse_costly(data)
        with no_panic():
            native = _decrypted(data, passphrase)
        return checked(native)
    except NotDer as exc:
        raise KeyProblem("The encrypted private key is damaged.") from exc
    except TooCostly as exc:
        raise KeyProblem(f"Opening the private key takes {exc}, which no honest program asks for.") from exc
    except KeyProblem:
        raise
    except UnsupportedAlgorithm as exc:
        raise KeyProblem("The private key is encrypted in a way that OpenSSL no longer reads.") from exc
    except _FAILURES as exc:
        raise KeyPassphraseWrong("The passphrase does not open the private key.") from exc


def _decrypted(data: bytes, passphrase: bytes) -> object:
    if passphrase:
        return serialization.load_der_private_key(data, passphrase, unsafe_skip_rsa_key_validation=True)
    # The library takes an empty passphrase for none. OpenSSL writes such keys, and within PKCS#12 they are read.
    return pkcs12.load_pkcs12(alone(data), passphrase).key


def read_proc_type(block: Block, passphrase: bytes | None) -> PrivateKey:
    """Read a key encrypted the way of old OpenSSL, with `Proc-Type: 4,ENCRYPTED` (RFC 1421). Raises KeyProblem."""
    if passphrase is None:
        raise KeyNeedsPassphrase("The private key is protected by a passphrase.")
    if not _DEK_INFO.search(block.headers):
        raise KeyProblem("The private key says wrongly how it is encrypted (DEK-Info): it was altered on its way.")
    label = block.label.encode()
    text = b64encode(block.content)
    lines = b"\n".join(text[i : i + 64] for i in range(0, len(text), 64))
    pem = b"-----BEGIN %b-----\n%b\n%b\n-----END %b-----\n" % (label, block.headers, lines, label)
    try:
        with no_panic():
            native = serialization.load_pem_private_key(pem, passphrase, unsafe_skip_rsa_key_validation=True)
        return checked(native)
    except KeyProblem:
        raise
    except UnsupportedAlgorithm as exc:
        raise KeyProblem("The private key is encrypted with a cipher that is no longer supported.") from exc
    except _FAILURES as exc:
        raise KeyPassphraseWrong("The passphrase does not open the private key.") from exc


def checked(native: object) -> PrivateKey:
    """Return the key when TLS servers can use it and its numbers fit together. Raises KeyProblem."""
    if not isinstance(native, Native):
        raise KeyProblem("The private key is of a kind that TLS servers do not use.")
    if isinstance(native, rsa.RSAPrivateKey):
        _check_rsa(native)
    return PrivateKey(native)


def _check_rsa(native: rsa.RSAPrivateKey) -> None:
    if native.key_size > LARGEST_RSA:
        raise KeyProblem(f"The private key has {native.key_size:,} bits; no server takes more than {LARGEST_RSA:,}.")
    numbers = native.private_numbers()
    p, q, d, n, e = numbers.p, numbers.q, numbers.d, numbers.public_numbers.n, numbers.public_numbers.e
    # Two primes of about the same length, as every program makes them: a tiny one hides damage from the rest.
    fits = (
        min(p, q).bit_length() > n.bit_length() // 3
        and p * q == n
        and (d * e - 1) % (p - 1) == 0
        and (d * e - 1) % (q - 1) == 0
    )
    crt = numbers.dmp1 == d % (p - 1) and numbers.dmq1 == d % (q - 1) and numbers.iqmp * q % p == 1
    if not (fits and crt):
        raise KeyProblem("The numbers in the private key do not fit together: it is damaged.")


def _damaged(exc: Exception) -> KeyProblem:
    if isinstance(exc, KeyProblem):
        return exc
    if isinstance(exc, UnsupportedAlgorithm):
        return KeyProblem("The private key is of a kind that TLS servers do not use.")
    return KeyProblem("The private key is damaged.")
