"""Fetches a challenge file as a CA does (RFC 8555 §8.3): over port 80 of one address, with redirects, within a CA's limits.

The limits are Let's Encrypt's, which other CAs share: ten redirects, to ports 80 and 443, to host names, over HTTP and HTTPS.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from core.ports import CancelToken, Response, TransportFailure, WebReader
from core.text import safe_line
from core.web_address import is_address, joined, split_address

MOST_REDIRECTS = 10
REDIRECTS = (301, 302, 303, 307, 308)
READ_SECONDS = 8.0

Resolve = Callable[[str], Sequence[str]]


class Seen(Struct, frozen=True, kw_only=True):
    """The result for one address."""

    address: str
    hops: tuple[str, ...]
    """Every URL that was requested, including the first one."""
    body: bytes | None = None
    """Of a final response with status 200."""
    status: int = 0
    """HTTP status of the last response; 0: there was none."""
    failure: str = ""
    """Why there was no response, or why a CA does not follow a redirect."""
    is_refused: bool = False
    """A redirect that CAs do not follow."""


def look(
    reader: WebReader, host: str, path: str, address: str, *, resolve: Resolve, cancel: CancelToken | None = None
) -> Seen:
    """Request `http://HOST/PATH` from one address and follow redirects. Raises Cancelled.

    Args:
        host: a name or an address.
        resolve: returns the addresses of another host that a redirect points to; the first one is used.
    """
    url = f"http://{f'[{host}]' if ':' in host else host}{path}"
    hops, at, status = [url], address, 0
    while True:
        try:
            reply = reader.get(url, address=at, timeout=READ_SECONDS, cancel=cancel)
        except TransportFailure as exc:
            return Seen(address=address, hops=tuple(hops), status=0, failure=str(exc))
        status = reply.status
        if status not in REDIRECTS:
            return Seen(address=address, hops=tuple(hops), body=reply.body if status == 200 else None, status=status)
        refused, further = next_hop(url, reply, len(hops))
        if refused:
            return Seen(address=address, hops=tuple(hops), status=status, failure=refused, is_refused=True)
        there = _host_of(further)
        if there != _host_of(url):
            found = resolve(there)
            if not found:
                failure = f"It redirects to {safe_line(there, 100)}, which does not resolve."
                return Seen(address=address, hops=tuple(hops), status=status, failure=failure, is_refused=True)
            at = found[0]
        url = further
        hops.append(url)


def next_hop(url: str, reply: Response, asked: int) -> tuple[str, str]:
    """Return (why a CA does not follow the redirect, ""), or ("", the URL to request next). Pure.

    Args:
        asked: how many URLs were requested so far.
    """
    target = joined(url, reply.headers.get("location", ""))
    parts = split_address(target) if target else None
    if target is None or parts is None or not reply.headers.get("location"):
        return "It redirects without a valid URL.", ""
    shown = safe_line(target, 150)
    if parts.scheme not in ("http", "https"):
        return f"It redirects to {shown}; CAs follow redirects to http and https only.", ""
    if parts.port not in (None, 80, 443):
        return f"It redirects to {shown}; CAs follow redirects to the ports 80 and 443 only.", ""
    if is_address(parts.hostname or "") and parts.hostname != _host_of(url):
        return f"It redirects to {shown}; CAs follow no redirect to an IP address.", ""
    if asked > MOST_REDIRECTS:
        return f"It redirects more than {MOST_REDIRECTS} times; CAs stop there.", ""
    return "", target


def _host_of(url: str) -> str:
    parts = split_address(url)
    return (parts.hostname if parts else None) or ""
