"""Handles stop and continuation by the shell (^Z, or a signal): the terminal is restored and then set up again.

Textual does this for SIGTSTP. After a SIGSTOP, which a program cannot handle, Textual 8.2 would set up the terminal again without
having restored it: two threads would read the keys, and the shell's settings would be lost at the end.
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
    """Handles the two signals of job control, for a driver that has just set up the terminal."""

    def __init__(self, driver: Driver, continued: Callable[[], object]) -> None:
        """`continued` is called before the terminal is set up again, because another program may have written to it."""
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
