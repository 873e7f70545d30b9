"""HTTP-01 for the whole fleet: the answers stand in etcd, bound to the leader's lease, and every box that listens serves them.

A load balancer may lead the CA to any box. So the hub waits until each one that listens has said that it has the answers.
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
"""How long a box that listens is waited for; one that is slower than that is not worth a failed order of all the others."""


class FleetResponder:
    """The solver `http-01` of a hub: publishes the answers, and listens itself where its port is free."""

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
        """Serve the answers until the context ends.

        Raises PortUnavailable (`port-unavailable`) where this box cannot listen and no other one does; NotLeading, FleetError.
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
        """Wait until every box that listens has the answers. Returns how many listen."""
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
