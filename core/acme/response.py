"""A CA's response, parsed once: JSON, location, links, and when to retry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from core.acme.wire import Json, object_in
from core.http import retry_after
from core.ports import Response
from core.web_address import joined


class AcmeResponse(Struct, frozen=True, kw_only=True):
    """A parsed response of a CA, with any status."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    json: Json
    """Empty if the body is not a JSON object."""
    location: str | None
    retry_after: datetime | None
    """Aware UTC by our clock, even if the two clocks differ."""
    response: Response
    """The original response."""

    @property
    def links(self) -> dict[str, tuple[str, ...]]:
        """Relation → absolute URLs. Parsed on each call: few responses are asked."""
        return links(self.url, self.headers.get("link", ""))


def read(url: str, response: Response, now: datetime) -> AcmeResponse:
    """Parse the response to a request for `url`, received at `now`."""
    location = response.headers.get("location")
    return AcmeResponse(
        url=url,
        status=response.status,
        headers=response.headers,
        body=response.body,
        json=(object_in(response.body) if looks_like_json(response) else None) or {},
        location=joined(url, location) if location else None,
        retry_after=retry_after(response.headers, now),
        response=response,
    )


def looks_like_json(response: Response) -> bool:
    """Return whether the body is declared as JSON, or begins like an object despite another content type."""
    return bool(response.body.strip()) and (
        "json" in response.headers.get("content-type", "").lower() or response.body[:64].lstrip()[:1] == b"{"
    )


def links(url: str, header: str) -> dict[str, tuple[str, ...]]:
    """Return the absolute targets of a Link header by relation (RFC 8288), without invalid URLs."""
    found: dict[str, tuple[str, ...]] = {}
    for target, parameters in re.findall(r"<([^>]*)>((?:\s*;[^,<]*)*)", header):
        relation = re.search(r";\s*rel\s*=\s*\"?([^\";]+)", parameters, re.IGNORECASE)
        address = joined(url, target)
        for name in relation[1].lower().split() if relation and address else ():
            found[name] = (*found.get(name, ()), str(address))
    return found
