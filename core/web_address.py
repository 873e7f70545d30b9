"""Addresses of web services, as people and servers write them: urllib raises ValueError for some texts that are none."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urljoin, urlsplit


def split_address(address: str) -> SplitResult | None:
    """Return the parts of an absolute address; None for a text that no request can be sent to.

    That is one without a host, with a port that does not exist, with a broken IPv6 address, or with blanks or control characters.
    """
    if " " in address or not address.isprintable():  # neither are the halves of a surrogate pair, which JSON can hold
        return None
    try:
        parts = urlsplit(address)
        has_port = parts.port != 0
    except ValueError:
        return None
    return parts if has_port and parts.hostname else None


def joined(base: str, reference: str) -> str | None:
    """Return what a server refers to as an absolute address; None for what is none."""
    try:
        address = urljoin(base, reference)
    except ValueError:
        return None
    return None if split_address(address) is None else address


def is_address(host: str) -> bool:
    """Return whether a host is an IP address and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
