"""One line above the footer while an operation runs elsewhere, or after it has ended unseen."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.glyphs import printable
from tui.widgets.ink import Inked
from tui.widgets.lines import Part, between, cut, strip_of

_SIGNS = {
    "running": ("◐", "bar-used"),
    "done": ("✔", "severity-green"),
    "failed": ("✖", "severity-red"),
    "cancelled": ("▲", "severity-yellow"),
}


class Tray(Inked):
    """`◐ issuing shop.example.com … 3 of 8                    w Progress`."""

    DEFAULT_CSS = """
    Tray { height: 1; display: none; background: $panel; }
    Tray.-shown { display: block; }
    """

    class Opened(Message):
        """The tray was clicked."""

    _text = ""
    _outcome = "running"

    def show(self, text: str, outcome: str) -> None:
        """Set the text; an empty text hides the tray."""
        told = printable(text)
        if (told, outcome) != (self._text, self._outcome):
            self._text, self._outcome = told, outcome
            self.set_class(bool(told), "-shown")
            self.refresh()

    def render_line(self, y: int) -> Strip:
        ink, width = self.ink, self.size.width
        sign, role = _SIGNS[self._outcome]
        right: list[Part] = [("w", ink("key", bold=True)), (" Progress ", ink("footer-text"))]
        text = cut(self._text, width - 16)
        return strip_of(between([(f" {sign} ", ink(role)), (text, ink("foreground"))], right, width), width)

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.Opened())
