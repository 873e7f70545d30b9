"""A labelled input line that shows an error when it loses the focus."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from core.errors import CertdeckError
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import Prose, marked, to_do

Check = Callable[[str], CertdeckError | None]
"""Returns what is wrong with a value, or None."""


class _Line(Input):
    """Accepts the focus only if its field is visible: Textual would also focus a hidden one."""

    def allow_focus(self) -> bool:
        return super().allow_focus() and all(
            each.display for each in self.ancestors_with_self if isinstance(each, Widget)
        )


class Field(Vertical):
    """`Name  ▌value`, and below it a note, or an error and what to do. Its style is in form.tcss."""

    DEFAULT_CSS = """
    Field { height: auto; width: 1fr; }
    Field > Horizontal { height: 1; }
    Field > Horizontal > Static { width: 14; color: $text-muted; }
    Field > Prose { margin-left: 15; }
    """

    class Changed(Message):
        """Something was typed."""

        def __init__(self, field: Field, value: str) -> None:
            super().__init__()
            self.field = field
            self.value = value

        @property
        def control(self) -> Field:
            return self.field

    def __init__(
        self,
        label: str,
        *,
        value: str = "",
        hint: str = "",
        note: str = "",
        check: Check | None = None,
        secret: bool = False,
        id: str | None = None,
    ) -> None:
        """`hint`: seen while the line is empty; worded so that nobody takes it for a value where there is no colour.
        `note`: what it is for, below the line.
        """
        super().__init__(id=id)
        self._label, self._first, self._hint, self._note, self._secret = label, value, hint, note, secret
        self._check = check
        self.error: CertdeckError | None = None

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(self._label, markup=False)
            yield _Line(self._first, placeholder=self._hint, password=self._secret)
        yield Prose()

    def on_mount(self) -> None:
        self.query_one(Prose).say(self._note)

    @property
    def value(self) -> str:
        """The text of the line, without leading and trailing spaces."""
        return self.query_one(Input).value.strip() if self.is_mounted else self._first

    @value.setter
    def value(self, value: str) -> None:
        self.query_one(Input).value = value

    def examine(self) -> bool:
        """Check the value, show any error, and return whether it is valid."""
        self.tell(self._check(self.value) if self._check is not None else None)
        return self.error is None

    @property
    def note(self) -> str:
        """The text below the line while there is no error."""
        return self._note

    @note.setter
    def note(self, note: str) -> None:
        self._note = note
        if self.error is None:
            self.query_one(Prose).say(note)

    def tell(self, error: CertdeckError | None) -> None:
        """Show an error below the line; None shows the note again."""
        self.error = error
        prose = self.query_one(Prose)
        if error is None:
            prose.say(self._note)
        else:
            prose.write(lambda width, ink: wrong(error, width, ink))

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        if self.error is not None and self._check is not None:
            self.examine()
        self.post_message(self.Changed(self, self.value))

    def on_resize(self) -> None:
        """Keep the field in view in which somebody types: a note above it that grows pushes it down."""
        focused = self.screen.focused
        if isinstance(focused, Input):
            focused.scroll_visible(animate=False)

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        if self.value:
            self.examine()


def wrong(error: CertdeckError, width: int, ink: Ink) -> list[Line]:
    """Return a short form of an error: what and why, then what to do."""
    lines = marked("✖", "severity-red", f"{error.what} {error.why}", width, ink)
    return [*lines, *to_do(error.fix, width, ink)]
