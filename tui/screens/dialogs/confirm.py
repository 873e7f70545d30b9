"""A yes-or-no question. The safe answer has the focus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Button, Static

from tui.screens.dialogs.dialog import Dialog, button


class ConfirmDialog(Dialog[bool]):
    """Dismisses with True for yes, and with False or None otherwise. `danger`: yes loses data or breaks something."""

    BINDINGS: ClassVar = [Binding("y", "yes", show=False), Binding("n", "cancel", show=False)]

    def __init__(self, title: str, words: str, *, yes: str = "Yes", no: str = "Cancel", danger: bool = False) -> None:
        super().__init__(classes="-danger" if danger else None)
        self.title_text = title
        self._words, self._yes, self._no, self._danger = words, yes, no, danger

    def parts(self) -> ComposeResult:
        yield Static(self._words, classes="words", markup=False)

    def buttons(self) -> list[Button]:
        return [
            button("no", self._no, safe=self._danger),
            button("yes", self._yes, safe=not self._danger, danger=self._danger),
        ]

    def keys(self) -> Sequence[tuple[str, str]]:
        return (("y", self._yes), ("n", self._no), ("←→", "Choose"), ("enter", self._no if self._danger else self._yes))

    def on_button_pressed(self, message: Button.Pressed) -> None:
        self.dismiss(message.button.id == "yes")

    def action_yes(self) -> None:
        self.dismiss(True)
