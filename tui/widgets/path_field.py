"""A field for the path of a file, with completion: what could follow is shown, Tab takes as much of it as is certain."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tui.glyphs import printable
from tui.widgets.lines import cut

_SHOWN: Final = 5
_LOOKED_AT: Final = 2000


def completions(typed: str, folder: Path) -> list[str]:
    """Return what `typed` could become, folders with a slash at their end. Reads one folder; never raises.

    `folder`: where a relative path begins. Hidden files come only after a typed dot.
    """
    head, slash, tail = typed.rpartition("/")
    place = Path(os.path.expanduser(head + slash)) if head + slash else folder
    place = place if place.is_absolute() else folder / place
    found = []
    try:
        with os.scandir(place) as entries:
            for number, entry in enumerate(entries):
                if number >= _LOOKED_AT:
                    break
                if entry.name.startswith(tail) and (tail.startswith(".") or not entry.name.startswith(".")):
                    found.append(f"{head}{slash}{entry.name}{'/' if _is_folder(entry) else ''}")
    except OSError:
        return []
    return sorted(found)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


class PathField(Vertical):
    """An input and, below it, what the folder holds."""

    DEFAULT_CSS = """
    PathField { height: auto; }
    PathField > .found { height: 5; padding: 0 2; color: $text-muted; }
    """
    BINDINGS: ClassVar = [Binding("tab", "complete", show=False, priority=True)]

    class Submitted(Message):
        """Enter was pressed."""

    def __init__(self, folder: Path, *, value: str = "", hint: str = "path", id: str | None = None) -> None:
        super().__init__(id=id)
        self._folder, self._value, self._hint = folder, value, hint

    def compose(self) -> ComposeResult:
        yield Input(self._value, placeholder=self._hint, select_on_focus=False)
        yield Static("", classes="found")

    def on_mount(self) -> None:
        self._show()

    @property
    def path(self) -> Path | None:
        """What stands there, absolute; None when nothing does."""
        typed = self.query_one(Input).value.strip()
        if not typed:
            return None
        path = Path(os.path.expanduser(typed))
        return path if path.is_absolute() else self._folder / path

    @property
    def value(self) -> str:
        return self.query_one(Input).value

    @value.setter
    def value(self, typed: str) -> None:
        field = self.query_one(Input)
        field.value = typed
        field.cursor_position = len(typed)

    def focus(self, scroll_visible: bool = True) -> PathField:
        self.query_one(Input).focus(scroll_visible)
        return self

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self._show()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.post_message(self.Submitted())

    def _show(self) -> None:
        found = completions(self.value, self._folder)
        width = max(self.size.width - 4, 20)
        names = [
            cut(printable(each.rstrip("/").rpartition("/")[2] + "/" * each.endswith("/")), width) for each in found
        ]
        if len(names) > _SHOWN:
            names = [*names[: _SHOWN - 1], f"… and {len(found) - _SHOWN + 1:,} more"]
        self.query_one(".found", Static).update(Content("\n".join(names)))

    def action_complete(self) -> None:
        """Take what is certain; when nothing is left to take, go on to the next field."""
        typed = self.value
        found = completions(typed, self._folder)
        certain = os.path.commonprefix(found)
        if len(certain) > len(typed):
            self.value = certain
        else:
            self.screen.focus_next()
