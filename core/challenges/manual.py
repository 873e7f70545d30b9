"""DNS proofs that a person sets: nothing is answered before every name server has the records.

A challenge that fails cannot be tried again and costs the order with all its values, so the CA is only told to look once
the look of our own has succeeded, or when somebody says so. The same values come back for as long as the order lives.
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
    """The solvers `dns-01` and `dns-account-01` without a provider."""

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
            is_new: tells whether the order was placed a moment ago: nobody can have set anything yet.
            timeout_seconds: how long to wait when some servers have the records already.
            anyway: answer without looking.
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
        """Go on when all records are seen. Raises PendingRecords while they are not; Cancelled."""
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
            raise PendingRecords(
                records, views
            )  # a value that no server has was not set yet: waiting would be for nothing
        if not all(view.is_seen for view in views):
            narrator.tell(Waiting(why=f"the other name servers get the records ({self._timeout_seconds:g} s at most)"))
        try:
            self._propagation.wait(wanted, timeout_seconds=self._timeout_seconds, narrator=narrator, cancel=cancel)
        except PropagationTimeout as exc:
            raise PendingRecords(records, self._propagation.look(wanted, cancel)) from exc
