"""The last filters before the terminal: every segment of every line passes through them."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from core.text import safe
from tui.glyphs import to_ascii


class Safe(LineFilter):
    """Removes control characters, and characters that change the text direction."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment
            if segment.text.isascii() and segment.text.isprintable()
            else Segment(safe(segment.text), segment.style, segment.control)
            for segment in segments
        ]


class Ascii(LineFilter):
    """Like `Safe`, but also converts to ASCII, with the same number of cells for every character."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment
            if segment.text.isascii() and segment.text.isprintable()
            else Segment(to_ascii(safe(segment.text)), segment.style, segment.control)
            for segment in segments
        ]
