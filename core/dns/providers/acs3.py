"""Alibaba Cloud's signature version 3 (ACS3-HMAC-SHA256) for requests with an access key. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote

from msgspec import Struct

from core.concealed import Concealed

ALGORITHM = "ACS3-HMAC-SHA256"


class AcsKey(Concealed, Struct, frozen=True, kw_only=True):
    """An access key and the API version that it signs requests for."""

    access_key_id: str
    secret: str
    version: str
    """Of the API, as in 2015-01-09."""

    def headers(
        self, action: str, host: str, path: str, query: Mapping[str, str], nonce: str, now: datetime
    ) -> dict[str, str]:
        """Return the headers for a POST without a body.

        Args:
            path: as it is sent, quoted.
            query: sent in the form that `query_text` returns.
            nonce: never used before; a second request with the same nonce is refused.
        """
        signed = {
            "host": host,
            "x-acs-action": action,
            "x-acs-content-sha256": sha256(b"").hexdigest(),
            "x-acs-date": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "x-acs-signature-nonce": nonce,
            "x-acs-version": self.version,
        }
        names = ";".join(signed)
        lines = (f"{name}:{value}" for name, value in signed.items())
        request = "\n".join(("POST", path or "/", query_text(query), *lines, "", names, signed["x-acs-content-sha256"]))
        to_sign = f"{ALGORITHM}\n{sha256(request.encode()).hexdigest()}"
        signature = hmac.digest(self.secret.encode(), to_sign.encode(), "sha256").hex()
        del signed["host"]
        return {
            **signed,
            "Authorization": f"{ALGORITHM} Credential={self.access_key_id},SignedHeaders={names},Signature={signature}",
        }


def query_text(query: Mapping[str, str]) -> str:
    """Return a query as it is signed and sent: sorted, a space as %20."""
    return "&".join(f"{quote(key, safe='-_.~')}={quote(query[key], safe='-_.~')}" for key in sorted(query))
