"""Records of an order at their providers: recorded on disk, created, and removed again.

Every record is written to disk before it is created, so that after a crash the next run knows of all records. All changes of one
zone are sent together. What cannot be removed is retried by later runs and reported.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from itertools import groupby

from msgspec import Struct, field
from msgspec.structs import replace

from core.dns.placement import RecordLocation
from core.dns.provider import TxtRecord
from core.dns.provider_pool import ProviderPool
from core.errors import Cancelled, CertdeckError, DnsProviderError, NotFound, UntrustedPath, UsageError, VaultError
from core.events import Narrator, RecordAdded, RecordRemoved, Warned
from core.paths import Paths
from core.ports import Environment
from core.store.dns_records import MadeRecords, forget_records, keep_records, kept_records, load_records

NEVER_MADE = frozenset({"credentials", "permission", "zone", "no-api-access", "address-not-allowed"})
"""Reasons of a provider that mean that nothing was changed."""
NEVER_OPENED = (NotFound, UntrustedPath, UsageError, VaultError)
"""The provider was not contacted: the entry is incomplete, its secrets cannot be decrypted, or its program may not run."""
LONGEST_TRY = timedelta(days=30)
"""How long the removal of a record is retried."""
OF_THE_RECORD = frozenset({"permission", "zone", "conflict", "not-clean", "refused"})
"""Reasons that may apply to one record and not to another. With any other reason, one more request is one more wait."""


class Written(Struct, frozen=True):
    """The records that were created, and the ID that they are recorded under."""

    id: str
    placed: tuple[RecordLocation, ...]


class _Sweep(Struct, frozen=True, kw_only=True):
    """One round of removals, and what is known in it."""

    also_cancelled: bool
    """Continue for a while after the user has cancelled."""
    helpless: dict[tuple[str, str], CertdeckError] = field(default_factory=dict)
    """(provider entry, zone) where nothing can be removed now: not tried again in this round."""
    told: set[tuple[str, str, str]] = field(default_factory=set)
    """(provider entry, zone, failure) already reported: a failure that applies to many records is reported once."""


class RecordWriter:
    """Creates and removes records. Thread-safe."""

    def __init__(self, paths: Paths, env: Environment, entries: ProviderPool) -> None:
        self._paths = paths
        self._env = env
        self._entries = entries
        self._lock = threading.Lock()
        self._limited: dict[str, threading.Lock] = {}

    @contextmanager
    def room_for(self, placed: Sequence[RecordLocation]) -> Iterator[None]:
        """Lock the names at which a provider stores only a limited number of values (acme-dns: two).

        Parallel orders at such a name would replace each other's values after they were checked, and the challenges would fail.
        """
        names = {one.txt.name for one in placed if self._entries.kind(one.provider).most_values}
        with ExitStack() as held:
            # Always in the same order, so that two orders for the same names cannot deadlock.
            for name in sorted(names):
                with self._lock:
                    mine = self._limited.setdefault(name, threading.Lock())
                held.enter_context(mine)
            yield

    def write(self, placed: Sequence[RecordLocation], lineage: str, narrator: Narrator) -> Written:
        """Create records. If one cannot be created, the others are removed again, and the first error is raised.

        Raises DnsProviderError, StoreError, VaultError, Cancelled.
        """
        self._not_too_many(placed)
        id = self._env.random.token_bytes(8).hex()
        self._write_down(id, placed, MadeRecords(lineage=lineage, created=self._env.clock.now(), records=()))
        made: list[RecordLocation] = []
        try:
            self._add(placed, narrator, made)
        except BaseException as exc:
            # A client without permission has written nothing; after any other failure the record may exist anyway.
            is_refused = isinstance(exc, NEVER_OPENED) or (
                isinstance(exc, DnsProviderError) and exc.details.get("reason") in NEVER_MADE
            )
            never = [one for one in placed if one not in made] if is_refused else []
            self.remove(Written(id, tuple(placed)), narrator, never_made=never)
            raise
        return Written(id, tuple(placed))

    def write_again(self, written: Written) -> None:
        """Create records again that should exist; existing ones are left unchanged. Raises DnsProviderError, Cancelled."""
        for (provider, zone), group in _by_zone(written.placed):
            self._change(provider, zone, add=group)

    def write_for_good(self, placed: Sequence[RecordLocation], narrator: Narrator) -> None:
        """Create permanent records (dns-persist-01). Raises as `write` does."""
        self._add(placed, narrator, [])

    def remove(self, written: Written, narrator: Narrator, *, never_made: Sequence[RecordLocation] = ()) -> bool:
        """Remove records, also after the user has cancelled, and return whether all are gone.

        Never raises: what cannot be removed stays recorded for the next run and is reported, except for `never_made`.
        """
        return self._remove(written, narrator, _Sweep(also_cancelled=True), never_made)

    def _remove(
        self, written: Written, narrator: Narrator, sweep: _Sweep, never_made: Sequence[RecordLocation] = ()
    ) -> bool:
        """Remove records as `remove` does. Raises Cancelled, except in a round that continues after a cancellation."""
        left: list[RecordLocation] = []
        for (provider, zone), group in _by_zone(written.placed):
            unsure = [one.txt for one in never_made if (one.provider, one.zone) == (provider, zone)]
            failed, error = self._removed(provider, zone, group, sweep)
            failed = [txt for txt in failed if txt not in unsure]
            left += [RecordLocation(provider, zone, txt) for txt in failed]
            for name in dict.fromkeys(txt.name for txt in group if txt not in (*failed, *unsure)):
                narrator.tell(RecordRemoved(provider=provider, name=name))
            if error is not None and failed and (provider, zone, error.what) not in sweep.told:
                sweep.told.add((provider, zone, error.what))
                names = ", ".join(sorted({txt.name for txt in failed}))
                narrator.tell(
                    Warned(
                        code="records-left",
                        what=f"Records of this order could not be removed: {names}. {error.what}",
                        fix="The next run tries again. The records are harmless.",
                    )
                )
        try:
            if left:
                self._write_down(written.id, left, load_records(self._paths, written.id))
            else:
                forget_records(self._paths, written.id)
        except CertdeckError:
            return False  # all of them stay recorded, and removing a missing one does nothing
        return not left

    def clean_up(self, narrator: Narrator, may_forget: Callable[[], bool] = lambda: True) -> None:
        """Remove what aborted runs have left (ST-18). A failing provider raises nothing: one that does not respond costs one wait,
        however many records it holds. Raises StoreError, Cancelled.

        `may_forget`: called before a record that could not be removed is given up because of its age.
        """
        sweep = _Sweep(also_cancelled=False)
        for id in kept_records(self._paths):
            try:
                made = load_records(self._paths, id)
            except CertdeckError as exc:
                narrator.tell(Warned(code=exc.code, what=exc.what, fix=exc.fix))
                continue
            # The event goes into the history of that lineage only.
            of_theirs = narrator.about(made.lineage) if made.lineage else narrator
            placed = tuple(
                RecordLocation(provider, zone, TxtRecord(name=name, value=value))
                for provider, zone, name, value in made.records
            )
            known = tuple(one for one in placed if one.provider in self._entries.configured)
            lost = sorted({one.txt.name for one in placed if one not in known})
            if lost:
                _told_as_lost(lost, "Their DNS provider entry was removed.", of_theirs)
            is_clean = self._remove(Written(id, known), of_theirs, sweep)
            if not is_clean and self._env.clock.now() - made.created > LONGEST_TRY and may_forget():
                names = sorted({one.txt.name for one in known})
                _told_as_lost(names, f"It was retried for {LONGEST_TRY.days} days.", of_theirs)
                forget_records(self._paths, id)

    def _removed(
        self, provider: str, zone: str, group: Sequence[TxtRecord], sweep: _Sweep
    ) -> tuple[list[TxtRecord], CertdeckError | None]:
        """Remove the records of a zone together, otherwise one by one; return those that remain, and the first error."""
        known = sweep.helpless.get((provider, zone))
        if known is not None:
            return list(group), known
        try:
            try:
                self._change(provider, zone, remove=group, also_cancelled=sweep.also_cancelled)
            except Cancelled:
                if not sweep.also_cancelled:
                    raise
                self._change(provider, zone, remove=group, also_cancelled=True)
        except CertdeckError as exc:
            if isinstance(exc, Cancelled) and not sweep.also_cancelled:
                raise
            if exc.details.get("reason") not in OF_THE_RECORD:
                sweep.helpless[provider, zone] = exc
                return list(group), exc
            if len(group) == 1:
                return list(group), exc
        else:
            return [], None
        failed: list[TxtRecord] = []
        first: CertdeckError | None = None
        for txt in group:
            stays, error = self._removed(provider, zone, [txt], sweep)
            failed += stays
            first = first or error
        return failed, first

    def _write_down(self, id: str, placed: Sequence[RecordLocation], made: MadeRecords) -> None:
        records = tuple((one.provider, one.zone, one.txt.name, one.txt.value) for one in placed)
        keep_records(self._paths, id, replace(made, records=records))

    def _add(self, placed: Sequence[RecordLocation], narrator: Narrator, made: list[RecordLocation]) -> None:
        for (provider, zone), group in _by_zone(placed):
            self._change(provider, zone, add=group)
            made += [RecordLocation(provider, zone, txt) for txt in group]
            for name in dict.fromkeys(one.name for one in group):
                narrator.tell(RecordAdded(provider=provider, name=name))

    def _change(
        self,
        provider: str,
        zone: str,
        *,
        add: Sequence[TxtRecord] = (),
        remove: Sequence[TxtRecord] = (),
        also_cancelled: bool = False,
    ) -> None:
        with self._entries.use(provider, also_cancelled=also_cancelled) as opened:
            settle = opened.change(zone, add=add, remove=remove)
        if settle is not None:
            settle()  # after the lock is released: others need not wait

    def _not_too_many(self, placed: Sequence[RecordLocation]) -> None:
        for (provider, name), group in groupby(
            sorted(placed, key=lambda one: (one.provider, one.txt.name)), key=lambda one: (one.provider, one.txt.name)
        ):
            kind = self._entries.kind(provider)
            most = kind.most_values
            count = len(list(group))
            if most is not None and count > most:
                raise DnsProviderError(
                    f"{provider} cannot store {count} values at {name} at once.",
                    f"{kind.title} stores {most}; an order needs one for each of its names there.",
                    "Use a separate entry for some of the names, or put fewer names into one certificate.",
                    details={"provider": provider, "kind": kind.name, "reason": "refused"},
                )


def _by_zone(placed: Sequence[RecordLocation]) -> list[tuple[tuple[str, str], list[TxtRecord]]]:
    """Return the records grouped by provider entry and zone."""
    groups = groupby(sorted(placed), key=lambda one: (one.provider, one.zone))
    return [(where, [one.txt for one in group]) for where, group in groups]


def _told_as_lost(names: Sequence[str], why: str, narrator: Narrator) -> None:
    narrator.tell(
        Warned(
            code="records-left",
            what=f"certdeck no longer tries to remove these old records: {', '.join(names)}. {why}",
            fix="Remove them manually when convenient. They are harmless.",
        )
    )
