"""Records of an order at their providers: placed in the right zones, written down, made, and removed again.

Which entry serves a name is decided by its zones; a CNAME of the record is followed where its end is in a zone that an entry
serves. Everything is written down before it is made, so that a crash leaves nothing behind that the next run does not
know of. All changes of one zone go out together.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from core.config.model import DnsProviderConfig
from core.dns.authority import Authority
from core.dns.catalogue import kind_named
from core.dns.names import is_below, plain_name, zone_among
from core.dns.provider import DnsProvider, TxtRecord
from core.errors import CertdeckError, DnsProviderError
from core.events import Narrator, RecordAdded, RecordRemoved, Warned
from core.operations import Record
from core.paths import Paths
from core.ports import CancelToken, Environment
from core.store.dns_records import MadeRecords, forget_records, keep_records, kept_records, load_records

Connect = Callable[[DnsProviderConfig, CancelToken], DnsProvider]
"""Opens an entry: its secrets from the vault, its interface ready."""


@dataclass(frozen=True, slots=True, order=True)
class Placed:
    """One value and where it goes."""

    provider: str
    zone: str
    """Empty where the provider has none."""
    txt: TxtRecord


@dataclass(frozen=True, slots=True)
class Written:
    """What was made, and under which id it is written down."""

    id: str
    placed: tuple[Placed, ...]


class RecordWriter:
    """The entries of the configuration at work. Thread-safe: each entry is spoken to by one thread at a time."""

    def __init__(
        self,
        paths: Paths,
        env: Environment,
        entries: Mapping[str, DnsProviderConfig],
        connect: Connect,
        authority: Authority,
    ) -> None:
        self._paths = paths
        self._env = env
        self._entries = entries
        self._connect = connect
        self._authority = authority
        self._lock = threading.Lock()
        self._at_work: dict[str, threading.Lock] = {}
        self._listed: dict[str, tuple[str, ...]] = {}

    def place(self, entry: str, records: Sequence[Record], cancel: CancelToken) -> tuple[Placed, ...]:
        """Find out where each record goes. `entry`: the one that was chosen; others help with zones that it does not serve.

        Raises DnsProviderError (reason `zone`) for a name that no entry serves.
        """
        chosen = self._entries[entry]
        return tuple(self._placed(chosen, record, cancel) for record in records)

    def write(self, placed: Sequence[Placed], lineage: str, narrator: Narrator, cancel: CancelToken) -> Written:
        """Make records. When one cannot be made, those that were are removed again, and the first error is raised.

        Raises DnsProviderError, StoreError, VaultError, Cancelled.
        """
        self._not_too_many(placed)
        id = self._env.random.token_bytes(8).hex()
        keep_records(
            self._paths,
            id,
            MadeRecords(
                lineage=lineage,
                created=self._env.clock.now(),
                records=tuple((one.provider, one.zone, one.txt.name, one.txt.value) for one in placed),
            ),
        )
        written = Written(id, tuple(placed))
        try:
            self._add(placed, narrator, cancel)
        except BaseException:
            self.remove(written, narrator)
            raise
        return written

    def write_for_good(self, placed: Sequence[Placed], narrator: Narrator, cancel: CancelToken) -> None:
        """Make records that are to stay (dns-persist-01). Raises as `write` does."""
        self._add(placed, narrator, cancel)

    def remove(self, written: Written, narrator: Narrator) -> bool:
        """Remove records again, also for somebody who has just cancelled. Never raises: what cannot be removed stays
        written down for the next run, and is told. Returns whether all is gone.
        """
        is_clean = True
        for (provider, zone), group in _by_zone(written.placed):
            try:
                self._change(provider, zone, CancelToken(), remove=group)
            except CertdeckError as exc:
                is_clean = False
                narrator.tell(
                    Warned(
                        code="records-left",
                        what=f"Records of this order could not be removed: {', '.join(sorted({one.name for one in group}))}. "
                        f"{exc.what}",
                        fix="The next run tries it again; they do no harm.",
                    )
                )
                continue
            for name in dict.fromkeys(one.name for one in group):
                narrator.tell(RecordRemoved(provider=provider, name=name))
        if is_clean:
            try:
                forget_records(self._paths, written.id)
            except CertdeckError:
                return False
        return is_clean

    def clean_up(self, narrator: Narrator) -> None:
        """Remove what runs that died have left (ST-18). Never raises for a provider's sake. Raises StoreError."""
        for id in kept_records(self._paths):
            try:
                made = load_records(self._paths, id)
            except CertdeckError as exc:
                narrator.tell(Warned(code=exc.code, what=exc.what, fix=exc.fix))
                continue
            placed = tuple(
                Placed(provider, zone, TxtRecord(name=name, value=value))
                for provider, zone, name, value in made.records
            )
            known = tuple(one for one in placed if one.provider in self._entries)
            lost = sorted({one.txt.name for one in placed if one not in known})
            if lost:
                narrator.tell(
                    Warned(
                        code="records-left",
                        what=f"Old records can no longer be removed: {', '.join(lost)}. Their DNS provider entry is gone.",
                        fix="Remove them by hand when you are at it; they do no harm.",
                    )
                )
            self.remove(Written(id, known), narrator)

    # -- where ---------------------------------------------------------------------------------------------------------

    def _placed(self, chosen: DnsProviderConfig, record: Record, cancel: CancelToken) -> Placed:
        own = plain_name(record.name)
        leads_to = self._delegated(chosen, own) or self._authority.written_at(own)
        for name in dict.fromkeys((leads_to, own)):
            others = [entry for entry in self._entries.values() if entry.name != chosen.name and entry.zones]
            for entry in (chosen, *others):
                found = self._zone_in(entry, name, cancel, by_listing=entry is chosen)
                if found is not None:
                    return Placed(entry.name, found, TxtRecord(name=name, value=record.value))
        led = f", where {own} leads by a CNAME" if leads_to != own else ""
        zones = chosen.zones or self._listed.get(chosen.name, ())
        raise DnsProviderError(
            f"{chosen.name} does not serve the zone of {leads_to}{led}.",
            f"Its zones are: {', '.join(zones)}." if zones else "It says that it has no zone of that name.",
            f"Give the zone with: certdeck dns add {chosen.name} --replace --zone ZONE; or use the provider that serves it.",
            details={"provider": chosen.name, "kind": chosen.kind, "reason": "zone"},
        )

    def _delegated(self, entry: DnsProviderConfig, name: str) -> str | None:
        """Return where the configuration says that a record stands, for CNAMEs that cannot be seen from here."""
        domains = {plain_name(domain): plain_name(target) for domain, target in entry.delegations.items()}
        at = name
        while at:
            if at in domains:
                return domains[at]
            at = at.partition(".")[2] if at.startswith("_") else ""
        return None

    def _zone_in(self, entry: DnsProviderConfig, name: str, cancel: CancelToken, *, by_listing: bool) -> str | None:
        """Return the zone of `name` at an entry; "" where the entry has no zones; None where it does not serve it."""
        if not kind_named(entry.kind).has_zones:
            return "" if by_listing else None
        if entry.zones:
            return zone_among(name, map(plain_name, entry.zones))
        if not by_listing:
            return None
        listed = self._listed_zones(entry, cancel)
        if listed:
            return zone_among(name, listed)
        zone = self._authority.zone_of(name)
        return zone if zone is not None and is_below(name, zone) else None

    def _listed_zones(self, entry: DnsProviderConfig, cancel: CancelToken) -> tuple[str, ...]:
        with self._working(entry.name):
            if entry.name not in self._listed:
                provider = self._connect(entry, cancel)
                try:
                    self._listed[entry.name] = provider.zones()
                finally:
                    provider.close()
            return self._listed[entry.name]

    # -- how -----------------------------------------------------------------------------------------------------------

    def _add(self, placed: Sequence[Placed], narrator: Narrator, cancel: CancelToken) -> None:
        for (provider, zone), group in _by_zone(placed):
            self._change(provider, zone, cancel, add=group)
            for name in dict.fromkeys(one.name for one in group):
                narrator.tell(RecordAdded(provider=provider, name=name))

    def _change(
        self,
        provider: str,
        zone: str,
        cancel: CancelToken,
        *,
        add: Sequence[TxtRecord] = (),
        remove: Sequence[TxtRecord] = (),
    ) -> None:
        with self._working(provider):
            opened = self._connect(self._entries[provider], cancel)
            try:
                opened.change(zone, add=add, remove=remove)
            finally:
                opened.close()

    def _working(self, provider: str) -> threading.Lock:
        with self._lock:
            return self._at_work.setdefault(provider, threading.Lock())

    def _not_too_many(self, placed: Sequence[Placed]) -> None:
        for (provider, name), group in groupby(
            sorted(placed, key=lambda one: (one.provider, one.txt.name)), key=lambda one: (one.provider, one.txt.name)
        ):
            kind = kind_named(self._entries[provider].kind)
            most = kind.most_values
            count = len(list(group))
            if most is not None and count > most:
                raise DnsProviderError(
                    f"{provider} cannot hold {count} values at {name} at once.",
                    f"{kind.title} keeps {most}; an order needs one for each of its names there.",
                    "Use an entry of its own for some of the names, or put fewer names into one certificate.",
                    details={"provider": provider, "reason": "refused"},
                )


def _by_zone(placed: Sequence[Placed]) -> list[tuple[tuple[str, str], list[TxtRecord]]]:
    """Return the records of each provider's zone together."""
    groups = groupby(sorted(placed), key=lambda one: (one.provider, one.zone))
    return [(where, [one.txt for one in group]) for where, group in groups]
