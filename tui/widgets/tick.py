"""A tick: `[✔] I agree to these terms`."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from tui.glyphs import printable
from tui.widgets.ink import Inked
from tui.widgets.lines import strip_of, wrap


class Tick(Inked, can_focus=True):
    """Yes or no. Space or a click changes it; Enter is left to the screen."""

    DEFAULT_CSS = """
    Tick { height: auto; width: 1fr; }
    """
    BINDINGS: ClassVar = [Binding("space", "flip", show=False)]

    class Changed(Message):
        """The tick was set or removed."""

        def __init__(self, tick: Tick, value: bool) -> None:
            super().__init__()
            self.tick = tick
            self.value = value

        @property
        def control(self) -> Tick:
            return self.tick

    def __init__(self, label: str, *, value: bool = False, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._label = printable(label)
        self._value = value

    @property
    def value(self) -> bool:
        return self._value

    @value.setter
    def value(self, value: bool) -> None:
        """Set it without posting a message."""
        self._value = value
        self.refresh()

    def say(self, label: str) -> None:
        """Change the label."""
        self._label = printable(label)
        self.refresh(layout=True)

    def action_flip(self) -> None:
        self.value = not self._value
        self.post_message(self.Changed(self, self._value))

    def on_click(self, event: events.Click) -> None:
        self.action_flip()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(wrap(self._label, width - 4))

    def render_line(self, y: int) -> Strip:
        width, ink = self.size.width, self.ink
        style = ink.chosen if self.has_focus else ink
        lines = wrap(self._label, width - 4)
        line = lines[y] if y < len(lines) else ""
        sign = ("[✔] " if self._value else "[ ] ") if y == 0 else "    "
        return strip_of([(sign, style("key", bold=True)), (line, style("foreground"))], width)
