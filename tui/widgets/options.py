"""Options to choose from, whose chosen one is seen without colours as well."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widgets import OptionList


class Options(OptionList):
    """Textual draws no option in reverse, whatever its style sheet says: with sixteen colours or none nothing would be lit."""

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        if not self.app.native_ansi_color or self.highlighted is None:
            return strip
        if not any(style is not None and style.meta.get("option") == self.highlighted for _, style, _ in strip):
            return strip
        # In one colour, as any other chosen row: of several it would be a flag. What a click looks for stays.
        plain = [
            Segment(
                text, Style(reverse=True, bold=style.bold, meta=style.meta) if style else Style(reverse=True), control
            )
            for text, style, control in strip
        ]
        return Strip(plain)
