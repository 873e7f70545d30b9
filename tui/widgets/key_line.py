"""The last line of a dialog with its keys, like the footer of a page; the page's own keys are disabled while it is open."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip

from tui.widgets.ink import Inked
from tui.widgets.lines import BLANK, Part, strip_of


class KeyLine(Inked):
    """`y Delete  n Cancel  esc Cancel`."""

    DEFAULT_CSS = """
    KeyLine { height: 1; dock: bottom; background: $header-background; }
    """

    def __init__(self, keys: Sequence[tuple[str, str]]) -> None:
        """`keys`: (key, what it does)."""
        super().__init__()
        self._keys = keys

    def say(self, keys: Sequence[tuple[str, str]]) -> None:
        """Show other keys."""
        if tuple(keys) != tuple(self._keys):
            self._keys = keys
            self.refresh()

    def render_line(self, y: int) -> Strip:
        ink = self.ink
        parts: list[Part] = []
        for key, words in self._keys:
            parts += [(" ", BLANK), (key, ink("key", bold=True)), (f" {words} ", ink("footer-text"))]
        return strip_of(parts, self.size.width)
