"""The input box: a line for a path, and above it what was provided. Takes a paste of any size and never shows its content."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from tui.glyphs import printable
from tui.screens.dialogs.path import absolute, complete, path_fault
from tui.screens.upload.given import Piece, is_material, is_open, pasted, paths_in
from tui.widgets.field import Field
from tui.widgets.ink import Ink
from tui.widgets.lines import BLANK, Line, cut, width_of
from tui.widgets.prose import Prose, marked

_QUIET_SECONDS: Final = 0.25
"""A paste that arrives as keys has ended when no key came for this long."""
_MOST_LINES: Final = 6
HINT: Final = "paste everything here, or type a path · ^o finds a file"


class Pasted(Message):
    """Something other than a line of text was pasted."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class PathLine(Input):
    """Accepts a typed path. Anything else goes to the box unseen, even if the terminal sends a paste as keys."""

    BINDINGS: ClassVar = [
        Binding("tab", "complete", show=False),
        Binding("ctrl+j", "submit", show=False),
    ]

    class Emptier(Message):
        """Backspace was pressed in an empty line."""

    def __init__(self) -> None:
        super().__init__(placeholder=HINT, compact=True, select_on_focus=False, id="path")
        self._hidden: list[str] = []
        """The keys of the current paste; they are not passed on."""
        self._seen = 0
        self._waiting: Timer | None = None

    # -- a paste as one event ------------------------------------------------------------------------------------------

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        if self._hidden:
            self._hidden.append(event.text)
            return
        paths = paths_in(event.text)
        if len(paths) == 1 and not self.value:
            self.value = paths[0]
            self.cursor_position = len(self.value)
        else:
            self.post_message(Pasted(event.text))

    def action_paste(self) -> None:
        """Ignore Textual's own clipboard: it holds one line from this console."""

    # -- a paste as keys -----------------------------------------------------------------------------------------------

    async def _on_key(self, event: events.Key) -> None:
        if self._hidden:
            self._hide(event)
            return
        if event.is_printable and event.character:
            before, after = self.value[: self.cursor_position], self.value[self.cursor_position :]
            line = f"{before}{event.character}{after}"
            if is_material(line):
                event.stop()
                event.prevent_default()
                self._hidden.append(line)
                self.value = ""
                self._seen = 0
                self._waiting = self.set_interval(_QUIET_SECONDS, self._look)

    def _hide(self, event: events.Key) -> None:
        if event.key in ("enter", "ctrl+j"):
            self._hidden.append("\n")
        elif event.key == "tab":
            self._hidden.append("\t")
        elif event.is_printable and event.character:
            self._hidden.append(event.character)
        elif event.key == "backspace":
            self._end_hiding()
        else:
            return
        event.stop()
        event.prevent_default()

    def _look(self) -> None:
        """Pass on the paste once no more arrives and its last block is complete."""
        if len(self._hidden) != self._seen:
            self._seen = len(self._hidden)
            # A serial line needs half a minute for 300 kB: the user must see that data arrives.
            self.placeholder = f"receiving a paste: {self._seen:,} characters so far"
            return
        text = "".join(self._hidden)
        if not is_open(text):
            self._end_hiding()
            self.post_message(Pasted(text))

    def _end_hiding(self) -> None:
        self._hidden.clear()
        self.placeholder = HINT
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None

    # -- keys ----------------------------------------------------------------------------------------------------------

    def action_delete_left(self) -> None:
        if self.value:
            super().action_delete_left()
        else:
            self.post_message(self.Emptier())

    def action_complete(self) -> None:
        """Complete the path as far as it is unambiguous; if nothing can be completed, move to the next field."""
        completed = complete(self.value) if self.value else ""
        if completed == self.value:
            self.app.action_focus_next()
        else:
            self.value = completed
            self.cursor_position = len(completed)

    async def action_submit(self) -> None:
        self.post_message(self.Submitted(self, self.value))


class NameLine(Input):
    """A line for a name. A key pasted here by mistake goes to the box instead."""

    def _on_paste(self, event: events.Paste) -> None:
        if len(event.text.splitlines()) > 1 or is_material(event.text):
            event.stop()
            event.prevent_default()
            self.post_message(Pasted(event.text))


class NameField(Field):
    """A labelled name line."""

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(self._label, markup=False)
            yield NameLine(self._first, placeholder=self._hint)
        yield Prose()


