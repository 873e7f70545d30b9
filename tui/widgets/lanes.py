"""Certificates on a common time axis, one lane each: its validity, its renewal and its expiry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from textual import events
from textual.message import Message
from textual.strip import Strip

from core.operations import LineageStatus
from tui.glyphs import printable
from tui.widgets.horizon import HORIZON_DAYS, RENEWS, horizon
from tui.widgets.ink import Inked
from tui.widgets.life import joined
from tui.widgets.lines import BLANK, Part, fit, strip_of
from tui.wording.text import MARKS

_NAME = 14


def lane(row: LineageStatus, now: datetime, width: int) -> list[tuple[str, str]]:
    """Return a certificate's next hundred days as (text, role) in `width` cells: validity, `◇` renewal, a mark for expiry."""
    if row.not_after is None:
        return [("╌" * width, "bar-rest")]
    colour = MARKS[row.severity].colour
    end = _column(row.not_after, now, width)
    cells = [("━", colour) if x < end else ("·", "faint") for x in range(width)]
    if end < width:
        cells[max(end, 0)] = (MARKS[row.severity].glyph, colour)
    if row.renew_at is not None and 0 <= (renews := _column(row.renew_at, now, width)) < width and renews != end:
        cells[renews] = (RENEWS, "bar-used")
    return joined(cells)


def _column(moment: datetime, now: datetime, width: int) -> int:
    return int((moment - now) / timedelta(days=HORIZON_DAYS) * width)


class Lanes(Inked):
    """As many lanes as fit, including the selected one."""

    DEFAULT_CSS = """
    Lanes { display: none; }
    """

    class Picked(Message):
        """A lane was clicked."""

        def __init__(self, names: tuple[str, ...]) -> None:
            super().__init__()
            self.names = names

    _rows: Sequence[LineageStatus] = ()
    _chosen = 0
    _now: datetime | None = None

    def show(self, rows: Sequence[LineageStatus], chosen: int, now: datetime) -> None:
        """Set the certificates in list order, and the position of the selected one."""
        self._rows, self._chosen, self._now = rows, chosen, now
        self.refresh()

    def _first(self) -> int:
        """Return the position of the first visible lane."""
        room = max(self.size.height - 1, 1)
        return max(0, min(self._chosen - room // 2, len(self._rows) - room))

    def render_line(self, y: int) -> Strip:
        width, now = self.size.width, self._now
        room = width - _NAME - 2
        if now is None or room < 10:
            return Strip.blank(width)
        if y == 0:
            months: list[Part] = [(cell.sign, self.ink(cell.role)) for cell in horizon((), now, room).months]
            return strip_of([(fit("today", _NAME + 2, right=True)[2:] + "  ", self.ink("text-muted")), *months], width)
        place = self._first() + y - 1
        if place >= len(self._rows):
            return Strip.blank(width)
        row, is_chosen = self._rows[place], place == self._chosen
        style = self.ink.chosen if is_chosen else self.ink
        parts: list[Part] = [(fit(printable(row.name), _NAME), style("foreground", bold=is_chosen))]
        parts.append(("  ", style("foreground") if is_chosen else BLANK))
        parts += [(sign, style(role)) for sign, role in lane(row, now, room)]
        return strip_of(parts, width)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        place = self._first() + offset.y - 1 if offset is not None and offset.y > 0 else -1
        if 0 <= place < len(self._rows):
            self.post_message(self.Picked((self._rows[place].name,)))
