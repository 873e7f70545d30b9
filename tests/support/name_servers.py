"""The DNS inside a test: zones with their servers, delegations and CNAMEs; servers that lag, are silent, or lie elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from core.ports import DnsRecord, DnsResponse

RESOLVER = "resolver"
"""What stands for `server=None`: the resolvers of this machine, which see everything at once."""


@dataclass
class Zone:
    name: str
    servers: dict[str, tuple[str, ...]]
    """Server name → its addresses."""
    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)


class NameServers:
    """Be a `Resolver`: several zones, each with servers of its own."""

    def __init__(self) -> None:
        self.zones: dict[str, Zone] = {}
        self.asked: list[tuple[str, str, str | None]] = []
        self.statuses: dict[str, str] = {}
        """Address → what it says instead of an answer: `SILENT`, `UNREACHABLE`, `REFUSED`."""
        self.lags: dict[str, int] = {}
        """Address → how many more TXT questions it answers as if nothing was there."""
        self.sources: list[Callable[[str], Iterable[str]]] = []
        """Where TXT values of a name come from besides: a vendor's zones."""
        self.on_ask: Callable[[str, str, str | None], None] | None = None
        self._lock = threading.Lock()

    def zone(self, name: str, *addresses: str) -> Zone:
        """Add a zone whose servers have these addresses; one server for each."""
        given = addresses or (f"192.0.2.{len(self.zones) + 53}",)
        servers = {f"ns{number}.{name}": (address,) for number, address in enumerate(given, 1)}
        self.zones[name] = Zone(name, servers)
        return self.zones[name]

    def set(self, name: str, type: str, *values: str) -> None:
        """Set the values of a record in the zone that it is in."""
        zone = self._zone_of(name)
        assert zone is not None, f"no zone for {name}"
        zone.records[name, type] = list(values)

    def values(self, name: str, type: str = "TXT") -> list[str]:
        zone = self._zone_of(name)
        return [] if zone is None else list(zone.records.get((name, type), ()))

    def ask(
        self, name: str, type: str, *, server: str | None = None, timeout: float = 3.0, unchecked: bool = False
    ) -> DnsResponse:
        with self._lock:
            self.asked.append((name, type, server))
            if self.on_ask is not None:
                self.on_ask(name, type, server)
            status = self.statuses.get(server or RESOLVER)
            if status is not None:
                return DnsResponse(status=status)
            if type == "TXT" and self.lags.get(server or RESOLVER, 0) > 0:
                self.lags[server or RESOLVER] -= 1
                return DnsResponse(status="NXDOMAIN")
            return self._answer(name, type)

    def _answer(self, name: str, type: str) -> DnsResponse:
        for zone in self.zones.values():
            for server, addresses in zone.servers.items():
                if name == server and type in ("A", "AAAA"):
                    fitting = [address for address in addresses if (":" in address) == (type == "AAAA")]
                    return _reply(name, type, fitting)
        found = self._zone_of(name)
        if found is None:
            return DnsResponse(status="NXDOMAIN")
        soa = (DnsRecord(name=found.name, type="SOA", value=f"ns1.{found.name}"),)
        if type == "NS" and name == found.name:
            return _reply(name, type, list(found.servers))
        if type == "SOA" and name == found.name:
            return DnsResponse(status="NOERROR", answer=soa)
        values = list(found.records.get((name, type), ()))
        values += [value for source in self.sources for value in source(name)] if type == "TXT" else []
        if values:
            return _reply(name, type, values)
        target = found.records.get((name, "CNAME"))
        if target and type != "CNAME":
            further = self._answer(target[0], type)
            led = DnsRecord(name=name, type="CNAME", value=target[0])
            return DnsResponse(status=further.status, answer=(led, *further.answer), authority=further.authority)
        is_there = any(known == name for known, _ in found.records)
        return DnsResponse(status="NOERROR" if is_there else "NXDOMAIN", authority=soa)

    def _zone_of(self, name: str) -> Zone | None:
        fitting = [zone for zone in self.zones.values() if name == zone.name or name.endswith(f".{zone.name}")]
        return max(fitting, key=lambda zone: len(zone.name), default=None)


def _reply(name: str, type: str, values: list[str]) -> DnsResponse:
    return DnsResponse(status="NOERROR", answer=tuple(DnsRecord(name=name, type=type, value=value) for value in values))
