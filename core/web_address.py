"""URLs as written by people and servers: urllib raises ValueError for some invalid ones."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from urllib.parse import SplitResult, urljoin, urlsplit


@lru_cache(maxsize=64)
def split_address(address: str) -> SplitResult | None:
    """Return the parts of an absolute URL; None for a text that no request can be sent to.

    Such a text has no host, a port that does not exist, an invalid IPv6 address, or spaces or control characters.
    """
    if " " in address or not address.isprintable():  # nor are the halves of a surrogate pair, which JSON can contain
        return None
    try:
        parts = urlsplit(address)
        has_port = parts.port != 0
    except ValueError:
        return None
    return parts if has_port and parts.hostname else None


def joined(base: str, reference: str) -> str | None:
    """Return a server's reference as an absolute URL; None if it is not valid."""
    try:
        address = urljoin(base, reference)
    except ValueError:
        return None
    return None if split_address(address) is None else address


def is_address(host: str) -> bool:
    """Return whether a host is an IP address and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
