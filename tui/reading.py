"""For screen readers and typed text: the place of the selected row, and whether a field has the focus."""

from __future__ import annotations

from typing import Final

from textual.geometry import Offset
from textual.widget import Widget
from textual.widgets import OptionList

from tui.widgets.cursor_list import CursorList

OWN_ENTER: Final = "-own-enter"
"""The class of a field that takes Enter for itself."""


def takes_text(focused: Widget | None) -> bool:
    """Tell whether typed letters go into a field."""
    return focused is not None and bool(focused.check_consume_key("a", "a"))


def place_of(focused: Widget | None) -> Offset | None:
    """Return the place of the selected row, or of the widget with the focus. None: a field, which has its own cursor."""
    if focused is None or takes_text(focused) or not focused.is_attached:
        return None
    top = focused.content_region.offset
    if isinstance(focused, CursorList):
        return Offset(top.x, top.y + focused.line)
    if isinstance(focused, OptionList):
        return Offset(top.x, top.y + (focused.highlighted or 0) - focused.scroll_offset.y)
    return top
