"""DNS-01 through a provider (RFC 8555 §8.4): all records of an order are created together, awaited once, and removed again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from core.challenges import InPlace
from core.challenges.proofs import record_of
from core.dns.placement import Placement
from core.dns.propagation import Propagation, wanted_at
from core.dns.writer import RecordWriter, Written
from core.errors import DnsProviderError, PropagationTimeout
from core.events import Narrator
from core.operations import Record
from core.ports import CancelToken

if TYPE_CHECKING:
    from core.acme.authorization import Challenge


SHARE_BEFORE_WRITING_AGAIN = 0.4
"""Share of the time for propagation; most zones show a record in a fraction of it."""


class DnsSolver:
    """The solver for `dns-01` and `dns-account-01` with one provider entry of the configuration."""

    def __init__(
        self,
        type: str,
        entry: str,
        placement: Placement,
        writer: RecordWriter,
        propagation: Propagation,
        *,
        timeout_seconds: float,
    ) -> None:
        self.type = type
        self._entry = entry
        self._placement = placement
        self._writer = writer
        self._propagation = propagation
        self._timeout_seconds = timeout_seconds

    def where(self, challenge: Challenge) -> str:
        return record_of(challenge).name

    @contextlib.contextmanager
    def present(self, challenges: Sequence[Challenge], narrator: Narrator, cancel: CancelToken) -> Iterator[InPlace]:
        """Create the records and wait until every name server has them.

        Raises DnsProviderError, PropagationTimeout (`propagation-timeout`), VaultError, Cancelled.
        """
        records = tuple(dict.fromkeys(record_of(one) for one in challenges))
        if not records:
            yield InPlace()
            return
        placed = self._placement.place(self._entry, records)
        with self._writer.room_for(placed):
            written = self._writer.write(placed, narrator.lineage or "", narrator)
            try:
                self._await(records, written, narrator, cancel)
                yield InPlace()
            finally:
                self._writer.remove(written, narrator)

    def _await(self, records: Sequence[Record], written: Written, narrator: Narrator, cancel: CancelToken) -> None:
        """Wait until every name server has the records."""
        wanted = [wanted_at(record, one.txt.name) for record, one in zip(records, written.placed, strict=True)]
        first = self._timeout_seconds * SHARE_BEFORE_WRITING_AGAIN
        try:
            self._propagation.wait(wanted, timeout_seconds=first, narrator=narrator, cancel=cancel)
        except PropagationTimeout:
            # Another client that writes whole record sets may have overwritten ours. If ours still exist, the zone is only
            # slow, and writing them again may fail (a hook may refuse duplicates): the wait continues in any case.
            with contextlib.suppress(DnsProviderError):
                self._writer.write_again(written)
            rest = self._timeout_seconds - first
            self._propagation.wait(wanted, timeout_seconds=rest, narrator=narrator, cancel=cancel)
