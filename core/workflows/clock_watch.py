"""What the CAs of one operation say about the clock of this box. Shared by its threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.clock import Comparison


class ClockWatch:
    """Keeps the worst comparison."""

    __slots__ = ("_lock", "_told", "worst")

    def __init__(self) -> None:
        self.worst: Comparison | None = None
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def compared(self, ca: str, offset: float | None) -> None:
        """Take down what a CA's answer says; `offset`: see `Comparison`. Any thread."""
        with self._lock:
            known = self.worst.offset if self.worst is not None else None
            if self.worst is None or (offset is not None and (known is None or abs(offset) > abs(known))):
                from core.clock import Comparison  # not before a CA is asked: most runs ask none

                self.worst = Comparison(ca=ca, offset=offset)

    def is_news(self, step: str) -> bool:
        """Tell whether nobody has been told about `step` yet."""
        with self._lock:
            is_new = step not in self._told
            self._told.add(step)
            return is_new
