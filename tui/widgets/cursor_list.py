"""The base of every scrolling list: rows with a cursor, of which only the visible ones are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView

from tui.widgets.ink import Inked

T = TypeVar("T")


class CursorList(ScrollView, Inked, Generic[T], can_focus=True):
    """A subclass draws its lines, and defines `key_of` and `cursor_moved`."""

    DEFAULT_CSS = """
    CursorList { overflow-x: hidden; }
    """
    BINDINGS: ClassVar = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "edge(0)", show=False),
        Binding("end", "edge(-1)", show=False),
    ]

    def __init__(self, *, head: int = 1, id: str | None = None) -> None:
        """`head`: lines of the heading, which does not scroll."""
        super().__init__(id=id)
        self._head = head
        self._rows: Sequence[T] = ()
        self._cursor = 0

    def key_of(self, row: T) -> str:
        """Return the key that identifies a row when the list changes."""
        raise NotImplementedError

    def cursor_moved(self) -> None:
        """React to the cursor being on another row."""
        raise NotImplementedError

    @property
    def place(self) -> int:
        """The position of the cursor, counted from 0."""
        return self._cursor

    @property
    def line(self) -> int:
        """The line of the widget that has the cursor, counted from 0."""
        return self._cursor + self._head - self.scroll_offset.y

    @property
    def under_cursor(self) -> T | None:
        """The row under the cursor; None if the list is empty."""
        return self._rows[self._cursor] if self._rows else None

    def _replace(self, rows: Sequence[T]) -> None:
        """Set the rows. The cursor stays on its key, or at its position if the key is gone."""
        before, place = self.under_cursor, self._cursor
        self._rows = rows
        if before is not None:
            found = self._place_of(self.key_of(before))
            place = place if found is None else found
        self._cursor = max(min(place, len(rows) - 1), 0)
        self.virtual_size = Size(self.size.width, len(rows) + self._head)

    def _place_of(self, key: str) -> int | None:
        for number, row in enumerate(self._rows):
            if self.key_of(row) == key:
                return number
        return None

    # -- moving ------------------------------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        self._go(self._cursor + step)

    def action_page(self, direction: int) -> None:
        self._go(self._cursor + direction * max(self.size.height - self._head - 1, 1))

    def action_edge(self, place: int) -> None:
        self._go(place % max(len(self._rows), 1))

    def _go(self, place: int) -> None:
        if not self._rows:
            # Keys pressed before the rows have been read are kept: otherwise the next key would act on another row.
            self._cursor = max(place, 0)
            return
        place = max(min(place, len(self._rows) - 1), 0)
        if place == self._cursor:
            return
        before, self._cursor = self._cursor, place
        self._refresh_row(before)
        self._refresh_row(place)
        self._follow()
        self.cursor_moved()

    def _refresh_row(self, number: int) -> None:
        self.refresh(Region(0, number + self._head - self.scroll_offset.y, self.size.width, 1))

    def _follow(self) -> None:
        """Scroll until the row under the cursor is in view, below the heading."""
        self.scroll_to_region(Region(0, self._cursor, 1, 1 + self._head), animate=False, force=True)

    def _clicked(self, event: events.Click) -> int | None:
        """Return the number of the row that was clicked."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y < self._head:
            return None
        place = offset.y + self.scroll_offset.y - self._head
        return place if place < len(self._rows) else None

    def on_resize(self, event: events.Resize) -> None:
        self.virtual_size = Size(event.size.width, len(self._rows) + self._head)
        self._follow()