class UploadBox(Vertical):
    """What was provided, and the line to add more."""

    class Changed(Message):
        """Something was added or removed, or a path is being typed."""

        def __init__(self, *, typing: bool) -> None:
            super().__init__()
            self.typing = typing

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="panel")
        self._pieces: list[Piece] = []

    def compose(self) -> ComposeResult:
        yield Prose(id="pieces")
        yield PathLine()
        yield Prose(id="path-fault")

    def on_mount(self) -> None:
        self.border_title = "Certificate, chain and key"

    # -- what is in it ---------------------------------------------------------------------------------------------------

    @property
    def typed(self) -> str:
        """The path in the line."""
        return self.query_one(PathLine).value.strip()

    def pieces(self) -> tuple[Piece, ...]:
        """Return everything provided, including a file whose path is in the line."""
        typed = self.typed
        if not typed or path_fault(typed, must_exist=True):
            return tuple(self._pieces)
        path = absolute(typed)
        if any(piece.path == path for piece in self._pieces):
            return tuple(self._pieces)
        return (*self._pieces, Piece(label=typed, path=path))

    @property
    def fault(self) -> str:
        """Why the text in the line is not accepted; empty if it is accepted or there is none."""
        return path_fault(self.typed, must_exist=True) if self.typed else ""

    @property
    def is_empty(self) -> bool:
        return not self._pieces and not self.typed

    def add_text(self, text: str) -> None:
        """Add a paste: either paths, or a piece of its own."""
        paths = paths_in(text)
        if paths and not any(path_fault(path, must_exist=True) for path in paths):
            for path in paths:
                self.add_path(path)
        elif text.strip():
            self._pieces.append(pasted(text, sum(piece.path is None for piece in self._pieces)))
            self._tell()

    def add_path(self, typed: str) -> None:
        """Add a file, unless it is already there."""
        path = absolute(typed)
        if all(piece.path != path for piece in self._pieces):
            self._pieces.append(Piece(label=typed, path=path))
        self._tell()

    def _tell(self) -> None:
        pieces = tuple(self._pieces)
        self.query_one("#pieces", Prose).write((lambda width, ink: _lines(pieces, width, ink)) if pieces else None)
        self.query_one(PathLine).placeholder = (
            HINT if not pieces else "more: paste, or a path · backspace removes the last"
        )
        self.query_one("#path-fault", Prose).write(None)
        self.post_message(self.Changed(typing=False))

    # -- news from the line ------------------------------------------------------------------------------------------------

    def on_pasted(self, message: Pasted) -> None:
        message.stop()
        self.add_text(message.text)

    def on_path_line_emptier(self, message: PathLine.Emptier) -> None:
        message.stop()
        if self._pieces:
            self._pieces.pop()
            self._tell()

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self.query_one("#path-fault", Prose).write(None)
        self.post_message(self.Changed(typing=True))

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        typed = self.typed
        if not typed:
            return
        fault = path_fault(typed, must_exist=True)
        if fault:
            self.query_one("#path-fault", Prose).write(
                lambda width, ink: marked("✖", "severity-red", fault, width, ink)
            )
            return
        with self.prevent(Input.Changed):
            self.query_one(PathLine).value = ""
        self.add_path(typed)


def _lines(pieces: tuple[Piece, ...], width: int, ink: Ink) -> list[Line]:
    """Return a description of each piece; only the last lines if there are too many."""
    lines: list[Line] = []
    for piece in pieces:
        label = cut(printable(piece.label), width - 2)
        room = width - width_of(label) - 4
        wrapped = _joined(piece.words, room) if piece.words else [""]
        for number, words in enumerate(wrapped):
            head = (
                [("· ", ink("key", bold=True)), (label, ink("foreground"))]
                if not number
                else [(" " * (width - room - 2), BLANK)]
            )
            lines.append([*head, ("  ", BLANK), (cut(words, room), ink("text-muted"))])
    if len(lines) > _MOST_LINES:
        more = len(lines) - _MOST_LINES + 1
        lines = [[(f"  and {more} more above", ink("text-muted"))], *lines[more:]]
    return lines


def _joined(words: tuple[str, ...], width: int) -> list[str]:
    """Return the words as lines, broken only between words."""
    lines = [""]
    for each in words:
        joined = f"{lines[-1]} · {each}" if lines[-1] else each
        if lines[-1] and width_of(joined) > width:
            lines.append(each)
        else:
            lines[-1] = joined
    return lines
