"""Private keys in the encryption of old OpenSSL versions, with `Proc-Type: 4,ENCRYPTED` (RFC 1421)."""

from __future__ import annotations

import re
from base64 import b64encode

from cryptography.hazmat.primitives import serialization

from core.upload.pem import Block
from core.x509.key import PrivateKey
from core.x509.key_reader import (
    FAILURES,
    KeyNeedsPassphrase,
    MalformedKey,
    checked,
    failed_to_open,
    unread_cipher,
)
from core.x509.passphrase import no_panic

_DEK_INFO = re.compile(
    rb"^DEK-Info:(?: *AES-[^,]*,[0-9A-F]{32}| *DES-EDE3-[^,]*,[0-9A-F]{16}|(?! *AES-| *DES-EDE3-)[^,]+,[0-9A-F]+) *$",
    re.MULTILINE | re.IGNORECASE,
)
"""Cipher and initialization vector of the right length: the library does not check it, and panics (RFC 1421 §4.6.1.3)."""
_CIPHER = re.compile(rb"^DEK-Info: *([A-Za-z0-9-]{1,30}),", re.MULTILINE | re.IGNORECASE)


def read_proc_type(block: Block, passphrase: bytes | None) -> PrivateKey:
    """Decrypt and read a key. Raises MalformedKey and its subclasses."""
    if passphrase is None:
        raise KeyNeedsPassphrase("The private key is protected by a passphrase.")
    if not _DEK_INFO.search(block.headers):
        raise MalformedKey("The private key's encryption header (DEK-Info) is wrong: the key was altered in transit.")
    label = block.label.encode()
    text = b64encode(block.content)
    lines = b"\n".join(text[i : i + 64] for i in range(0, len(text), 64))
    pem = b"-----BEGIN %b-----\n%b\n%b\n-----END %b-----\n" % (label, block.headers, lines, label)
    try:
        with no_panic():
            native = serialization.load_pem_private_key(pem, passphrase, unsafe_skip_rsa_key_validation=True)
        return checked(native)
    except MalformedKey:
        raise
    except FAILURES as exc:
        cipher = _CIPHER.search(block.headers)
        if "unknown cipher" in str(exc).lower() and cipher:
            raise unread_cipher(cipher[1].decode("ascii")) from exc
        raise failed_to_open(exc) from exc
