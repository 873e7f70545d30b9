"""dns-persist-01: one record, set once, that permanently permits this account of this CA to get certificates.

Renewals then need no access to DNS, which suits a certificate whose records are set manually. An existing record is checked
completely (account, wildcard, expiry). Only if none is sufficient, certdeck asks the user for one or creates it through a
provider. It is never removed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.challenges import InPlace
from core.challenges.pending import PendingRecords
from core.challenges.proofs import is_granted, permission_ends, record_of, records_of
from core.dates import day_shown
from core.dns.authority import Authority
from core.dns.names import DNS_PERSIST01
from core.dns.placement import Placement
from core.dns.propagation import Propagation, Wanted
from core.dns.writer import RecordWriter
from core.errors import PropagationTimeout
from core.events import Narrator, Warned
from core.operations import Record
from core.ports import CancelToken, Clock

if TYPE_CHECKING:
    from core.acme.authorization import Challenge


WORTH_A_WARNING_SECONDS = 90 * 86400
"""Warn this long before a permission expires: the lifetime of a classic certificate, so that at least one run warns in time."""


class Persistent:
    """The solver for `dns-persist-01`."""

    type = DNS_PERSIST01

    def __init__(
        self,
        authority: Authority,
        propagation: Propagation,
        clock: Clock,
        *,
        timeout_seconds: float,
        is_new: Callable[[], bool],
        through: tuple[str, Placement, RecordWriter] | None = None,
        anyway: bool = False,
    ) -> None:
        """
        Args:
            timeout_seconds: how long to wait for propagation.
            is_new: returns whether the order was placed just now.
            through: the provider entry that creates the record, with its placement and writer; None: a person sets it.
            anyway: continue without checking.
        """
        self._authority = authority
        self._propagation = propagation
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._is_new = is_new
        self._through = through
        self._anyway = anyway

    def where(self, challenge: Challenge) -> str:
        return record_of(challenge).name

    @contextlib.contextmanager
    def present(self, challenges: Sequence[Challenge], narrator: Narrator, cancel: CancelToken) -> Iterator[InPlace]:
        """Continue when every name has a sufficient record. Raises PendingRecords, DnsProviderError, PropagationTimeout."""
        if challenges and not self._anyway:
            self._see(challenges, narrator, cancel)
            self._watch_the_end(challenges, narrator)
        yield InPlace()

    def _see(self, challenges: Sequence[Challenge], narrator: Narrator, cancel: CancelToken) -> None:
        records = records_of(challenges)
        wanted = [self._wanted(record, challenges) for record in records]
        # Also for an order that was placed just now: the record may have existed for a year.
        views = self._propagation.look(wanted, cancel)
        missing = [record for record, view in zip(records, views, strict=True) if not view.is_seen]
        if not missing:
            return
        if self._through is not None:
            entry, placement, writer = self._through
            writer.write_for_good(placement.place(entry, missing), narrator)
        elif not any(one.state == "has" for view in views for one in view.servers):
            raise PendingRecords(records, () if self._is_new() else views)
        try:
            self._propagation.wait(wanted, timeout_seconds=self._timeout_seconds, narrator=narrator, cancel=cancel)
        except PropagationTimeout:
            if self._through is not None:
                raise
            raise PendingRecords(records, self._propagation.look(wanted, cancel)) from None

    def _watch_the_end(self, challenges: Sequence[Challenge], narrator: Narrator) -> None:
        """Warn if the permission expires before the next renewals (`persistUntil`)."""
        now = self._clock.now().timestamp()
        for identifier in dict.fromkeys(one.identifier for one in challenges):
            mine = [one for one in challenges if one.identifier == identifier]
            name = record_of(mine[0]).name
            ends = permission_ends(mine, self._authority.texts_at(self._authority.written_at(name)), now)
            if ends is not None and ends - now < WORTH_A_WARNING_SECONDS:
                narrator.tell(
                    Warned(
                        code="permission-ends",
                        what=f"The record {name} allows certificates until {day_shown(datetime.fromtimestamp(ends, UTC))} only.",
                        fix="Before that day, set it again with a later persistUntil, or without one.",
                    )
                )

    def _wanted(self, record: Record, challenges: Sequence[Challenge]) -> Wanted:
        mine = [one for one in challenges if record_of(one).name == record.name]
        is_wide = any(one.wildcard for one in mine)

        def accepts(value: str) -> bool:
            now = self._clock.now().timestamp()
            return is_granted(mine[0], value, for_wildcard=is_wide, now=now)

        return Wanted(record, self._authority.written_at(record.name), accepts)
