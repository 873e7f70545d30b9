"""Which hosts a certificate is good for (RFC 9525), and which it should be good for. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Protocol

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_ASKED_FOR = re.compile(rf"(?=.{{1,253}}\Z)(?:\*\.{_LABEL}(?:\.{_LABEL})+|{_LABEL}(?:\.{_LABEL})*)", re.ASCII)
"""Underscores are in no host name, but clients ask for them. A dot at the end is compared as a character by OpenSSL and Go."""
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Named(Protocol):
    """A certificate, as far as its names go."""

    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def dns_names(self) -> tuple[str, ...]: ...
    @property
    def addresses(self) -> tuple[str, ...]: ...


def accepted(certificate: Named, host: str) -> bool:
    """Tell whether a client that asks for `host` (A-label or address) accepts the certificate.

    An address has to stand in it as an address: one that stands as a DNS name is no address to any client (RFC 9525 §6.2).
    """
    host = host.lower().rstrip(".")
    address = _address(host)
    if address is not None:
        return any(_address(each) == address for each in certificate.addresses)
    return any(_matches(name.lower().rstrip("."), host) for name in certificate.dns_names)


def covers(names: Sequence[str], host: str) -> bool:
    """Tell whether one of the names, in writing, is good for `host` (A-label or address)."""
    host = host.lower().rstrip(".")
    address = _address(host)
    if address is not None:
        return any(_address(name) == address for name in names)
    return any(_matches(name.lower().rstrip("."), host) for name in names)


def missing(certificate: Named, wanted: Iterable[str]) -> tuple[str, ...]:
    """Return those of `wanted` that the certificate is not good for; a wildcard is covered by itself alone."""
    have = {name.lower() for name in certificate.dns_names}
    return tuple(
        each
        for each in wanted
        if not (each.lower() in have and _address(each) is None)
        and (each.startswith("*.") or not accepted(certificate, each))
    )


def bare_domains_missing(names: Sequence[str]) -> tuple[str, ...]:
    """Return `example.com` for each `*.example.com` that comes without it (CL-14)."""
    bases = [name[2:] for name in names if name.startswith("*.")]
    return tuple(base for base in bases if not covers(names, base))


def addresses_as_names(certificate: Named) -> tuple[str, ...]:
    """Return the addresses that stand in a certificate as DNS names, where no client looks for them."""
    return tuple(name for name in certificate.dns_names if _address(name) and name not in certificate.addresses)


def unusable(certificate: Named) -> tuple[str, ...]:
    """Return the DNS names that no client asks for: not letters, digits, - and _ in labels, or a wildcard that is not the whole
    first label above a domain (RFC 9525 §6.3). An address that stands as a name is one of them."""
    return tuple(name for name in certificate.dns_names if _ASKED_FOR.fullmatch(name) is None or _address(name))


def is_host_name(name: str) -> bool:
    """Tell whether a name is one that a CA could sign: neither an address nor a name of one label."""
    return "." in name and _address(name) is None


def _address(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _matches(name: str, host: str) -> bool:
    """Compare as RFC 9525 §6.3 does: a wildcard is all of the first label, and stands for exactly one."""
    if name == host:
        return True
    label, dot, rest = host.partition(".")
    return name.startswith("*.") and bool(label and dot) and "." in rest and name[2:] == rest
