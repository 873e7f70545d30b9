"""Challenges: each solver puts the response where the CA looks for it, and removes it afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from core.events import Narrator
from core.ports import CancelToken

if TYPE_CHECKING:
    from core.acme.authorization import Challenge


class Presented(Protocol):
    """Challenge responses that are in place."""

    def settle(self, seconds: float, cancel: CancelToken) -> None:
        """Wait until the CA seems to have fetched all of them, for at most `seconds`. May return immediately."""


class InPlace:
    """Responses in files or records; certdeck cannot see who fetches them, so `settle` does not wait."""

    def settle(self, seconds: float, cancel: CancelToken) -> None:
        cancel.check()


class Solver(Protocol):
    """A way to complete challenges, used by all orders of a run. Thread-safe."""

    @property
    def type(self) -> str:
        """Return the challenge type: `http-01`, `dns-01`."""

    def where(self, challenge: Challenge) -> str:
        """Return the URL or the record name at which the CA will look."""

    def present(
        self, challenges: Sequence[Challenge], narrator: Narrator, cancel: CancelToken
    ) -> AbstractContextManager[Presented]:
        """Put all responses in place, and remove them when the context ends for any reason. Raises ChallengeError."""
