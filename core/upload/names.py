"""Which hosts a certificate is good for (RFC 9525), and which it should be good for. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence


def covers(names: Sequence[str], host: str) -> bool:
    """Tell whether a client that asks for `host` (A-label or address) accepts one of the names."""
    host = host.lower().rstrip(".")
    address = _address(host)
    return any(_matches(name.lower().rstrip("."), host, address) for name in names)


def missing(names: Sequence[str], wanted: Iterable[str]) -> tuple[str, ...]:
    """Return those of `wanted` that the names do not cover; a wildcard is covered by itself alone."""
    have = {name.lower() for name in names}
    return tuple(
        each for each in wanted if each.lower() not in have and (each.startswith("*.") or not covers(names, each))
    )


def bare_domains_missing(names: Sequence[str]) -> tuple[str, ...]:
    """Return `example.com` for each `*.example.com` that comes without it (CL-14)."""
    bases = [name[2:] for name in names if name.startswith("*.")]
    return tuple(base for base in bases if not covers(names, base))


def is_host_name(name: str) -> bool:
    """Tell whether a name is one that a CA could sign: neither an address nor a name of one label."""
    return "." in name and _address(name) is None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _matches(name: str, host: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> bool:
    if address is not None:
        return _address(name) == address
    if name == host:
        return True
    label, dot, rest = host.partition(".")
    return name.startswith("*.") and bool(label and dot) and "." in rest and name[2:] == rest
