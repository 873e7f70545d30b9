"""The part of the engine's double that keeps the file of the self-test up: one visitor comes, and the time is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from core.operations import Listening, Visit
from core.ports import CancelToken
from tests.support.lineages import NOW

SELF_TEST = "/.well-known/acme-challenge/test.txt"


class FakeDoctor:
    """Mixed into FakeEngine."""

    if TYPE_CHECKING:

        def _called(self, method: str, **given: Any) -> None: ...

    def listen(
        self,
        *,
        seconds: float | None = None,
        ready: Callable[[Listening], None] | None = None,
        visited: Callable[[Visit], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Listening:
        self._called("listen", seconds=seconds)
        visit = Visit(at=NOW, address="192.0.2.7", host="shop.example.com", path=SELF_TEST, is_found=True)
        up = Listening(address="0.0.0.0", port=80, webroot="", path=SELF_TEST)
        if ready is not None:
            ready(up)
        if visited is not None:
            visited(visit)
        return replace(up, visits=(visit,), count=1)
