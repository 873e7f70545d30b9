"""AWS Signature Version 4 for requests with an access key. Pure.

Only what requests to Route 53 need: headers, no presigned URLs, no session tokens, whole bodies.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote

from msgspec import Struct

from core.concealed import Concealed

ALGORITHM = "AWS4-HMAC-SHA256"


class SigningKey(Concealed, Struct, frozen=True, kw_only=True):
    """An access key, and the region and service that it signs for."""

    access_key_id: str
    secret: str
    region: str
    service: str

    def headers(
        self,
        method: str,
        host: str,
        path: str,
        query: Mapping[str, str | int],
        body: bytes,
        now: datetime,
        more: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """Return the headers to send in addition to those in `more`, which are signed, too.

        Args:
            host: as in the Host header: with the port if it is not the default.
            path: as it is sent, quoted.
            now: in UTC.
        """
        stamp = f"{now:%Y%m%dT%H%M%SZ}"
        signed = {name.lower(): " ".join(value.split()) for name, value in (more or {}).items()}
        signed |= {"host": host, "x-amz-date": stamp}
        names = ";".join(sorted(signed))
        request = "\n".join(
            (
                method,
                quote(path or "/", safe="/-_.~"),
                "&".join(sorted(f"{_quoted(key)}={_quoted(str(value))}" for key, value in query.items())),
                *(f"{name}:{signed[name]}" for name in sorted(signed)),
                "",
                names,
                sha256(body).hexdigest(),
            )
        )
        scope = f"{now:%Y%m%d}/{self.region}/{self.service}/aws4_request"
        to_sign = "\n".join((ALGORITHM, stamp, scope, sha256(request.encode()).hexdigest()))
        key = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        credential = f"{self.access_key_id}/{scope}"
        return {
            "X-Amz-Date": stamp,
            "Authorization": f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}",
        }


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")
