"""Matches host names with the names in a certificate (RFC 9525). Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Protocol

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_ASKED_FOR = re.compile(rf"(?=.{{1,253}}\Z)(?:\*\.{_LABEL}(?:\.{_LABEL})+|{_LABEL}(?:\.{_LABEL})*)", re.ASCII)
"""Host names have no underscores, but clients use them. OpenSSL and Go compare a trailing dot as a character."""
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Named(Protocol):
    """The names of a certificate."""

    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def dns_names(self) -> tuple[str, ...]: ...
    @property
    def addresses(self) -> tuple[str, ...]: ...


def accepted(certificate: Named, host: str) -> bool:
    """Tell whether a client that connects to `host` (A-label or IP address) accepts the certificate.

    An IP address must be in it as an IP address: no client accepts one that is a DNS name there (RFC 9525 §6.2).
    """
    host = host.lower().rstrip(".")
    address = _address(host)
    if address is not None:
        return any(_address(each) == address for each in certificate.addresses)
    return any(_matches(name.lower().rstrip("."), host) for name in certificate.dns_names)


def covers(names: Sequence[str], host: str) -> bool:
    """Tell whether one of the names, as text, covers `host` (A-label or IP address)."""
    host = host.lower().rstrip(".")
    address = _address(host)
    if address is not None:
        return any(_address(name) == address for name in names)
    return any(_matches(name.lower().rstrip("."), host) for name in names)


def missing(certificate: Named, wanted: Iterable[str]) -> tuple[str, ...]:
    """Return those of `wanted` that the certificate does not cover. A wildcard is covered only by itself."""
    have = {name.lower() for name in certificate.dns_names}
    return tuple(
        each
        for each in wanted
        if not (each.lower() in have and _address(each) is None)
        and (each.startswith("*.") or not accepted(certificate, each))
    )


def bare_domains_missing(names: Sequence[str]) -> tuple[str, ...]:
    """Return `example.com` for each `*.example.com` in names that do not cover it (CL-14)."""
    bases = [name[2:] for name in names if name.startswith("*.")]
    return tuple(base for base in bases if not covers(names, base))


def addresses_as_names(certificate: Named) -> tuple[str, ...]:
    """Return the IP addresses that are DNS names in a certificate, where no client looks for them."""
    return tuple(name for name in certificate.dns_names if _address(name) and name not in certificate.addresses)


def unusable(certificate: Named) -> tuple[str, ...]:
    """Return the DNS names that no client can use: with characters other than letters, digits, - and _, with a wildcard that is not
    the whole first label of a domain (RFC 9525 §6.3), or an IP address."""
    return tuple(name for name in certificate.dns_names if _ASKED_FOR.fullmatch(name) is None or _address(name))


def is_host_name(name: str) -> bool:
    """Tell whether a CA could sign a name: it is neither an IP address nor a single label."""
    return "." in name and _address(name) is None


def _address(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _matches(name: str, host: str) -> bool:
    """Compare according to RFC 9525 §6.3: a wildcard is the whole first label, and matches exactly one label."""
    if name == host:
        return True
    label, dot, rest = host.partition(".")
    return name.startswith("*.") and bool(label and dot) and "." in rest and name[2:] == rest
