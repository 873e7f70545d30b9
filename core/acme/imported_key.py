"""Account keys of other clients: PEM (lego, acme.sh, dehydrated) or a JWK (certbot's `private_key.json`)."""

from __future__ import annotations

import re
from base64 import b64decode, urlsafe_b64decode

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from josepy import jwk
from josepy.errors import Error as JoseError

from core.acme.account_key import AccountKey
from core.errors import AccountError

_ENCRYPTED = re.compile(rb"-----BEGIN ENCRYPTED PRIVATE KEY-----([A-Za-z0-9+/=\s]*)-----END ENCRYPTED PRIVATE KEY-----")


def parse_account_key(text: bytes, passphrase: bytes | None = None) -> AccountKey:
    """Return the key in a file.

    Args:
        passphrase: of an encrypted PEM. Also tried as base64url: Apache's mod_md stores its own, 48 arbitrary bytes, as `key` of
            `md_store.json` in that form.

    Raises:
        AccountError (`account-error`): it is not a valid account key. `details["passphrase"]`: `needed` or `wrong`.
    """
    if not text.lstrip().startswith(b"{"):
        return AccountKey.from_pem(_opened(text, passphrase) if is_encrypted(text) else text)
    try:
        key = jwk.JWK.json_loads(text.decode()).key
        pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError, JoseError) as exc:
        raise AccountError(
            "The account key is not valid.",
            "It is JSON, but not a JWK that contains a private RSA or EC key.",
            "Give the file that holds the private key. certbot calls it private_key.json.",
        ) from exc
    return AccountKey.from_pem(pem)


def is_encrypted(text: bytes) -> bool:
    """Return whether a PEM needs a passphrase."""
    return b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in text or b"Proc-Type: 4,ENCRYPTED" in text


def _opened(text: bytes, passphrase: bytes | None) -> bytes:
    """Return an encrypted PEM without its encryption. A secret."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if passphrase is None:
        raise AccountError(
            "The account key is not valid.",
            "It is protected by a passphrase.",
            "Give it with --passphrase-file FILE (- is standard input). "
            "For Apache's mod_md, it is the value of `key` in its md_store.json.",
            details={"passphrase": "needed"},
        )
    _refuse_costly(text)
    for each in (passphrase, *_as_base64url(passphrase)):
        try:
            key = load_pem_private_key(text, each)
            return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        except Exception:  # noqa: BLE001, S112 - OpenSSL's errors for a wrong passphrase differ, and must never show it
            continue
    raise AccountError(
        "The account key is not valid.",
        "The passphrase is wrong.",
        "Give the right passphrase. For Apache's mod_md, it is the value of `key` in its md_store.json.",
        details={"passphrase": "wrong"},
    )


def _refuse_costly(text: bytes) -> None:
    """Raise AccountError for a PEM that requires more work than any legitimate program uses, before doing that work."""
    from core.x509.cost import TooCostly, check_kdf_cost
    from core.x509.der import NotDer

    block = _ENCRYPTED.search(text)
    try:
        if block is not None:
            check_kdf_cost(b64decode(b"".join(block[1].split())))
    except TooCostly as exc:
        raise AccountError(
            "The account key is not valid.",
            f"Opening it takes {exc}, which is more than any legitimate program uses.",
            "Encrypt it again with fewer rounds: openssl pkey -in FILE -aes256 -out key.pem",
        ) from exc
    except (NotDer, ValueError):
        return  # damaged: loading it reports that


def _as_base64url(passphrase: bytes) -> tuple[bytes, ...]:
    try:
        return (urlsafe_b64decode(passphrase.strip() + b"=" * (-len(passphrase.strip()) % 4)),)
    except ValueError:
        return ()
