"""One line to type a filter into; what is typed takes effect at once."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static


class FilterField(Horizontal):
    """`/ shop`. Enter and the arrows go back to the list, the filter stays; Esc takes it away."""

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
        """The list is wanted again."""

    def __init__(self, hint: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._hint = hint

    def compose(self) -> ComposeResult:
        yield Static("/ ", markup=False)
        yield Input(placeholder=self._hint, compact=True)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def focus(self, scroll_visible: bool = True) -> FilterField:
        # While it is being mounted there is no field yet; it takes the focus as soon as there is.
        for field in self.query(Input):
            field.focus(scroll_visible)
        return self

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self.post_message(self.Typed(message.value))

    def action_leave(self) -> None:
        self.post_message(self.Left())
