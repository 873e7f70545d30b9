"""What the CAs of one operation say about the clock of this box. Shared by its threads."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from core.clock import Comparison


@dataclass(slots=True)
class ClockWatch:
    """The worst comparison so far."""

    worst: Comparison | None = None
    _told: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def compared(self, ca: str, offset: float | None) -> None:
        """Take down what a CA's answer says; `offset`: see `Comparison`. Any thread."""
        with self._lock:
            known = self.worst.offset if self.worst is not None else None
            if self.worst is None or (offset is not None and (known is None or abs(offset) > abs(known))):
                self.worst = Comparison(ca=ca, offset=offset)

    def is_news(self, step: str) -> bool:
        """Tell whether nobody has been told about `step` yet."""
        with self._lock:
            is_new = step not in self._told
            self._told.add(step)
            return is_new
