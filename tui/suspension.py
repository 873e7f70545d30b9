"""The console stopped by its shell (^Z, or a signal) and continued: the terminal is left and taken again as a whole.

Textual does so for SIGTSTP. After a SIGSTOP, which no program sees coming, it would take the terminal a second time without having
left it (8.2): two threads read the keys then, and at the end the shell's settings are lost.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.driver import Driver

_Handler = Callable[[int, FrameType | None], Any]


class Suspension:
    """Watches the two signals of job control for a driver that has just taken the terminal."""

    def __init__(self, driver: Driver, continued: Callable[[], object]) -> None:
        """`continued` is called before the terminal is taken again: another program may have written over everything."""
        self._driver = driver
        self._take_nothing_for_granted = continued
        self._has_left = False
        self._stop = self._replace(signal.SIGTSTP, self._stopping)
        self._go_on = self._replace(signal.SIGCONT, self._continued)

    @staticmethod
    def _replace(number: signal.Signals, handler: _Handler) -> _Handler | None:
        before = signal.getsignal(number)
        if not callable(before):
            return None  # a driver without job control
        signal.signal(number, handler)
        return before

    def _stopping(self, number: int, frame: FrameType | None) -> None:
        self._has_left = True
        if self._stop is not None:
            self._stop(number, frame)

    def _continued(self, number: int, frame: FrameType | None) -> None:
        if not self._has_left:
            self._driver.suspend_application_mode()
        self._has_left = False
        self._take_nothing_for_granted()
        if self._go_on is not None:
            self._go_on(number, frame)
