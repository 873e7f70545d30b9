"""DNS challenges with records that a person sets: no challenge is answered before every name server has the records.

A failed challenge cannot be retried and invalidates the order with all its values. So the CA is asked to validate only after
certdeck's own check has succeeded, or if the user says so. The values stay the same for the lifetime of the order.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from core.challenges import InPlace
from core.challenges.pending import PendingRecords
from core.challenges.proofs import record_of, records_of
from core.dns.authority import Authority
from core.dns.propagation import Propagation, wanted_at
from core.errors import PropagationTimeout
from core.events import Narrator, Waiting
from core.operations import Record
from core.ports import CancelToken

if TYPE_CHECKING:
    from core.acme.authorization import Challenge


class ManualSolver:
    """The solver for `dns-01` and `dns-account-01` without a provider."""

    def __init__(
        self,
        type: str,
        authority: Authority,
        propagation: Propagation,
        *,
        is_new: Callable[[], bool],
        timeout_seconds: float,
        anyway: bool = False,
    ) -> None:
        """
        Args:
            is_new: returns whether the order was placed just now, so that the records cannot exist yet.
            timeout_seconds: how long to wait if some servers already have the records.
            anyway: continue without checking.
        """
        self.type = type
        self._authority = authority
        self._propagation = propagation
        self._is_new = is_new
        self._timeout_seconds = timeout_seconds
        self._anyway = anyway

    def where(self, challenge: Challenge) -> str:
        return record_of(challenge).name

    @contextlib.contextmanager
    def present(self, challenges: Sequence[Challenge], narrator: Narrator, cancel: CancelToken) -> Iterator[InPlace]:
        """Continue when all records are visible. Raises PendingRecords while they are not; Cancelled."""
        records = records_of(challenges)
        if records and not self._anyway:
            self._see(records, narrator, cancel)
        yield InPlace()

    def _see(self, records: tuple[Record, ...], narrator: Narrator, cancel: CancelToken) -> None:
        if self._is_new():
            raise PendingRecords(records)
        wanted = [wanted_at(record, self._authority.written_at(record.name)) for record in records]
        views = self._propagation.look(wanted, cancel)
        if not all(any(one.state == "has" for one in view.servers) for view in views):
            # No server has this value, so it was not set yet: waiting is pointless.
            raise PendingRecords(records, views)
        if not all(view.is_seen for view in views):
            narrator.tell(Waiting(why=f"the other name servers get the records ({self._timeout_seconds:g} s at most)"))
        try:
            self._propagation.wait(wanted, timeout_seconds=self._timeout_seconds, narrator=narrator, cancel=cancel)
        except PropagationTimeout as exc:
            raise PendingRecords(records, self._propagation.look(wanted, cancel)) from exc
