"""A list page with a filter line, used by the log and the fleet."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from tui.screens.list_page import ListPage
from tui.widgets.row_list import RowList

Item = TypeVar("Item")

# With priority: otherwise text typed right after it would be taken for keys of the page.
FILTER_KEYS: tuple[BindingType, ...] = (Binding("slash", "filter", show=False, priority=True),)


class FilteredListPage(ListPage[Item], Generic[Item]):
    """A subclass defines `keeps` (which items match `self.filter`) and `titled` (the text above the list)."""

    FILTER_HINT: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self.filter = ""

    def titled(self) -> str:
        """Return the text above the list, including how many items are shown."""
        raise NotImplementedError

    def fill(self, then: str = "") -> None:
        super().fill(then)
        if self._rows is not None:
            self._rows.border_title = self.titled()

    async def action_filter(self) -> None:
        from tui.widgets.filter_field import FilterField

        if isinstance(self.focused, Input):
            raise SkipAction  # a slash within the typed text
        if not self.query(FilterField):
            await self.mount(FilterField(self.FILTER_HINT, id="filter"), before=self.query_one("#rows"))
        self.set_focus(self.query_one("#filter Input"))

    def on_filter_field_typed(self, message: Message) -> None:
        self._narrow(str(getattr(message, "text", "")))

    def on_filter_field_left(self, message: Message) -> None:
        if not self.filter:
            self.query("#filter").remove()
        self.query_one(RowList).focus()

    def action_back(self) -> None:
        if self.query("#filter"):
            self._narrow("")
            self.query("#filter").remove()
            self.query_one(RowList).focus()
        else:
            super().action_back()

    def _narrow(self, words: str) -> None:
        self.filter = words.strip()
        self.fill(self.row(self.chosen).key if self.chosen is not None else "")
