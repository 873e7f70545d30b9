"""The list of certificates. Draws only the rows that are seen, so ten thousand cost no more than ten."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import ClassVar

from msgspec import Struct
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from core.operations import LineageStatus
from tui import text
from tui.text import MARKS
from tui.widgets.ink import Ink, Inked
from tui.widgets.life import life_bar
from tui.widgets.lines import BLANK, Part, fit, strip_of, width_of

_SAMPLE = 200
"""Rows that are looked at to find the widths of the columns."""
_MARGINS = 6
"""Cells before the first column and behind the last one."""
_LEFT = 5
_LEAST_ISSUER = 9
_MOST_ISSUER = 16
_LEAST_LIFE = 10
_MOST_LIFE = 24


class Columns(Struct, frozen=True):
    """Widths in cells, for one width of the table."""

    name: int
    names: int
    issuer: int
    life: int
    left: int


class CertificateTable(ScrollView, Inked, can_focus=True):
    """Rows of lineages with a cursor that stays on its lineage when the list changes."""

    DEFAULT_CSS = """
    CertificateTable { overflow-x: hidden; }
    """
    BINDINGS: ClassVar = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("home,g", "edge(0)", show=False),
        Binding("end,G", "edge(-1)", show=False),
    ]

    class Opened(Message):
        """Somebody clicked the row that was chosen already."""

    def __init__(self, moved: Callable[[], None], *, id: str | None = None) -> None:
        """`moved` is called when the cursor is on another certificate: at once, so that what follows it is drawn with it."""
        super().__init__(id=id)
        self._moved = moved
        self._rows: Sequence[LineageStatus] = ()
        self._now: datetime | None = None
        self._waiting: Collection[str] = ()
        self._cursor = 0
        self._columns: tuple[int, Columns] | None = None
        self._strips: dict[tuple[int, bool], Strip] = {}
        self._drawn_with: tuple[Ink, int, bool] | None = None

    # -- what is shown -----------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> LineageStatus | None:
        """The lineage under the cursor."""
        return self._rows[self._cursor] if self._rows else None

    def show(self, rows: Sequence[LineageStatus], now: datetime, *, waiting: Collection[str] = ()) -> None:
        """Set the rows. The cursor stays on the same name; where that is gone, on the same place.

        `waiting`: the names of those whose order waits for records that a person sets.
        """
        self._waiting = waiting
        before = self.chosen
        place = self._cursor
        if before is not None:
            place = next((number for number, row in enumerate(rows) if row.name == before.name), place)
        self._rows, self._now = rows, now
        self._cursor = max(min(place, len(rows) - 1), 0)
        self._columns = None
        self._strips.clear()
        self.virtual_size = Size(self.size.width, len(rows) + 1)
        self.refresh()
        self._follow()

    def choose(self, name: str) -> bool:
        """Put the cursor on a lineage; say whether it is in the list."""
        for number, row in enumerate(self._rows):
            if row.name == name:
                self._go(number)
                return True
        return False

    # -- moving ------------------------------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        self._go(self._cursor + step)

    def action_page(self, direction: int) -> None:
        self._go(self._cursor + direction * max(self.size.height - 2, 1))

    def action_edge(self, place: int) -> None:
        self._go(place % max(len(self._rows), 1))

    def _go(self, place: int) -> None:
        place = max(min(place, len(self._rows) - 1), 0)
        if place == self._cursor:
            return
        before, self._cursor = self._cursor, place
        self._refresh_row(before)
        self._refresh_row(place)
        self._follow()
        self._moved()

    def _refresh_row(self, number: int) -> None:
        self.refresh(Region(0, number + 1 - self.scroll_offset.y, self.size.width, 1))

    def _follow(self) -> None:
        """Scroll so far that the row under the cursor is seen. The heading takes the first line."""
        top, height = self.scroll_offset.y, self.size.height - 1
        if height < 1:
            return
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False)
        elif self._cursor >= top + height:
            self.scroll_to(y=self._cursor - height + 1, animate=False)

    def on_resize(self, event: events.Resize) -> None:
        self.virtual_size = Size(self.size.width, len(self._rows) + 1)
        self._follow()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y < 1:
            return
        row = offset.y - 1 + self.scroll_offset.y
        if row >= len(self._rows):
            return
        if row == self._cursor:
            self.post_message(self.Opened())
        self._go(row)

    # -- drawing -----------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        drawn_with = (self.ink, width, self.has_focus)
        if drawn_with != self._drawn_with:
            self._drawn_with = drawn_with
            self._strips.clear()
        if y == 0:
            return self._heading(width)
        number = y - 1 + self.scroll_offset.y
        if number >= len(self._rows) or self._now is None:
            return Strip.blank(width)
        key = (number, number == self._cursor)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = self._row(self._rows[number], key[1], width, self._now)
        return strip

    def _heading(self, width: int) -> Strip:
        columns, muted = self._widths(width), self.ink("text-muted")
        parts: list[Part] = [("    ", BLANK), (fit("Name", columns.name), muted)]
        if columns.names:
            parts += [("  ", BLANK), (fit("Names", columns.names), muted)]
        if columns.issuer:
            parts += [("  ", BLANK), (fit("Issuer", columns.issuer), muted)]
        parts += [
            ("  ", BLANK),
            (fit("Life", columns.life), muted),
            ("  ", BLANK),
            (fit("Left", columns.left, right=True), muted),
        ]
        return strip_of(parts, width)

    def _row(self, row: LineageStatus, chosen: bool, width: int, now: datetime) -> Strip:
        ink, columns = self.ink, self._widths(width)
        style = ink.chosen if chosen else ink
        gap = ("  ", style("foreground") if chosen else BLANK)
        mark = MARKS[text.mark_of(row, row.name in self._waiting)]
        parts: list[Part] = [
            ("▎" if chosen and self.has_focus else " ", style("brand") if chosen else BLANK),
            (f"{mark.glyph} ", style(mark.colour, bold=chosen)),
            (" ", gap[1]),
            (fit(text.printable(row.name), columns.name), style("foreground", bold=True)),
        ]
        if columns.names:
            parts += [gap, (fit(_names(row), columns.names), style("text-muted"))]
        if columns.issuer:
            parts += [gap, (fit(text.issuer_shown(row), columns.issuer), style("text-muted"))]
        parts.append(gap)
        parts += [(sign, style(role)) for sign, role in life_bar(row, now, columns.life)]
        parts += [gap, (fit(text.short_left(row, now), columns.left, right=True), style(_left_colour(row, mark)))]
        rest = width - 4 - columns.name - columns.names - columns.issuer - columns.life - columns.left
        parts.append((" " * rest, style("foreground")))
        return strip_of(parts, width)

    def _widths(self, width: int) -> Columns:
        if self._columns is None or self._columns[0] != width:
            self._columns = (width, _share_out(self._rows[:_SAMPLE], width))
        return self._columns[1]


def _left_colour(row: LineageStatus, mark: text.Mark) -> str:
    """Return the colour of what is left: an order that waits says nothing about the certificate that is live."""
    return MARKS[row.severity].colour if mark is MARKS["waits"] and row.sha256 else mark.colour


def _names(row: LineageStatus) -> str:
    """Return the names, without saying again what the column before says."""
    if row.domains and row.domains[0] == row.name and "xn--" not in row.name:
        return f"+{len(row.domains) - 1}" if len(row.domains) > 1 else ""
    return text.names_shown(row.domains)


def _share_out(rows: Sequence[LineageStatus], width: int) -> Columns:
    """Return widths that fit. The bar takes what is left over, between `_LEAST_LIFE` and `_MOST_LIFE` cells.

    Where there is too little, the issuer gives way first, then the names, then the name; the bar and what is left stay whole.
    """
    name = max([4, *(width_of(text.printable(row.name)) for row in rows)])
    names = max([0, *(width_of(_names(row)) for row in rows)])
    names = max(names, 5) if names else 0
    issuer = min(max([6, *(width_of(text.issuer_shown(row)) for row in rows)]), _MOST_ISSUER)
    gaps = 8 if names else 6
    room = width - _MARGINS - gaps - _LEFT - _LEAST_LIFE
    issuer = min(issuer, max(room - name - names, _LEAST_ISSUER))
    name = min(name, max(room - issuer - names, (room - issuer) // (2 if names else 1)))
    names = max(min(names, room - name - issuer), 0)
    life = min(room + _LEAST_LIFE - name - names - issuer, _MOST_LIFE)
    spare = room + _LEAST_LIFE - name - names - issuer - life
    if names:
        names += spare
    else:
        name += spare
    return Columns(name, names, issuer, life, _LEFT)
