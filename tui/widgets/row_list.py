"""Rows with a cursor: a table to act on, or a list to choose one or several from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from msgspec import Struct
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.glyphs import printable
from tui.widgets.ink import Inked
from tui.widgets.lines import Part, fit, length, strip_of, width_of

_GAP = 2
_SIGN = 2
_MARK = 4


class Row(Struct, frozen=True):
    """One line. A cell is its text, or its text and the theme variable for its colour."""

    key: str
    cells: tuple[str | tuple[str, str], ...]
    sign: tuple[str, str] = ("", "text-muted")
    """A state's glyph and its colour, before the cells."""


class Column(Struct, frozen=True):
    title: str
    flexible: bool = False
    """Takes what is left, and gives way first."""
    optional: bool = False
    """Goes where the width does not suffice."""


class RowList(ScrollView, Inked, can_focus=True):
    """Draws the rows that are seen. Without `marking` the cursor is all; with `one` it chooses; with `many` space ticks."""

    DEFAULT_CSS = """
    RowList { overflow-x: hidden; height: 1fr; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "edge(0)", show=False),
        Binding("end", "edge(-1)", show=False),
        Binding("space", "mark", show=False),
    ]

    class Moved(Message):
        """The cursor is on another row."""

        def __init__(self, row_list: RowList, key: str) -> None:
            super().__init__()
            self.row_list = row_list
            self.key = key

        @property
        def control(self) -> RowList:
            return self.row_list

    class Marked(Message):
        """A row was ticked or unticked."""

        def __init__(self, row_list: RowList) -> None:
            super().__init__()
            self.row_list = row_list

        @property
        def control(self) -> RowList:
            return self.row_list

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        marking: Literal["none", "one", "many"] = "none",
        titles: bool = True,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._columns = columns
        self._marking = marking
        self._head = 1 if titles else 0
        self._rows: Sequence[Row] = ()
        self._cursor = 0
        self._marked: set[str] = set()
        self._widths: tuple[int, list[int]] | None = None

    # -- what is shown -----------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> str | None:
        """The key of the row under the cursor."""
        return self._rows[self._cursor].key if self._rows else None

    @property
    def marked(self) -> tuple[str, ...]:
        """The ticked rows, in the order of the list."""
        return tuple(row.key for row in self._rows if row.key in self._marked)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(row.key for row in self._rows)

    def show(self, rows: Sequence[Row]) -> None:
        """Set the rows. The cursor stays on its key, and what was ticked stays ticked."""
        before = self.chosen
        self._rows = rows
        self._cursor = next(
            (number for number, row in enumerate(rows) if row.key == before), min(self._cursor, max(len(rows) - 1, 0))
        )
        self._widths = None
        self.virtual_size = Size(self.size.width, len(rows) + self._head)
        self.refresh(layout=True)
        self._follow()

    def choose(self, key: str) -> None:
        """Put the cursor on a row, where there is one of that key. Tells nobody."""
        for number, row in enumerate(self._rows):
            if row.key == key:
                self._cursor = number
                self._follow()
                self.refresh()

    def mark(self, keys: Sequence[str]) -> None:
        """Tick these rows and no others. Tells nobody."""
        self._marked = set(keys)
        self.refresh()

    # -- moving and ticking ------------------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        self._go(self._cursor + step)

    def action_page(self, direction: int) -> None:
        self._go(self._cursor + direction * max(self.size.height - self._head - 1, 1))

    def action_edge(self, place: int) -> None:
        self._go(place % max(len(self._rows), 1))

    def action_mark(self) -> None:
        key = self.chosen
        if self._marking == "many" and key is not None:
            self._marked ^= {key}
            self.refresh()
            self.post_message(self.Marked(self))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        place = offset.y + self.scroll_offset.y - self._head if offset is not None else -1
        if offset is None or offset.y < self._head or not 0 <= place < len(self._rows):
            return
        self._go(place)
        self.action_mark()

    def _go(self, place: int) -> None:
        place = max(min(place, len(self._rows) - 1), 0)
        if place == self._cursor or not self._rows:
            return
        self._cursor = place
        self._follow()
        self.refresh()
        self.post_message(self.Moved(self, self._rows[place].key))

    def _follow(self) -> None:
        self.scroll_to_region(Region(0, self._cursor, 1, 1 + self._head), animate=False, force=True)

    # -- drawing -----------------------------------------------------------------------------------------------------

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._rows) + self._head

    def on_resize(self, event: events.Resize) -> None:
        self.virtual_size = Size(event.size.width, len(self._rows) + self._head)

    def render_line(self, y: int) -> Strip:
        width, ink = self.scrollable_content_region.width, self.ink
        widths = self._fitted(width)
        if y < self._head:
            titles: list[Part] = [(" " * self._margin, ink("text-muted"))]
            titles += [
                (fit(column.title, cells + _GAP), ink("text-muted"))
                for column, cells in zip(self._columns, widths, strict=True)
                if cells
            ]
            return strip_of(titles, width)
        number = y - self._head + self.scroll_offset.y
        if number >= len(self._rows):
            return Strip.blank(width)
        row, here = self._rows[number], number == self._cursor
        style = ink.chosen if here and self.has_focus else ink
        bold = here and self._marking != "many"
        parts: list[Part] = [
            ("▸ " if here and (self.has_focus or self._marking == "none") else "  ", style("key", bold=True))
        ]
        if self._marking == "one":
            parts.append(("(●) " if here else "( ) ", style("key", bold=True)))
        elif self._marking == "many":
            parts.append(("[✔] " if row.key in self._marked else "[ ] ", style("key", bold=True)))
        if self._has_signs:
            parts.append((fit(row.sign[0], _SIGN), style(row.sign[1], bold=True)))
        for cell, cells in zip(row.cells, widths, strict=True):
            if cells:
                text, role = (cell, "foreground") if isinstance(cell, str) else cell
                parts.append((fit(printable(text), cells) + " " * _GAP, style(role, bold=bold)))
        rest = width - length(parts)
        return strip_of([*parts, (" " * max(rest, 0), style("foreground"))], width)

    @property
    def _has_signs(self) -> bool:
        return any(row.sign[0] for row in self._rows)

    @property
    def _margin(self) -> int:
        return 2 + (_MARK if self._marking != "none" else 0) + (_SIGN if self._has_signs else 0)

    def _fitted(self, width: int) -> list[int]:
        """Return the cells of each column; 0 for one that goes."""
        if self._widths is not None and self._widths[0] == width:
            return self._widths[1]
        widths = [width_of(column.title) if self._head else 1 for column in self._columns]
        for row in self._rows:
            for number, cell in enumerate(row.cells):
                text = cell if isinstance(cell, str) else cell[0]
                widths[number] = max(widths[number], width_of(printable(text)))
        self._widths = (width, _shared_out(self._columns, widths, width - self._margin))
        return self._widths[1]


def _shared_out(columns: Sequence[Column], wanted: list[int], room: int) -> list[int]:
    """Give each column what it wants. Too much: flexible ones shrink to ten cells, then optional ones go, the last first."""
    widths = list(wanted)

    def over() -> int:
        return sum(cells + _GAP for cells in widths if cells) - _GAP - room

    for number, column in enumerate(columns):
        if column.flexible and over() > 0:
            widths[number] = max(widths[number] - over(), min(widths[number], 10))
    for number in reversed(range(len(columns))):
        if columns[number].optional and over() > 0:
            widths[number] = 0
    for number, column in enumerate(columns):
        if column.flexible and over() < 0 and widths[number] < wanted[number]:
            widths[number] = min(wanted[number], widths[number] - over())
    return widths
