"""The list of certificates. Draws only the visible rows, so ten thousand cost no more than ten."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip

from core.operations import LineageStatus
from tui.widgets.columns import GAP, LIFE, NAME, Look, Place, share_out
from tui.widgets.cursor_list import CursorList
from tui.widgets.ink import Ink
from tui.widgets.life import life_bar
from tui.widgets.lines import BLANK, Part, fit, squeezed, strip_of, width_of
from tui.wording.state import STANDINGS
from tui.wording.text import MARKS


class CertificateTable(CursorList[LineageStatus]):
    """Rows of lineages with a cursor that stays on its lineage when the list changes."""

    BINDINGS: ClassVar = [
        Binding("space", "page(1)", show=False),
        Binding("g", "edge(0)", show=False),
        Binding("G", "edge(-1)", show=False),
    ]

    class Opened(Message):
        """The row under the cursor was clicked."""

    class Sorted(Message):
        """The head of a column was clicked."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, moved: Callable[[], None], *, id: str | None = None) -> None:
        """`moved` is called immediately when the cursor is on another certificate, so that dependent parts are drawn with it."""
        super().__init__(id=id)
        self._moved = moved
        self._look: Look | None = None
        self._columns: tuple[int, tuple[Place, ...]] | None = None
        self._sorting = ("", False)
        self._strips: dict[tuple[int, bool], Strip] = {}
        self._drawn_with: tuple[Ink, int, bool] | None = None

    # -- what is shown -----------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> LineageStatus | None:
        """The lineage under the cursor."""
        return self.under_cursor

    @property
    def rows(self) -> Sequence[LineageStatus]:
        """The listed rows, in order."""
        return self._rows

    def key_of(self, row: LineageStatus) -> str:
        return row.name

    def _place_of(self, key: str) -> int | None:
        # Not by way of `key_of`: the call would be most of the time, with ten thousand.
        return next((number for number, row in enumerate(self._rows) if row.name == key), None)

    def cursor_moved(self) -> None:
        self._moved()

    def show(
        self,
        rows: Sequence[LineageStatus],
        now: datetime,
        *,
        standings: Mapping[str, str],
        sorting: tuple[str, bool] = ("", False),
    ) -> None:
        """Set the rows. The cursor stays on the same name, or on the same position if the name is gone.

        Args:
            standings: the group of each certificate, by its name.
            sorting: the key of the sort column, and whether it is descending; its head shows an arrow.
        """
        self._look, self._sorting = Look(now, standings), sorting
        self._replace(rows)
        self._columns = None
        self._strips.clear()
        self.refresh()
        self._follow()

    def choose(self, name: str) -> bool:
        """Put the cursor on a lineage; return whether it is in the list."""
        place = self._place_of(name)
        if place is None:
            return False
        self._go(place)
        return True

    def on_click(self, event: events.Click) -> None:
        place = self._clicked(event)
        if place is None:
            self._head_clicked(event)
            return
        if place == self._cursor:
            self.post_message(self.Opened())
        self._go(place)

    def _head_clicked(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y != 0:
            return
        x = 4
        for place in self._places(self.scrollable_content_region.width):
            if x <= offset.x < x + place.cells:
                self.post_message(self.Sorted(place.column.key))
            x += place.cells + GAP

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
        if number >= len(self._rows) or self._look is None:
            return Strip.blank(width)
        key = (number, number == self._cursor)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = self._row(self._rows[number], key[1], width, self._look)
        return strip

    def _heading(self, width: int) -> Strip:
        parts: list[Part] = [("    ", BLANK)]
        key, downwards = self._sorting
        for place in self._places(width):
            title, cells = place.column.title, place.cells
            if place.column.key != key:
                parts += [(fit(title, cells, right=place.column.right), self.ink("text-muted")), (" " * GAP, BLANK)]
                continue
            # The arrow may take the gap: in front of a column of numbers, behind another one.
            title, style = f"{title} {'↓' if downwards else '↑'}", self.ink("foreground", bold=True)
            if place.column.right:
                more = min(max(width_of(title) - cells, 0), GAP)
                parts[-1] = (" " * (GAP - more), BLANK)
                parts += [(fit(title, cells + more, right=True), style), (" " * GAP, BLANK)]
            else:
                parts.append((fit(title, cells + GAP), style))
        return strip_of(parts, width)

    def _row(self, row: LineageStatus, chosen: bool, width: int, look: Look) -> Strip:
        ink = self.ink
        style = ink.chosen if chosen else ink
        blank = style("foreground") if chosen else BLANK
        mark = MARKS[STANDINGS[look.word(row)].mark]
        parts: list[Part] = [
            ("▎" if chosen and self.has_focus else " ", style("brand") if chosen else BLANK),
            (f"{mark.glyph} ", style(mark.colour, bold=chosen)),
            (" ", blank),
        ]
        used = 4
        for place in self._places(width):
            if place.column is LIFE:
                parts += [(sign, style(role)) for sign, role in life_bar(row, look.now, place.cells)]
            else:
                cell, role = place.column.cell(row, look)
                if place.column is NAME:
                    cell = squeezed(cell, place.cells)
                text = fit(cell, place.cells, right=place.column.right)
                parts.append((text, style(role, bold=place.column is NAME)))
            parts.append((" " * GAP, blank))
            used += place.cells + GAP
        parts.append((" " * max(width - used, 0), style("foreground")))
        return strip_of(parts, width)

    def _places(self, width: int) -> tuple[Place, ...]:
        if self._columns is None or self._columns[0] != width:
            look, bars = self._look, not self.app.has_class("-linear")
            self._columns = (width, share_out(self._rows, look, width, bars=bars) if look is not None else ())
        return self._columns[1]
