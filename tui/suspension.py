"""Handles stop and continuation by the shell (^Z, or a signal): the terminal is restored and then set up again.

Textual does this for SIGTSTP. After a SIGSTOP, which a program cannot handle, Textual 8.2 would set up the terminal again without
having restored it: two threads would read the keys, and the shell's settings would be lost at the end.

Textual also does it in the signal handler itself. The handler writes to the queue of the output thread, and waits forever if it has
interrupted the main thread in a write to that queue. A lost connection sends SIGCONT as well, so here the event loop handles both.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.driver import Driver

_Handler = Callable[[int, FrameType | None], Any]


class Suspension:
    """Handles the two signals of job control, for a driver that has just set up the terminal. Created in the event loop."""

    def __init__(self, driver: Driver, continued: Callable[[], object]) -> None:
        """`continued` is called before the terminal is set up again, because another program may have written to it."""
        self._driver = driver
        self._take_nothing_for_granted = continued
        self._has_left = False
        self._is_over = False
        self._stop = self._replace(signal.SIGTSTP, self._stopping)
        self._go_on = self._replace(signal.SIGCONT, self._continued)

    @staticmethod
    def _replace(number: signal.Signals, handler: Callable[[], object]) -> _Handler | None:
        before = signal.getsignal(number)
        if not callable(before):
            return None  # a driver without job control
        asyncio.get_running_loop().add_signal_handler(number, handler)
        return before

    def end(self) -> None:
        """Ignore both signals from now on: the app is leaving, and its terminal may be gone."""
        self._is_over = True

    def _stopping(self) -> None:
        if self._is_over:
            return
        self._has_left = True
        if self._stop is not None:
            self._stop(signal.SIGTSTP, None)

    def _continued(self) -> None:
        if self._is_over:
            return
        if not self._has_left:
            self._driver.suspend_application_mode()
        self._has_left = False
        self._take_nothing_for_granted()
        if self._go_on is not None:
            self._go_on(signal.SIGCONT, None)
