"""Enter the path of a file; Tab completes it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Button, Input, Static

from tui.glyphs import printable
from tui.screens.dialogs.dialog import Dialog, button, fault


class PathDialog(Dialog[Path]):
    """Dismisses with an absolute path, or None. `must_exist`: the file will be read; otherwise it will be written."""

    BINDINGS: ClassVar = [Binding("tab", "complete", show=False, priority=True)]

    def __init__(self, title: str, words: str, *, value: str = "", must_exist: bool = False) -> None:
        super().__init__()
        self.title_text = title
        self._words, self._value, self._must_exist = words, value, must_exist

    def parts(self) -> ComposeResult:
        yield Static(self._words, classes="words", markup=False)
        yield Input(value=self._value, placeholder="/path/to/file", id="path", select_on_focus=False)
        yield fault()

    def keys(self) -> Sequence[tuple[str, str]]:
        return (("tab", "Complete"), ("enter", "Use it"), ("esc", "Cancel"))

    def buttons(self) -> list[Button]:
        return [button("cancel", "Cancel"), button("use", "Use it", safe=True)]

    def action_complete(self) -> None:
        """Complete the path as far as it is unambiguous; if nothing can be completed, move to the next field."""
        field = self.query_one("#path", Input)
        if self.focused is not field:
            self.app.action_focus_next()
            return
        completed = complete(field.value)
        if completed == field.value:
            self.app.action_focus_next()
        else:
            field.value = completed
            field.cursor_position = len(completed)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        self._use()

    def on_button_pressed(self, message: Button.Pressed) -> None:
        if message.button.id == "use":
            self._use()
        else:
            self.dismiss(None)

    def _use(self) -> None:
        typed = self.query_one("#path", Input).value.strip()
        wrong = path_fault(typed, must_exist=self._must_exist)
        if wrong:
            self.complain(f"✖ {wrong}")
        else:
            self.dismiss(absolute(typed))


def absolute(typed: str) -> Path:
    """Return the typed path as an absolute path; `~` is the home directory."""
    return Path(typed).expanduser().absolute()


def path_fault(typed: str, *, must_exist: bool) -> str:
    """Return what is wrong with a path, or an empty string."""
    if not typed or "\0" in typed:
        return "Type the path of a file."
    try:
        path = absolute(typed)
        if path.is_dir():
            return "This is a folder; add a file name."
        if must_exist and not path.exists():
            return "This file does not exist."
        if not must_exist and not path.parent.is_dir():
            return f"The folder {printable(str(path.parent))} does not exist."
    except (OSError, RuntimeError, ValueError):
        return "This path cannot be read."
    return ""


def complete(typed: str) -> str:
    """Return `typed`, completed by the longest common prefix of the matching names in its directory."""
    folder, beginning = os.path.split(typed)
    try:
        place = Path(folder or ".").expanduser()
        found = [entry for entry in place.iterdir() if entry.name.startswith(beginning)]
        if not beginning:
            found = [entry for entry in found if not entry.name.startswith(".")]
        common = os.path.commonprefix([entry.name for entry in found])  # noqa: RUF071 - letters are meant
        is_folder = len(found) == 1 and found[0].is_dir()
    except (OSError, RuntimeError, ValueError):
        return typed
    if not common or not common.isprintable():
        return typed
    return os.path.join(folder, common) + ("/" if is_folder else "")
