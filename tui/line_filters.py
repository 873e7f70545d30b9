"""The last place before the terminal: every segment of every line passes here, whoever made it."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from core.text import safe
from tui.glyphs import to_ascii


class Safe(LineFilter):
    """Takes out what a terminal would obey, and what would change the order of letters."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment
            if segment.text.isascii() and segment.text.isprintable()
            else Segment(safe(segment.text), segment.style, segment.control)
            for segment in segments
        ]


class Ascii(LineFilter):
    """The same, and ASCII alone: every sign in as many cells as it had."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment
            if segment.text.isascii() and segment.text.isprintable()
            else Segment(to_ascii(safe(segment.text)), segment.style, segment.control)
            for segment in segments
        ]
