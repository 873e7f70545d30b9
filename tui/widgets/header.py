"""The first line of every screen: product, appliance or title, host, and the state of the timer."""

from __future__ import annotations

from textual.strip import Strip

from tui.glyphs import printable
from tui.widgets.ink import Inked
from tui.widgets.lines import BLANK, Part, cut, fit, length, strip_of, width_of


class PageHeader(Inked):
    """`◆ certdeck  Acme Box  box.example.com          timer on · next run 03:00, in 23 h`."""

    DEFAULT_CSS = """
    PageHeader { height: 1; dock: top; background: $header-background; }
    """

    _title = ""
    _detail = ""
    _right = ""
    _right_role = "text-muted"
    _yields = False

    def show(
        self, *, title: str, detail: str = "", right: str = "", role: str = "text-muted", yields: bool = False
    ) -> None:
        """Set the contents.

        Args:
            role: the theme variable for the beginning of `right`, up to its first dot.
            yields: if there is no room for both, the title is cut and `right` stays complete; else the other way round.
        """
        told = (printable(title), printable(detail), printable(right), role, yields)
        if told != (self._title, self._detail, self._right, self._right_role, self._yields):
            self._title, self._detail, self._right, self._right_role, self._yields = told
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width, ink = self.size.width, self.ink
        left: list[Part] = [(" ◆ ", ink("brand")), ("certdeck", ink("brand", bold=True))]
        if self._title:
            left += [("  ", BLANK), (self._title, ink("foreground", bold=True))]
        if self._detail:
            left += [("  ", BLANK), (self._detail, ink("text-muted"))]
        words = self._right
        if self._title and not self._yields and length(left) + width_of(words) + 3 > width:
            # The subject of the page matters more than all but the beginning of the timer text.
            words = _shortened(self._right, width - length(left) - 3)
            if length(left) + width_of(words) + 3 > width:
                left = left[:4]
                words = _shortened(self._right, width - length(left) - 3)
        head, dot, tail = words.partition(" · ")
        right: list[Part] = [(head, ink(self._right_role)), (f"{dot}{tail} ", ink("text-muted"))]
        if length(left) + length(right) + 2 > width:
            # The timer matters most: the names are cut.
            room = max(width - length(right) - 2, 12)
            text = fit(cut(self._title, max(room - 13, 0)), max(room - 13, 0))
            left = [*left[:2], ("  ", BLANK), (text, ink("foreground", bold=True))]
        gap = width - length(left) - length(right)
        return strip_of([*left, (" " * gap, BLANK), *right], width)


def _shortened(words: str, room: int) -> str:
    """Drop parts until the text fits: first from the middle, because the end reports a failure; never the beginning."""
    parts = words.split(" · ")
    while len(parts) > 1 and width_of(" · ".join(parts)) > room:
        del parts[1]
    return " · ".join(parts)
