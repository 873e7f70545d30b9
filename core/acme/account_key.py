"""The key of an account, stored as PKCS#8, which signs every request. The account's identity is this key, not the contact."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from acme import jws
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from josepy import jwa, jwk
from josepy.json_util import encode_b64jose

from core.errors import AccountError
from core.x509.key_reader import with_full_numbers

CURVES: Mapping[str, tuple[type[ec.EllipticCurve], jwa.JWASignature]] = {
    "ec-256": (ec.SECP256R1, jwa.ES256),
    "ec-384": (ec.SECP384R1, jwa.ES384),
    "ec-521": (ec.SECP521R1, jwa.ES512),
}
"""Type → curve and its signature algorithm (RFC 7518 §3.4 binds the two)."""
SMALLEST_RSA_BITS = 2048


class AccountKey:
    """An account's private key. Its repr shows type and thumbprint, never the key."""

    def __init__(self, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
        self._private = key
        self._jwk: jwk.JWK
        if isinstance(key, rsa.RSAPrivateKey):
            self.kind = f"rsa-{key.key_size}"
            self._jwk, self._algorithm = jwk.JWKRSA(key=key), jwa.RS256
        else:
            self.kind = next(kind for kind, (curve, _) in CURVES.items() if isinstance(key.curve, curve))
            self._jwk, self._algorithm = jwk.JWKEC(key=key), CURVES[self.kind][1]
        self.thumbprint: str = encode_b64jose(self._jwk.thumbprint())
        """RFC 7638, base64url: the second part of every key authorization."""
        self._headers: dict[str | None, dict[str, Any]] = {}
        """What is the same in the header of each request, by the account's URL."""

    def __repr__(self) -> str:
        return f"AccountKey({self.kind}, {self.thumbprint})"

    @classmethod
    def generate(cls, kind: str = "ec-256") -> AccountKey:
        """Generate a key: `ec-256`, `ec-384`, `ec-521` or `rsa-BITS`."""
        if kind in CURVES:
            return cls(ec.generate_private_key(CURVES[kind][0]()))
        return cls(rsa.generate_private_key(public_exponent=65537, key_size=int(kind.removeprefix("rsa-"))))

    @classmethod
    def from_pem(cls, pem: bytes) -> AccountKey:
        """Load an unencrypted PEM key in any common format. Raises AccountError (`account-error`)."""
        what = "The account key is not valid."
        try:
            # GnuTLS, which uacme uses, writes half of its EC keys with an extra zero byte.
            key = serialization.load_pem_private_key(with_full_numbers(pem), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
            why = "It is not an unencrypted private key in PEM form."
            raise AccountError(what, why, "Give the key that the account was created with.") from exc
        is_curve = isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(
            key.curve, tuple(curve for curve, _ in CURVES.values())
        )
        if isinstance(key, ec.EllipticCurvePrivateKey) and is_curve:
            return cls(key)
        if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= SMALLEST_RSA_BITS:
            return cls(key)
        why = "It is neither RSA of at least 2048 bits nor ECDSA on P-256, P-384 or P-521."
        raise AccountError(
            what, why, "Use an account with a key of one of these kinds, or let certdeck create a new account."
        )

    def to_pem(self) -> bytes:
        """Return the key as PKCS#8 PEM. A secret: store it only in the vault."""
        return self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def public_jwk(self) -> dict[str, Any]:
        """Return the public key as a JSON Web Key."""
        fields: dict[str, Any] = self._jwk.public_key().to_json()
        return fields

    def key_authorization(self, token: str) -> str:
        """Return the key authorization for a token (RFC 8555 §8.1)."""
        return f"{token}.{self.thumbprint}"

    def sign(self, payload: bytes, *, url: str, nonce: str | None, kid: str | None) -> bytes:
        """Return a flattened JWS; it contains the public key if there is no `kid` (RFC 8555 §6.2)."""
        return json.dumps(self._signed(payload, url=url, nonce=nonce, kid=kid)).encode()

    def sign_inner(self, payload: Mapping[str, Any], *, url: str) -> dict[str, str]:
        """Return the inner JWS of a key change (RFC 8555 §7.3.5): signed by this key, without a nonce."""
        return self._signed(json.dumps(payload).encode(), url=url, nonce=None, kid=None)

    def _signed(self, payload: bytes, *, url: str, nonce: str | None, kid: str | None) -> dict[str, str]:
        if kid not in self._headers:
            key = self._jwk.public_key() if kid is None else None
            self._headers[kid] = jws.Header(alg=self._algorithm, kid=kid, jwk=key).to_json()
        header = {**self._headers[kid], "url": url} | ({} if nonce is None else {"nonce": nonce})
        return _flattened(payload, header, self._jwk, self._algorithm)


def sign_with_mac(payload: Mapping[str, Any], *, hmac_key: bytes, kid: str, url: str) -> dict[str, str]:
    """Return the external account binding of RFC 8555 §7.3.4: `payload` (the account's public key) with the MAC of the CA's key."""
    header = jws.Header(alg=jwa.HS256, kid=kid, url=url).to_json()
    return _flattened(json.dumps(payload).encode(), header, jwk.JWKOct(key=hmac_key), jwa.HS256)


def _flattened(payload: bytes, header: Mapping[str, Any], key: jwk.JWK, algorithm: jwa.JWASignature) -> dict[str, str]:
    """Return a flattened JWS with a protected header (RFC 7515 §7.2.2). josepy's `sign` parses what it has just written."""
    protected, body = encode_b64jose(json.dumps(header).encode()), encode_b64jose(payload)
    signature = algorithm.sign(key.key, f"{protected}.{body}".encode())
    return {"protected": protected, "payload": body, "signature": encode_b64jose(signature)}
