"""Where a screen reader reads: the place of what is chosen, where the terminal's cursor is put."""

from __future__ import annotations

from textual.geometry import Offset
from textual.widget import Widget
from textual.widgets import Input, OptionList, TextArea

from tui.widgets.cursor_list import CursorList


def place_of(focused: Widget | None) -> Offset | None:
    """Return the place of the chosen row, or of the widget with the focus; None for a field, which has a cursor of its own."""
    if focused is None or isinstance(focused, Input | TextArea) or not focused.is_attached:
        return None
    top = focused.content_region.offset
    if isinstance(focused, CursorList):
        return Offset(top.x, top.y + focused.line)
    if isinstance(focused, OptionList):
        return Offset(top.x, top.y + (focused.highlighted or 0) - focused.scroll_offset.y)
    return top
