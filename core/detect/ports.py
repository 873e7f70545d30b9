"""The protocols on a service's ports, and its sockets as addresses to connect to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_address

from core.probe_address import ProbeAddress

_SPOKEN = {
    25: "smtp", 587: "smtp", 465: "", 143: "imap", 993: "", 110: "pop3", 995: "", 4190: "sieve", 21: "ftp", 990: "", 389: "ldap",
    636: "", 5432: "postgres", 6432: "postgres", 3306: "mysql", 5222: "xmpp", 5223: "", 443: "", 8443: "", 853: "", 6380: "",
    8883: "", 6697: "", 5671: "", 5349: "", 2083: "", 6514: "", 631: "",
}  # fmt: skip
"""Registered ports and their dialect (IANA); empty: TLS from the first byte."""
TLS_PORTS = frozenset(port for port, dialect in _SPOKEN.items() if not dialect)


def dialects_of(port: int, usual: Sequence[str]) -> tuple[str, ...]:
    """Return the possible dialects of a port: only the registered one if the service speaks it, otherwise all of `usual`."""
    registered = _SPOKEN.get(port)
    return (registered,) if registered is not None and registered in usual else tuple(usual)


def addresses(sockets: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Return the addresses to connect to. A socket on all addresses is probed on loopback, once for IPv4 and once for IPv6."""
    found: list[tuple[str, int]] = []
    everywhere = {port for address, port in sockets if address == "0.0.0.0"}  # noqa: S104
    for address, port in sorted(sockets):
        if address == "::" and port in everywhere:
            found.append(("::1", port))
        elif address in ("0.0.0.0", "::"):  # noqa: S104 - `::` accepts IPv4 as well, unless it was opened for IPv6 only
            found.append(("127.0.0.1" if address == "0.0.0.0" else "::1", port))  # noqa: S104
        else:
            mapped = getattr(ip_address(address), "ipv4_mapped", None)
            found.append((str(mapped or address), port))
    return tuple(dict.fromkeys(found))


def address(host: str, port: int, dialect: str) -> str:
    """Return `127.0.0.1:443` or `smtp://[::1]:25`, as in a target's probe."""
    return str(ProbeAddress(dialect, host, port))
