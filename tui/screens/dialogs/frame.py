"""The frame of dialogs: a box in the middle with a title, text, and buttons."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button

Result = TypeVar("Result")


class FramedDialog(ModalScreen[Result]):
    """A modal question. `escape` answers None, which every caller takes for "no"."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "refuse", "Back", show=False),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
        Binding("ctrl+j", "press", show=False),
    ]
    CSS_CLASSES: ClassVar[str] = ""
    DEFAULT_CSS = """
    FramedDialog { align: center middle; background: $background 60%; }
    FramedDialog > Vertical {
        width: 72; max-width: 92%; height: auto; max-height: 90%; padding: 1 2;
        background: $surface; border: round $rule-focus; border-title-color: $heading; border-title-style: bold;
    }
    FramedDialog .body { height: auto; max-height: 14; }
    FramedDialog Horizontal { height: 1; margin-top: 1; align-horizontal: right; }
    FramedDialog Button { margin-left: 2; }
    FramedDialog:ansi { background: ansi_default; }
    FramedDialog.-danger > Vertical { border: round $severity-red; border-title-color: $severity-red; }
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(self._title)
            with VerticalScroll(classes="body", can_focus=False):
                yield from self.body()
            with Horizontal():
                yield from self.buttons()

    def body(self) -> ComposeResult:
        """Yield what stands above the buttons."""
        yield from ()

    def buttons(self) -> ComposeResult:
        """Yield the buttons, the safe one first."""
        yield from ()

    def action_refuse(self) -> None:
        self.dismiss(None)

    def action_press(self) -> None:
        if isinstance(self.focused, Button):
            self.focused.press()
