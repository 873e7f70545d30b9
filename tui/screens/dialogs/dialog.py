"""What every dialog shares: a box in the middle, buttons at its end, Esc for the harmless answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button

from tui.widgets.key_line import KeyLine

T = TypeVar("T")


class Dialog(ModalScreen[T]):
    """A question. A subclass gives `title_text`, `parts`, `buttons` and its `keys`; it answers with `dismiss`."""

    BINDINGS: ClassVar = [
        Binding("escape", "cancel", show=False),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
        Binding("ctrl+j", "press", show=False),
    ]
    AUTO_FOCUS = "Input, Button.-safe"

    title_text = ""

    def parts(self) -> ComposeResult:
        """Yield what stands above the buttons."""
        raise NotImplementedError

    def buttons(self) -> list[Button]:
        """Return the buttons, the safe one with the class `-safe`."""
        raise NotImplementedError

    def keys(self) -> Sequence[tuple[str, str]]:
        """Return its keys, each with what it does, for the last line."""
        return (("tab", "Next"), ("enter", "OK"), ("esc", "Cancel"))

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="box", can_focus=False) as box:
            yield from self.parts()
            buttons = self.buttons()
            if buttons:
                with Horizontal(classes="buttons"):
                    yield from buttons
        box.border_title = self.title_text
        yield KeyLine(self.keys())

    def action_cancel(self) -> None:
        self.dismiss(None)

    def action_press(self) -> None:
        """A serial line sends a line feed where others send Enter."""
        if isinstance(self.focused, Button):
            self.focused.press()


def button(id: str, label: str, *, safe: bool = False, danger: bool = False) -> Button:
    """Return a button of one line. Its label is text of ours, never from outside."""
    made = Button(label, id=id)
    made.set_class(safe, "-safe")
    made.set_class(danger, "-danger")
    return made
