"""Who is authoritative for a name: where its CNAME points, which zone it is in, and which name servers that zone has.

Queries go to the configured resolvers, otherwise to this machine's. Responses are cached for as long as an `Authority` exists:
one check of propagation, or the placement of one run's records. A missing response is not cached, and each check uses a new
`Authority`, because delegations change while they are being set up.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from msgspec import Struct

from core.dns.names import is_below
from core.ports import CancelToken, DnsResponse, Resolver

LONGEST_CHAIN = 8
"""CNAMEs to follow; resolvers stop at about as many."""
NOBODY = "_certdeck-no-such-name"
"""A label that no zone contains."""
ANSWERED = ("NOERROR", "NXDOMAIN")
ASK_SECONDS = 3.0


class NameServer(Struct, frozen=True):
    """One address of a name server."""

    name: str
    address: str
    """In the form that `Resolver.ask` takes."""


class Authority:
    """What DNS says about names and zones. Thread-safe."""

    def __init__(self, resolver: Resolver, resolvers: Sequence[str] = (), cancel: CancelToken | None = None) -> None:
        """`resolvers`: those of the configuration; empty: this machine's. Once `cancel` is set, every method raises Cancelled."""
        self._resolver = resolver
        self._resolvers: tuple[str | None, ...] = tuple(resolvers) or (None,)
        self._cancel = cancel or CancelToken()
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], DnsResponse] = {}

    def written_at(self, name: str) -> str:
        """Return the name that a record is written at: the end of its CNAME chain, or the name itself if no server responds."""
        seen = [name]
        for _ in range(LONGEST_CHAIN):
            target = next(iter(self.ask(seen[-1], "CNAME").values("CNAME")), None)
            if not target or target in seen or (len(seen) == 1 and self._is_wildcard(name, target)):
                break
            seen.append(target)
        return seen[-1]

    def _is_wildcard(self, name: str, target: str) -> bool:
        """Return whether any sibling name points there too: then `*` matched, and a record set at the name overrides it."""
        beside = f"{NOBODY}.{name.partition('.')[2]}"
        return target in self.ask(beside, "CNAME").values("CNAME")

    def unchecked(self, name: str, type: str) -> DnsResponse:
        """Query as `ask` does, and accept a response even if DNSSEC validation fails. Not cached."""
        reply = DnsResponse(status="UNREACHABLE")
        for server in self._resolvers:
            self._cancel.check()
            reply = self._resolver.ask(name, type, server=server, timeout=ASK_SECONDS, unchecked=True)
            if reply.status in ANSWERED:
                break
        return reply

    def texts_at(self, name: str) -> tuple[str, ...]:
        """Return the TXT values that resolvers see at a name."""
        return self.ask(name, "TXT").values("TXT")

    def zone_of(self, name: str) -> str | None:
        """Return the zone that a name is in, by its SOA record; None if no server tells."""
        at = name
        while at:
            reply = self.ask(at, "SOA")
            for record in (*reply.answer, *reply.authority):
                if record.type == "SOA" and is_below(name, record.name):
                    return record.name
            if reply.status not in ANSWERED:
                return None
            at = at.partition(".")[2]
        return None

    def servers_of(self, zone: str) -> tuple[NameServer, ...]:
        """Return every address of every server of a zone, IPv4 and IPv6."""
        found = []
        for name in sorted(set(self.ask(zone, "NS").values("NS"))):
            for type in ("A", "AAAA"):
                found += [NameServer(name, address) for address in self.ask(name, type).values(type)]
        return tuple(found)

    def ask(self, name: str, type: str) -> DnsResponse:
        """Return the response of the first resolver that has one, otherwise the failure of the last one."""
        with self._lock:
            known, resolvers = self._known.get((name, type)), self._resolvers
        if known is not None:
            return known
        reply = DnsResponse(status="UNREACHABLE")
        for server in resolvers:
            self._cancel.check()
            reply = self._resolver.ask(name, type, server=server, timeout=ASK_SECONDS)
            if reply.status in ANSWERED:
                with self._lock:
                    self._known[name, type] = reply
                    # A dead resolver before it costs seconds, and there may be hundreds of queries.
                    self._resolvers = tuple(sorted(self._resolvers, key=lambda each: each != server))
                break
        return reply
