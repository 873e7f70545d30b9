"""A CA's answer, read once: JSON, location, links, and when to come back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

from core.acme.wire import Json, object_in
from core.ports import Response

LONGEST_WAIT = timedelta(days=31)
"""A Retry-After beyond that is taken for this: no limit of a CA is longer (Let's Encrypt: 7 days, 2026-08)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcmeReply:
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    json: Json
    """Empty when the body is no JSON object."""
    location: str | None
    retry_after: datetime | None
    """Aware UTC by our clock, also when the two clocks differ."""
    links: Mapping[str, tuple[str, ...]]
    """Relation → absolute URLs."""


def read(url: str, response: Response, now: datetime) -> AcmeReply:
    """Return `response` to a request for `url`, read at `now`."""
    location = response.headers.get("location")
    return AcmeReply(
        url=url,
        status=response.status,
        headers=response.headers,
        body=response.body,
        json=(object_in(response.body) if looks_like_json(response) else None) or {},
        location=urljoin(url, location) if location else None,
        retry_after=retry_after(response.headers, now),
        links=links(url, response.headers.get("link", "")),
    )


def looks_like_json(response: Response) -> bool:
    """Return whether the body claims to be JSON, or begins like an object under a wrong name."""
    return "json" in response.headers.get("content-type", "").lower() or response.body[:64].lstrip()[:1] == b"{"


def looks_like_a_page(response: Response) -> bool:
    """Return whether this is a web page: a captive portal, a proxy's notice, a wrong URL."""
    if "html" in response.headers.get("content-type", "").lower():
        return True
    return response.body[:256].lstrip().lower().startswith((b"<!doctype", b"<html"))


def retry_after(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """Return when the server wants to be asked again, from seconds or an HTTP date (RFC 9110 §10.2.3)."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        wait = timedelta(seconds=min(int(value[:12]), LONGEST_WAIT.total_seconds()))
    else:
        moment = http_date(value)
        if moment is None:
            return None
        # A date is meant by the server's clock, so it is measured against the server's own.
        wait = moment - (http_date(headers.get("date", "")) or now)
    return now + max(timedelta(0), min(wait, LONGEST_WAIT))


def http_date(value: str) -> datetime | None:
    """Return an HTTP date as aware UTC; they are all GMT, whatever they say."""
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def links(url: str, header: str) -> dict[str, tuple[str, ...]]:
    """Return the targets of a Link header by relation (RFC 8288), made absolute."""
    found: dict[str, tuple[str, ...]] = {}
    for target, parameters in re.findall(r"<([^>]*)>((?:\s*;[^,<]*)*)", header):
        relation = re.search(r";\s*rel\s*=\s*\"?([^\";]+)", parameters, re.IGNORECASE)
        for name in relation[1].lower().split() if relation else ():
            found[name] = (*found.get(name, ()), urljoin(url, target))
    return found
