"""What the ports of a service speak, and how its sockets are written as addresses that can be asked. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_address

from core.probe_address import ProbeAddress

_SPOKEN = {
    25: "smtp", 587: "smtp", 465: "", 143: "imap", 993: "", 110: "pop3", 995: "", 4190: "sieve", 21: "ftp", 990: "", 389: "ldap",
    636: "", 5432: "postgres", 6432: "postgres", 3306: "mysql", 5222: "xmpp", 5223: "", 443: "", 8443: "", 853: "", 6380: "",
    8883: "", 6697: "", 5671: "", 5349: "", 2083: "", 6514: "", 631: "",
}  # fmt: skip
"""Registered ports and the dialect spoken there (IANA); empty: TLS from the first byte."""
TLS_PORTS = frozenset(port for port, dialect in _SPOKEN.items() if not dialect)


def dialects_of(port: int, usual: Sequence[str]) -> tuple[str, ...]:
    """Return what may be spoken on a port, likeliest first: what is registered for it comes before the others of `usual`."""
    registered = _SPOKEN.get(port)
    return (registered,) if registered is not None and registered in usual else tuple(usual)


def addresses(sockets: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Return where sockets can be asked: one on all addresses is asked on loopback, and once where it has both kinds."""
    found: list[tuple[str, int]] = []
    everywhere = {port for address, port in sockets if address == "0.0.0.0"}  # noqa: S104
    for address, port in sorted(sockets):
        if address == "::" and port in everywhere:
            found.append(("::1", port))
        elif address in ("0.0.0.0", "::"):  # noqa: S104 - `::` takes IPv4 as well, unless it was opened for IPv6 alone
            found.append(("127.0.0.1" if address == "0.0.0.0" else "::1", port))  # noqa: S104
        else:
            mapped = getattr(ip_address(address), "ipv4_mapped", None)
            found.append((str(mapped or address), port))
    return tuple(dict.fromkeys(found))


def address(host: str, port: int, dialect: str) -> str:
    """Return `127.0.0.1:443` or `smtp://[::1]:25`, as in a target's probe."""
    return str(ProbeAddress(dialect, host, port))
