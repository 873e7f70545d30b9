"""A dialog that offers a few options and explains each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import Button, OptionList, Static
from textual.widgets.option_list import Option

from tui.screens.dialogs.dialog import Dialog, button
from tui.widgets.lines import wrap
from tui.widgets.options import Options

_WIDTH: Final = 58
"""Cells of an option."""


def _beside(words: str, wide: int) -> str:
    """Return what an option means, wrapped beside a title of `wide` cells."""
    return f"\n{' ' * wide}".join(wrap(words, max(_WIDTH - wide, 10)))


class ChoiceDialog(Dialog[str]):
    """Dismisses with the key of the chosen option, or None. Enter in the list confirms, except in a dangerous dialog."""

    DEFAULT_CSS = """
    ChoiceDialog OptionList { height: auto; max-height: 10; margin: 1 0 0 0; }
    """
    BINDINGS: ClassVar = [Binding("y", "yes", show=False), Binding("n", "cancel", show=False)]
    AUTO_FOCUS = "OptionList"

    def __init__(
        self, title: str, words: str, options: Sequence[tuple[str, str, str]], *, yes: str, danger: bool = False
    ) -> None:
        """`options`: the key, title and meaning of each option."""
        super().__init__(classes="-danger" if danger else None)
        self.title_text = title
        self._words, self._options, self._yes, self._danger = words, options, yes, danger

    def parts(self) -> ComposeResult:
        yield Static(self._words, classes="words", markup=False)
        wide = max(len(title) for _, title, _ in self._options) + 2
        yield Options(
            *(
                Option(
                    Content.assemble((f"{title:{wide}}", "bold"), (_beside(words, wide), "$text-muted")),
                    id=key,
                )
                for key, title, words in self._options
            ),
            markup=False,
        )

    def keys(self) -> Sequence[tuple[str, str]]:
        return (("↑↓", "Choose"), ("y" if self._danger else "enter", self._yes), ("esc", "Cancel"))

    def buttons(self) -> list[Button]:
        return [button("cancel", "Cancel"), button("yes", self._yes, danger=self._danger)]

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = 0

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        if self._danger:
            self.query_one("#cancel").focus()
        else:
            self.action_yes()

    def action_yes(self) -> None:
        self.query_one("#yes", Button).press()

    def on_button_pressed(self, message: Button.Pressed) -> None:
        number = self.query_one(OptionList).highlighted or 0
        self.dismiss(self._options[number][0] if message.button.id == "yes" else None)
