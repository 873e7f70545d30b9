"""Several clients of one DNS vendor at once, on a simulated clock: the same seed gives the same interleaving."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from random import Random

from core.ports import CancelToken, Response, Transport
from tests.support.clock import NOON

WAY_SECONDS = (0.02, 0.3)
"""That a request, or a reply, is under way."""


class Race:
    """A `Clock` that several threads share; one of them runs at a time, the one whose waiting ends first."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self._now = 0.0
        self._turns = threading.Condition()
        self._waiting: list[tuple[float, int, int]] = []
        self._numbers = count()
        self._turn: int | None = None
        self._me = threading.local()

    def run(self, *works: Callable[[], object]) -> None:
        """Run all to their end; raises what the first one raised."""
        failures: list[BaseException] = []

        def life(me: int, work: Callable[[], object]) -> None:
            self._me.id = me
            try:
                with self._turns:
                    self._turns.wait_for(lambda: self._turn == me)
                work()
            except BaseException as exc:  # noqa: BLE001 - handed to the test
                failures.append(exc)
            finally:
                with self._turns:
                    self._hand_over()

        threads = [threading.Thread(target=life, args=each, daemon=True) for each in enumerate(works)]
        self._waiting = [(0.0, next(self._numbers), me) for me in range(len(works))]
        for thread in threads:
            thread.start()
        with self._turns:
            self._hand_over()
        for thread in threads:
            thread.join(60)
        if failures:
            raise failures[0]

    def wait(self, seconds: float) -> None:
        """Let the others run for so long."""
        with self._turns:
            heappush(self._waiting, (self._now + seconds, next(self._numbers), self._me.id))
            self._hand_over()
            self._turns.wait_for(lambda: self._turn == self._me.id)

    def _hand_over(self) -> None:
        self._turn = None
        if self._waiting:
            self._now, _, self._turn = heappop(self._waiting)
        self._turns.notify_all()

    # -- as a Clock ----------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self._now)

    def monotonic(self) -> float:
        return 1000.0 + self._now

    def sleep(self, seconds: float, cancel: CancelToken) -> None:
        cancel.check()
        self.wait(seconds)
        cancel.check()


class FarTransport:
    """A vendor that is some way off; `after` is called when it has handled a request."""

    def __init__(self, race: Race, vendor: Transport, after: Callable[[], None]) -> None:
        self._race = race
        self._vendor = vendor
        self._after = after

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeout: float = 30.0,
        cancel: CancelToken | None = None,
    ) -> Response:
        self._race.wait(self._race.random.uniform(*WAY_SECONDS))
        try:
            said = self._vendor.request(method, url, headers=headers, body=body, timeout=timeout, cancel=cancel)
            self._after()
        finally:
            self._race.wait(self._race.random.uniform(*WAY_SECONDS))
        return said

    def close(self) -> None:
        """Be a `Transport`."""
