"""Where records are written: by which provider entry, in which of its zones, and at which name.

The zones decide, the closest one first. A CNAME of the record is followed if its target is in a zone that an entry serves. A
CNAME that is not visible from this box is set in the configuration.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from msgspec import Struct

from core.config.model import DnsProviderConfig
from core.dns.api import shown
from core.dns.authority import Authority
from core.dns.names import is_below, plain_name, zone_among
from core.dns.provider import TxtRecord
from core.dns.provider_pool import ProviderPool
from core.errors import DnsProviderError, NotFound
from core.operations import Record

ZONES_SHOWN = 5


class RecordLocation(Struct, frozen=True, order=True):
    """One value and where it is written."""

    provider: str
    zone: str
    """Empty if the provider has no zones."""
    txt: TxtRecord


class Placement:
    """Determines where records are written. Thread-safe."""

    def __init__(self, entries: ProviderPool, authority: Authority) -> None:
        self._entries = entries
        self._authority = authority
        self._lock = threading.Lock()
        self._listed: dict[str, tuple[str, ...]] = {}

    def place(self, entry: str, records: Sequence[Record]) -> tuple[RecordLocation, ...]:
        """Return the location of each record.

        `entry`: the chosen provider entry; other entries are used for zones that it does not serve.
        Raises DnsProviderError (reason `zone`) for a name that no entry serves.
        """
        chosen = self._entries.configured[entry]
        return tuple(self._placed(chosen, record) for record in records)

    def _placed(self, chosen: DnsProviderConfig, record: Record) -> RecordLocation:
        own = plain_name(record.name)
        leads_to = delegated(chosen, own) or self._authority.written_at(own)
        has_zones = self._entries.kind(chosen.name).has_zones
        if not has_zones and (not chosen.zones or zone_among(own, map(plain_name, chosen.zones))):
            return RecordLocation(chosen.name, "", TxtRecord(name=leads_to, value=record.value))
        for name in dict.fromkeys((leads_to, own)):
            found = self._serving(chosen, name)
            if found is not None:
                entry, zone = found
                return RecordLocation(entry, zone, TxtRecord(name=name, value=record.value))
        led = f", the CNAME target of {own}" if leads_to != own else ""
        zones = chosen.zones or self._listed.get(chosen.name, ())
        raise DnsProviderError(
            f"{chosen.name} does not serve the zone of {leads_to}{led}.",
            f"Its zones are: {listed(zones)}." if zones else "It reports no zone with that name.",
            f"Set the zone with: certdeck dns add {chosen.name} --replace --zone ZONE. Or use the provider that serves it.",
            details={"provider": chosen.name, "kind": chosen.kind, "reason": "zone"},
        )

    def _serving(self, chosen: DnsProviderConfig, name: str) -> tuple[str, str] | None:
        """Return the entry and zone for a name: the closest zone wins; among equals, the chosen entry."""
        found = []
        for entry in self._entries.configured.values():
            try:
                zone = self._zone_in(entry, name, is_chosen=entry is chosen)
            except NotFound:  # of a kind that this version does not know, or no longer knows
                if entry is chosen:
                    raise
                continue
            if zone is not None:
                found.append((len(zone), entry is chosen, entry.name, zone))
        return max(found)[2:] if found else None

    def _zone_in(self, entry: DnsProviderConfig, name: str, *, is_chosen: bool) -> str | None:
        """Return the zone of `name` at an entry; None if it does not serve it. Only the chosen entry is asked to list its zones."""
        if not self._entries.kind(entry.name).has_zones:
            return None
        if entry.zones:
            return zone_among(name, map(plain_name, entry.zones))
        if not is_chosen:
            return None
        listed = self._listed_zones(entry.name)
        if listed:
            return zone_among(name, listed)
        zone = self._authority.zone_of(name)
        return zone if zone is not None and is_below(name, zone) else None

    def _listed_zones(self, name: str) -> tuple[str, ...]:
        with self._lock:
            known = self._listed.get(name)
        if known is None:
            with self._entries.use(name) as provider:
                known = provider.zones()
            with self._lock:
                self._listed[name] = known
        return known


def delegated(entry: DnsProviderConfig, name: str) -> str | None:
    """Return the configured location of a record, for CNAMEs that are not visible from here."""
    domains = {plain_name(domain): plain_name(target) for domain, target in entry.delegations.items()}
    at = name
    while at:
        if at in domains:
            return domains[at]
        at = at.partition(".")[2] if at.startswith("_") else ""
    return None


def listed(zones: Sequence[str]) -> str:
    """Return the zones of an account for use in a sentence: shortened, since it may have thousands, and cleaned as foreign text."""
    more = f" and {len(zones) - ZONES_SHOWN} more" if len(zones) > ZONES_SHOWN else ""
    return shown(", ".join(zones[:ZONES_SHOWN])).removesuffix(".") + more
