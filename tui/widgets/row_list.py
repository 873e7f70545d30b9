"""Rows with a cursor: a table to act on, or a list to choose one or several from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from msgspec import Struct
from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from tui.glyphs import printable
from tui.widgets.cursor_list import CursorList
from tui.widgets.lines import Part, fit, length, squeezed, strip_of, width_of

_GAP = 2
_SIGN = 2
_MARK = 4
_LEAST = 10


class Row(Struct, frozen=True):
    """One line. A cell is its text, or its text and the theme variable for its colour."""

    key: str
    cells: tuple[str | tuple[str, str], ...]
    sign: tuple[str, str] = ("", "text-muted")
    """A state's glyph and its colour, before the cells."""


class Column(Struct, frozen=True):
    title: str
    flexible: bool = False
    """Takes the remaining width, and shrinks first."""
    least: int = _LEAST
    """Cells that a flexible column keeps while an optional column can still be hidden."""
    optional: bool = False
    """Goes where the width does not suffice."""
    squeezes: bool = False
    """Is shortened in its middle: a name is known by its beginning and its domain. It keeps its least."""


class RowList(CursorList[Row]):
    """Without `marking` there is only the cursor; with `one` it chooses a row; with `many` space ticks rows."""

    DEFAULT_CSS = """
    RowList { height: 1fr; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar = [Binding("space", "mark", show=False)]

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
        super().__init__(head=1 if titles else 0, id=id)
        self._columns = columns
        self._marking = marking
        self._marked: set[str] = set()
        self._widths: tuple[int, list[int]] | None = None

    # -- what is shown -----------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> str | None:
        """The key of the row under the cursor."""
        row = self.under_cursor
        return row.key if row is not None else None

    def key_of(self, row: Row) -> str:
        return row.key

    @property
    def marked(self) -> tuple[str, ...]:
        """The ticked rows, in the order of the list."""
        return tuple(row.key for row in self._rows if row.key in self._marked)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(row.key for row in self._rows)

    def show(self, rows: Sequence[Row]) -> None:
        """Set the rows. The cursor stays on its key, and ticked rows stay ticked."""
        self._replace(rows)
        self._widths = None
        self.refresh(layout=True)
        self._follow()

    def choose(self, key: str) -> None:
        """Put the cursor on the row with that key, if there is one. Posts no message."""
        place = self._place_of(key)
        if place is not None:
            self._cursor = place
            self._follow()
            self.refresh()

    def mark(self, keys: Sequence[str]) -> None:
        """Tick these rows and no others. Posts no message."""
        self._marked = set(keys)
        self.refresh()

    # -- moving and ticking ------------------------------------------------------------------------------------------

    def cursor_moved(self) -> None:
        self.post_message(self.Moved(self, self._rows[self._cursor].key))

    def action_mark(self) -> None:
        key = self.chosen
        if self._marking == "many" and key is not None:
            self._marked ^= {key}
            self.refresh()
            self.post_message(self.Marked(self))

    def on_click(self, event: events.Click) -> None:
        place = self._clicked(event)
        if place is not None:
            self._go(place)
            self.action_mark()

    # -- drawing -----------------------------------------------------------------------------------------------------

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._rows) + self._head

    def render_line(self, y: int) -> Strip:
        width, ink = self.scrollable_content_region.width, self.ink
        widths = self._fitted(width)
        if y < self._head:
            if not self._rows:
                return Strip.blank(width)  # column titles over an empty list confuse
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
        for column, cell, cells in zip(self._columns, row.cells, widths, strict=True):
            if cells:
                text, role = (cell, "foreground") if isinstance(cell, str) else cell
                text = squeezed(printable(text), cells) if column.squeezes else printable(text)
                parts.append((fit(text, cells) + " " * _GAP, style(role, bold=bold)))
        rest = width - length(parts)
        return strip_of([*parts, (" " * max(rest, 0), style("foreground"))], width)

    @property
    def _has_signs(self) -> bool:
        return any(row.sign[0] for row in self._rows)

    @property
    def _margin(self) -> int:
        return 2 + (_MARK if self._marking != "none" else 0) + (_SIGN if self._has_signs else 0)

    def _fitted(self, width: int) -> list[int]:
        """Return the width of each column in cells; 0 for a hidden one."""
        if self._widths is not None and self._widths[0] == width:
            return self._widths[1]
        widths = [width_of(column.title) if self._head else 1 for column in self._columns]
        for row in self._rows:
            for number, cell in enumerate(row.cells):
                text = cell if isinstance(cell, str) else cell[0]
                widths[number] = max(widths[number], width_of(printable(text)))
        # Keep one cell free before the scroll bar.
        room = width - self._margin - (1 if self.show_vertical_scrollbar else 0)
        self._widths = (width, _shared_out(self._columns, widths, room))
        return self._widths[1]


def _shared_out(columns: Sequence[Column], wanted: list[int], room: int) -> list[int]:
    """Give each column its width.

    If too wide, flexible ones shrink to their minimum, the widest first, then optional ones go, last first.
    """
    widths = list(wanted)

    def over() -> int:
        return sum(cells + _GAP for cells in widths if cells) - _GAP - room

    def shrink(to: int | None = None) -> None:
        # The widest first: one long name must not take the place of everything else.
        leasts = [column.least if to is None or column.squeezes else to for column in columns]
        while over() > 0:
            more = [n for n, column in enumerate(columns) if column.flexible and widths[n] > leasts[n]]
            if not more:
                return
            widths[max(more, key=widths.__getitem__)] -= 1

    shrink()
    for number in reversed(range(len(columns))):
        if columns[number].optional and over() > 0:
            widths[number] = 0
    shrink(_LEAST)
    for number, column in enumerate(columns):
        if column.flexible and over() < 0 and widths[number] < wanted[number]:
            widths[number] = min(wanted[number], widths[number] - over())
    return widths
