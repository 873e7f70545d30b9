"""The base of every dialog: a centred box with buttons at the bottom; Esc gives the harmless answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.drawing import DrawnOnce
from tui.widgets.key_line import KeyLine

T = TypeVar("T")


class Dialog(DrawnOnce[T], ModalScreen[T]):
    """A question. A subclass provides `title_text`, `parts`, `buttons` and `keys`; it returns its answer with `dismiss`."""

    BINDINGS: ClassVar = [
        Binding("escape", "cancel", show=False),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
        Binding("ctrl+j", "press", show=False),
    ]
    AUTO_FOCUS = "Input, Button.-safe"

    title_text = ""

    def parts(self) -> ComposeResult:
        """Yield the widgets above the buttons."""
        raise NotImplementedError

    def buttons(self) -> list[Button]:
        """Return the buttons, the safe one with the class `-safe`."""
        raise NotImplementedError

    def keys(self) -> Sequence[tuple[str, str]]:
        """Return the keys for the last line, as (key, what it does). They may depend on the focus."""
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

    def on_descendant_focus(self) -> None:
        self.query_one(KeyLine).say(self.keys())

    def complain(self, words: str) -> None:
        """Say above the buttons what is wrong; nothing for no words."""
        fault = self.query_one(".fault", Static)
        fault.update(words)
        fault.set_class(bool(words), "-told")

    def action_cancel(self) -> None:
        self.dismiss(None)

    def action_press(self) -> None:
        """Press the focused button: a serial line sends a line feed instead of Enter."""
        if isinstance(self.focused, Button):
            self.focused.press()


def fault() -> Static:
    """Return the line of a dialog that says what is wrong; it takes no place before there is something to say."""
    return Static("", classes="fault", markup=False)


def button(id: str, label: str, *, safe: bool = False, danger: bool = False) -> Button:
    """Return a one-line button. The label must be the program's own text, never outside input."""
    made = Button(label, id=id)
    made.set_class(safe, "-safe")
    made.set_class(danger, "-danger")
    return made
