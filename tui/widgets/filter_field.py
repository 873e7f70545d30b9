"""An input line for a filter that takes effect while typing."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from tui.reading import OWN_ENTER


class FilterField(Horizontal):
    """`/ shop`. Enter and the arrows return to the list and keep the filter; Esc removes it."""

    DEFAULT_CSS = """
    FilterField { height: 1; padding: 0 2; }
    FilterField > Static { width: 2; color: $key; }
    FilterField > Input { width: 1fr; height: 1; border: none; padding: 0; background: $background; }
    FilterField > Input:focus { border: none; background-tint: transparent 0%; }
    """
    BINDINGS: ClassVar = [Binding("enter,ctrl+j,down,up,tab", "leave", show=False, priority=True)]

    class Typed(Message):
        """The filter has changed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """The focus should return to the list."""

    def __init__(self, hint: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._hint = hint

    def compose(self) -> ComposeResult:
        yield Static("/ ", markup=False)
        yield Input(placeholder=self._hint, compact=True, classes=OWN_ENTER)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def focus(self, scroll_visible: bool = True) -> FilterField:
        # While this is being mounted there is no field yet; the field takes the focus once it exists.
        for field in self.query(Input):
            field.focus(scroll_visible)
        return self

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self.post_message(self.Typed(message.value))

    def action_leave(self) -> None:
        self.post_message(self.Left())
