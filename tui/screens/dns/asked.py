"""A field of a provider's form. Its help is shown elsewhere, a secret is never shown, and it shows its own errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from core.errors import CertdeckError, UsageError
from core.input_file import read_secret_file
from core.secret_text import NotSecretText, secret_text
from tui.widgets.field import Field
from tui.widgets.prose import Prose, marked
from tui.wording import text

KEPT: Final = "(kept; type to replace)"
"""Bytes of a file; a private key in PEM is a few kilobytes."""


class LineInput(Input):
    """An Input that joins a paste of several lines into one; a plain Input silently keeps only the first line."""

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.replace(" ".join(event.text.split()), *self.selection)


class SecretInput(Input):
    """An Input that shows dots, never copies to the clipboard, and passes a paste of several lines to its field."""

    class Pasted(Message):
        """Several lines were pasted."""

        def __init__(self, content: str) -> None:
            super().__init__()
            self.content = content

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        pasted = event.text.strip("\r\n")
        if len(pasted.splitlines()) > 1:
            self.post_message(self.Pasted(pasted))
        else:
            self.replace(pasted, *self.selection)

    def action_copy(self) -> None:
        """Copy nothing."""

    def action_cut(self) -> None:
        """Delete the selection without copying it."""
        self.delete_selection()


class AskedField(Field):
    """One setting of a provider. `problem` returns what is wrong with the current value, without quoting it, or None."""

    DEFAULT_CSS = """
    AskedField { height: auto; }
    """

    def __init__(
        self,
        key: str,
        label: str,
        *,
        help: str,
        problem: Callable[[str], str | None],
        value: str = "",
        hint: str = "",
        secret: bool = False,
        id: str | None = None,
    ) -> None:
        super().__init__(
            label, value=value, hint=hint, secret=secret, check=lambda typed: self._wrong(problem(key)), id=id
        )
        self.key, self.label, self.help, self.is_secret = key, label, help, secret
        self._value_at_first, self._hint_at_first = value, hint
        self._elsewhere = b""

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(self.label, markup=False)
            if self.is_secret:
                yield SecretInput(placeholder=self._hint_at_first, password=True)
            else:
                yield LineInput(self._value_at_first, placeholder=self._hint_at_first, select_on_focus=False)
        yield Prose()

    @property
    def given(self) -> bytes:
        """The value that was typed, read from a file or pasted; empty if there is none."""
        return self.value.encode() if self.value else self._elsewhere

    def on_secret_input_pasted(self, message: SecretInput.Pasted) -> None:
        message.stop()
        lines = message.content.splitlines()
        self.take("\n".join(lines).encode(), f"a paste of {len(lines)} lines")

    def take(self, content: bytes, name: str) -> None:
        """Use the content of a file or a paste until something is typed. `name`: where the content is from."""
        self._elsewhere = content
        field = self.query_one(Input)
        field.value = ""
        field.placeholder = f"(from {text.printable(name)}; type to replace)"
        self.examine()

    def examine(self) -> bool:
        """Check the value if there is one; a missing value is reported only when the form is saved."""
        if self.given:
            return super().examine()
        self.tell(None)
        return True

    def _wrong(self, problem: str | None) -> CertdeckError | None:
        return None if problem is None else UsageError(problem, "", self.help)

    def tell(self, error: CertdeckError | None) -> None:
        """Show an error below the line, or clear it with None."""
        self.error = error
        if error is None:
            self.query_one(Prose).write(None)
            return
        said = sentence(self.label, error.what)
        self.query_one(Prose).write(lambda width, ink: marked("✖", "severity-red", said, width, ink))

    def indent(self, cells: int) -> None:
        """Set the width of the label, in cells."""
        self.query_one(Static).styles.width = cells
        self.query_one(Prose).styles.margin = (0, 0, 0, cells + 1)


def sentence(label: str, problem: str) -> str:
    """Return `API token: it is missing.`, without naming the field twice."""
    words = problem if problem.lower().startswith(label.lower()) else f"{label}: {problem}"
    return words if words.endswith((".", "?", "!")) else f"{words}."


def content_of(path: str) -> bytes:
    """Return the content of a file without trailing line ends. Raises UsageError, which never quotes the content."""
    content = read_secret_file(Path(path))
    try:
        content, why = secret_text(content).rstrip(b"\r\n"), ""
    except NotSecretText as exc:
        why = str(exc)
    if not why and not content:
        why = "It is empty."
    if why:
        raise UsageError(f"{path} cannot be used.", why, "Choose a file that contains only the secret.")
    return content
