"""HTTP-01 for the whole fleet: etcd holds the responses, bound to the leader's lease, and every listening box serves them.

A load balancer may send the CA to any box. So the hub waits until every listening box has confirmed the responses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.challenges import InPlace, Presented, Solver
from core.errors import PortUnavailable
from core.events import Narrator
from core.fleet.election import Leadership
from core.fleet.etcd import Etcd
from core.fleet.layout import CHALLENGES, LISTENERS
from core.ports import CancelToken, Clock

if TYPE_CHECKING:
    from core.acme.authorization import Challenge

HEARD_SECONDS = 5.0
"""How long the hub waits for the listening boxes. One slow box must not fail the order for all others."""


class FleetResponder:
    """The `http-01` solver of a hub: it publishes the responses in etcd, and listens itself if its port is free."""

    type = "http-01"

    def __init__(self, etcd: Etcd, lead: Leadership, own: Solver, clock: Clock) -> None:
        self._etcd = etcd
        self._lead = lead
        self._own = own
        self._clock = clock

    def where(self, challenge: Challenge) -> str:
        return self._own.where(challenge)

    @contextmanager
    def present(self, challenges: Sequence[Challenge], narrator: Narrator, cancel: CancelToken) -> Iterator[Presented]:
        """Serve the responses until the context ends.

        Raises PortUnavailable (`port-unavailable`) if this box cannot listen and no other box does; NotLeading, FleetError.
        """
        answers = {CHALLENGES + each.token: each.key_authorization.encode() for each in challenges}
        if answers:
            self._etcd.commit(answers, guards=[self._lead.guard()], lease=self._lead.lease)
        try:
            others = self._wait_heard(cancel) if answers else 0
            own = self._own.present(challenges, narrator, cancel)
            try:
                presented = own.__enter__()
            except PortUnavailable:
                if not others:
                    raise
                yield InPlace()
                return
            try:
                yield presented
            finally:
                own.__exit__(None, None, None)
        finally:
            if answers and self._lead.holds:
                self._etcd.commit({}, answers, [self._lead.guard()], is_last=True)

    def _wait_heard(self, cancel: CancelToken) -> int:
        """Wait until every listening box has the responses, or HEARD_SECONDS pass. Returns how many boxes have them."""
        _, published = self._etcd.range(CHALLENGES)
        ends = self._clock.monotonic() + HEARD_SECONDS
        while True:
            listening, _ = self._etcd.range(LISTENERS)
            heard = [each for each in listening if _revision(each.value) >= published]
            if len(heard) == len(listening) or self._clock.monotonic() > ends:
                return len(heard)
            self._clock.sleep(0.05, cancel)


def _revision(value: bytes) -> int:
    return int(value) if value.isdigit() else 0
