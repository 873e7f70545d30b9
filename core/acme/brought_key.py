"""An account key that another client has kept: PEM (lego, acme.sh, dehydrated) or a JWK (certbot's `private_key.json`)."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from josepy import jwk
from josepy.errors import Error as JoseError

from core.acme.account_key import AccountKey
from core.errors import AccountError


def brought_key(text: bytes) -> AccountKey:
    """Return the key in a file. Raises AccountError (`account-error`) for what is none that an account can have."""
    if not text.lstrip().startswith(b"{"):
        return AccountKey.from_pem(text)
    try:
        key = jwk.JWK.json_loads(text.decode()).key
        pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError, JoseError) as exc:
        raise AccountError(
            "The account key cannot be used.",
            "It is JSON, but not a JWK with a private RSA or EC key in it.",
            "Give the file that holds the private key; certbot calls it private_key.json.",
        ) from exc
    return AccountKey.from_pem(pem)
