"""The position in a wizard: `✔ Names ─ ✔ Proof ─ 3 Issuer & key ─ 4 Service ─ 5 Check ─ 6 Issue`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.widgets.ink import Inked
from tui.widgets.lines import BLANK, Part, strip_of, width_of

_UNDERLINE = Style(underline=True)


class StepStrip(Inked):
    """The steps on one line, spread over the available width; a click on a completed step returns to it."""

    DEFAULT_CSS = """
    StepStrip { height: 1; margin: 1 2; }
    """

    class Chosen(Message):
        """A completed step was clicked."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, titles: Sequence[str]) -> None:
        super().__init__()
        self._titles = titles
        self._current = 0
        self._done = 0
        self._places: list[tuple[int, int]] = []

    def show(self, current: int, done: int) -> None:
        """Set the current step, counted from 0, and how many steps before it are done."""
        self._current, self._done = current, done
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, ink = self.size.width, self.ink
        words = [self._word(number) for number in range(len(self._titles))]
        gaps = len(words) - 1
        line = max(min((width - sum(map(width_of, words))) // max(gaps, 1) - 2, 4), 1)
        parts: list[Part] = []
        self._places = []
        x = 0
        for number, word in enumerate(words):
            if number:
                parts.append((f" {'─' * line} ", ink("faint")))
                x += line + 2
            if number == self._current:
                role, bold = "brand", True
            else:
                role, bold = ("severity-green" if number < self._done else "text-muted"), False
            # The current step must be recognizable without colour.
            style = ink(role, bold=bold)
            parts.append((word, style + _UNDERLINE if number == self._current else style))
            self._places.append((x, x + width_of(word)))
            x += width_of(word)
        parts.append(("", BLANK))
        return strip_of(parts, width)

    def _word(self, number: int) -> str:
        sign = "✔" if number < self._done and number != self._current else str(number + 1)
        return f"{sign} {self._titles[number]}"

    def on_click(self, event: events.Click) -> None:
        for number, (start, end) in enumerate(self._places):
            if start <= event.x < end and number < self._done:
                self.post_message(self.Chosen(number))
