"""Queries name servers, with dnspython.

One query gives one response, never an exception: for the check of propagation, a server's silence is a fact like its answer. There
is no cache, so that a record is visible as soon as a server has it.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from core.ports import DnsRecord, DnsResponse

if TYPE_CHECKING:
    import dns.message
    import dns.rrset

SYSTEM_FILE = "/etc/resolv.conf"
OWN_MACHINE = "127.0.0.1"
"""The default server according to resolv.conf(5)."""


class SystemResolver:
    """The port `Resolver`. `system_file`: the file with the resolvers of this machine."""

    def __init__(self, system_file: str = SYSTEM_FILE) -> None:
        self._system_file = system_file
        self._answered_last: str | None = None

    def ask(
        self, name: str, type: str, *, server: str | None = None, timeout: float = 3.0, unchecked: bool = False
    ) -> DnsResponse:
        if server is not None:
            return self._ask(name, type, server, timeout, unchecked)
        reply = DnsResponse(status="UNREACHABLE")
        servers = self._of_this_machine()
        # Start with the server that answered last: a dead server at the top of the list costs its timeout only once.
        for each in sorted(servers, key=lambda server: server != self._answered_last):
            reply = self._ask(name, type, each, timeout, unchecked)
            if reply.status in ("NOERROR", "NXDOMAIN"):
                self._answered_last = each
                break
        return reply

    def _ask(self, name: str, type: str, server: str, timeout: float, unchecked: bool) -> DnsResponse:
        import dns.exception
        import dns.flags
        import dns.message
        import dns.name
        import dns.query
        import dns.rcode

        address, port = split_address(server)
        started = time.monotonic()

        def passed() -> int:
            return round((time.monotonic() - started) * 1000)

        try:
            query = dns.message.make_query(dns.name.from_text(name), type, use_edns=0, payload=1232)
            # AD in a query asks for AD in the response (RFC 6840 §5.7).
            query.flags |= dns.flags.AD | (dns.flags.CD if unchecked else 0)
            answer, _ = dns.query.udp_with_fallback(
                query, address, timeout=timeout, port=port, ignore_unexpected=True, ignore_errors=True
            )
        except (dns.exception.Timeout, ConnectionRefusedError):
            return DnsResponse(status="SILENT", milliseconds=passed())
        except OSError:
            return DnsResponse(status="UNREACHABLE", milliseconds=passed())
        except (dns.exception.DNSException, EOFError, ValueError):
            # The response was invalid, which counts as no answer.
            return DnsResponse(status="FORMERR", milliseconds=passed())
        return DnsResponse(
            status=dns.rcode.to_text(answer.rcode()),
            answer=tuple(_records(answer.answer)),
            authority=tuple(_records(answer.authority)),
            milliseconds=passed(),
            is_authenticated=bool(answer.flags & dns.flags.AD),
        )

    def _of_this_machine(self) -> tuple[str, ...]:
        found = []
        try:
            with open(self._system_file, encoding="utf-8", errors="replace") as file:
                for line in file:
                    words = line.split()
                    if len(words) > 1 and words[0] == "nameserver":
                        found.append(words[1])
        except OSError:
            pass
        return tuple(address for address in found if _is_address(address.partition("%")[0])) or (OWN_MACHINE,)


def split_address(server: str) -> tuple[str, int]:
    """Return address and port of `ADDRESS`, `ADDRESS:PORT` or `[V6]:PORT`."""
    if server.startswith("["):
        address, _, port = server[1:].partition("]")
        return address, int(port.lstrip(":") or 53)
    if server.count(":") == 1:
        address, _, port = server.partition(":")
        return address, int(port)
    return server, 53


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _records(sets: Iterable[dns.rrset.RRset]) -> Iterable[DnsRecord]:
    import dns.rdatatype

    for each in sets:
        name = _plain(each.name.to_text())
        type = dns.rdatatype.to_text(each.rdtype)
        for item in each:
            if type == "TXT":
                value = b"".join(item.strings).decode("utf-8", "replace")
            elif type == "SOA":
                value = _plain(item.mname.to_text())
            elif type in ("CNAME", "NS", "DNAME"):
                value = _plain(item.target.to_text())
            else:
                value = item.to_text()
            yield DnsRecord(name=name, type=type, value=value)


def _plain(name: str) -> str:
    return name.rstrip(".").lower()
