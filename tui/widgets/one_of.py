"""One of a few short words, side by side: `[EC P-256]  EC P-384   RSA 2048`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from tui.glyphs import printable
from tui.widgets.ink import Inked
from tui.widgets.lines import Part, strip_of, width_of


class OneOf(Inked, can_focus=True):
    """A choice made with left and right or a click. The chosen word is in brackets."""

    DEFAULT_CSS = """
    OneOf { height: auto; width: 1fr; }
    """
    BINDINGS: ClassVar = [
        Binding("left", "move(-1)", show=False),
        Binding("right,space", "move(1)", show=False),
    ]

    class Changed(Message):
        """Another option was chosen."""

        def __init__(self, one_of: OneOf, value: str) -> None:
            super().__init__()
            self.one_of = one_of
            self.value = value

        @property
        def control(self) -> OneOf:
            return self.one_of

    def __init__(self, options: Sequence[tuple[str, str]] = (), *, value: str = "", id: str | None = None) -> None:
        """`options`: (value, word)."""
        super().__init__(id=id)
        self._options: Sequence[tuple[str, str]] = ()
        self._at = 0
        self.offer(options, value)

    @property
    def value(self) -> str:
        """The chosen value; empty if there are no options."""
        return self._options[self._at][0] if self._options else ""

    @property
    def values(self) -> tuple[str, ...]:
        """The options."""
        return tuple(value for value, _ in self._options)

    def offer(self, options: Sequence[tuple[str, str]], value: str) -> None:
        """Set the options and the chosen value; the first option if `value` is not among them. Posts no message."""
        self._options = [(each, printable(word)) for each, word in options]
        self._at = next((number for number, (each, _) in enumerate(options) if each == value), 0)
        self.refresh(layout=True)

    def action_move(self, step: int) -> None:
        if len(self._options) > 1:
            self._choose((self._at + step) % len(self._options))

    def on_click(self, event: events.Click) -> None:
        for number, line, start, end in self._places(self.size.width):
            if line == event.y and start <= event.x < end:
                self._choose(number)

    def _choose(self, number: int) -> None:
        if number != self._at:
            self._at = number
            self.refresh()
            self.post_message(self.Changed(self, self.value))

    def _places(self, width: int) -> list[tuple[int, int, int, int]]:
        """Return (number, line, first cell, cell after the last) of each word."""
        places: list[tuple[int, int, int, int]] = []
        x = line = 0
        for number, (_, word) in enumerate(self._options):
            cells = width_of(word) + 2
            if x and x + cells > width:
                x, line = 0, line + 1
            places.append((number, line, x, x + cells))
            x += cells + 1
        return places

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        places = self._places(width)
        return places[-1][1] + 1 if places else 1

    def render_line(self, y: int) -> Strip:
        width, ink = self.size.width, self.ink
        parts: list[Part] = []
        for number, line, _, _ in self._places(width):
            if line != y:
                continue
            word = self._options[number][1]
            if number == self._at:
                style = ink.chosen if self.has_focus else ink
                parts += [(f"[{word}]", style("key", bold=True))]
            else:
                parts += [(f" {word} ", ink("foreground"))]
            parts.append((" ", ink("foreground")))
        return strip_of(parts, width)
