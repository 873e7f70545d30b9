"""Screens that are drawn once for everything that a key sets off.

Textual draws a screen after each step: a page that opens is laid out, drawn, told its size, laid out and drawn again, and a letter
in a field is drawn before what it finds. That takes most of the time that somebody waits, and bytes on a slow line. Here, drawing
waits until no message is under way, and then draws everything that has changed.

Callbacks of `call_after_refresh` are part of that: they run once the screen is laid out, but before it is drawn, so that what they
scroll to or give the focus is in the same picture. What only takes time waits with `call_after_drawing`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

from textual.screen import Screen

from tui.settled import is_settled

T = TypeVar("T")

_LONGEST_SECONDS: Final = 0.1
"""After this time it is drawn all the same: a key that is held down on a slow machine has to be seen to act."""
_AT_ONCE: Final = 20
"""So many looks follow each other without a pause."""
_PAUSE_SECONDS: Final = 0.001


class DrawnOnce(Screen[T]):
    """The base of every screen. Only when it is drawn differs from Textual's own."""

    _drawing: asyncio.Task[None] | None = None
    """The drawing that is under way."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._after_drawing: list[Callable[[], object]] = []

    def call_after_drawing(self, callback: Callable[[], object]) -> None:
        """Call `callback` once, after the next drawing: nobody has to wait for the picture because of it."""
        self._after_drawing.append(callback)

    @property
    def _is_unlaid(self) -> bool:
        return self._layout_required or self._scroll_required or self._repaint_required

    def _compositor_refresh(self) -> None:
        if self._drawing is None:
            self._drawing = asyncio.create_task(self._draw(), name="drawing")

    async def _draw(self) -> None:
        try:
            with self._context():
                await self._settle()
                if self in self.app.screen_stack:  # it may have been left meanwhile
                    if self._is_unlaid:
                        # Never drawn as it was laid out before: Textual would take a widget that has just appeared for a known
                        # one then, and never tell it its size.
                        self._on_timer_update()
                    self._compositor.update_widgets(self._dirty_widgets)
                    super()._compositor_refresh()
                    self._call_what_waited()
        except Exception as error:  # noqa: BLE001 - as in Textual's own tasks: it would be lost
            self.app._handle_exception(error)
        finally:
            self._drawing = None

    def _call_what_waited(self) -> None:
        waited, self._after_drawing = self._after_drawing, []
        for each in waited:
            self.call_later(each)

    async def _settle(self) -> None:
        """Wait until everything has been done, and lay out what it has changed. A batch is waited for however long it takes."""
        clock = asyncio.get_running_loop().time
        until, looks = clock() + _LONGEST_SECONDS, 0
        while self._running and (self.app._batch_count or clock() < until):
            await asyncio.sleep(0 if looks < _AT_ONCE else _PAUSE_SECONDS)
            looks += 1
            if self.app._batch_count or not is_settled(self.app):
                continue
            if not self._is_unlaid:
                return
            self._on_timer_update()
