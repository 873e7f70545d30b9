"""Proving control over names: each solver puts the proof where the CA looks, and takes it away again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from core.events import Narrator
from core.ports import CancelToken

if TYPE_CHECKING:
    from core.acme.authorization import Challenge


class Presented(Protocol):
    """Proofs that are in place."""

    def settle(self, seconds: float, cancel: CancelToken) -> None:
        """Wait until the CA seems to have looked at all of them, `seconds` at most. May return at once."""


class InPlace:
    """Proofs in files or records; who looks at them is not seen from here, so there is nothing to wait for."""

    def settle(self, seconds: float, cancel: CancelToken) -> None:
        cancel.check()


class Solver(Protocol):
    """One way to prove control, used by all orders of a run. Thread-safe."""

    @property
    def type(self) -> str:
        """Return the challenge type: `http-01`, `dns-01`."""

    def where(self, challenge: Challenge) -> str:
        """Return the URL or the record name at which the CA will look."""

    def present(
        self, challenges: Sequence[Challenge], narrator: Narrator, cancel: CancelToken
    ) -> AbstractContextManager[Presented]:
        """Put all proofs in place, and remove them when the context ends, however it ends. Raises ChallengeError."""
