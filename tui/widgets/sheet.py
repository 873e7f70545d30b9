"""Scrollable lines for details, log, help and PEM. They are made for a width, and again when it changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.ink import Ink, Inked
from tui.widgets.lines import Line, strip_of

Writer = Callable[[int, Ink], Sequence[Line]]
"""Makes the lines for a width."""


class Sheet(ScrollView, Inked, can_focus=True):
    """A scrolling view of lines."""

    DEFAULT_CSS = """
    Sheet { overflow-x: hidden; scrollbar-gutter: stable; }
    """
    BINDINGS: ClassVar = [
        Binding("k", "scroll_up", show=False),
        Binding("j", "scroll_down", show=False),
        Binding("space", "page_down", show=False),
        Binding("g", "scroll_home", show=False),
        Binding("G", "scroll_end", show=False),
    ]

    def __init__(self, writer: Writer | None = None, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._writer = writer
        self._lines: Sequence[Line] = ()
        self._written_for: tuple[int, Ink] | None = None

    def write(self, writer: Writer, *, top: bool = True) -> None:
        """Show other lines. `top`: scroll to the first one."""
        self._writer = writer
        self._written_for = None
        self._prepare()
        if top:
            self.scroll_to(y=0, animate=False)
        self.refresh()

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self._lines)

    def _prepare(self) -> None:
        # Keep one cell free before the scroll bar.
        width = self.scrollable_content_region.width - 1
        made_for = (width, self.ink)
        if self._writer is None or width <= 0 or made_for == self._written_for:
            return
        self._written_for = made_for
        self._lines = self._writer(width, self.ink)
        size = Size(width, len(self._lines))
        if size != self.virtual_size:
            # Not through the reactive, which would lay out and draw the whole screen for each new text.
            self.set_reactive(Widget.virtual_size, size)
            self._scroll_update(size)

    def on_resize(self, event: events.Resize) -> None:
        self._prepare()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        if self._written_for is not None and self._written_for[1] is not self.ink:
            self._prepare()
        number = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if number >= len(self._lines):
            return Strip.blank(width)
        return strip_of(self._lines[number], width)
