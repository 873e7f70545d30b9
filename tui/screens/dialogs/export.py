"""Choose the format and the file for the export of a certificate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.glyphs import printable
from tui.screens.dialogs.dialog import Dialog, button, fault
from tui.screens.dialogs.path import absolute, path_fault
from tui.widgets.options import Options

FORMATS: Final = (
    ("fullchain", "fullchain", ".pem", "certificate and chain, for most services"),
    ("pem", "pem", ".pem", "key, certificate and chain in one file"),
    ("haproxy", "haproxy", ".pem", "the same, in the order for HAProxy"),
    ("pfx", "pfx", ".pfx", "PKCS#12 with the key, for Windows and Java"),
    ("der", "der", ".der", "only the certificate, binary"),
)
"""For each format: its key, its name, the usual suffix, and its contents."""


class ExportChoice(Struct, frozen=True, kw_only=True):
    """The chosen format, file and passphrase."""

    format: str
    out: Path
    passphrase: bytes | None = None
    legacy: bool = False

    def __repr__(self) -> str:
        return f"ExportChoice(format={self.format!r}, out={str(self.out)!r})"


class ExportDialog(Dialog[ExportChoice]):
    """Dismisses with an ExportChoice, or None."""

    DEFAULT_CSS = """
    ExportDialog OptionList { height: 5; border: none; padding: 0; background: $surface; }
    """
    AUTO_FOCUS = "OptionList"

    def __init__(self, name: str, folder: Path | None = None) -> None:
        super().__init__()
        self._name = name
        self._folder = folder or Path.cwd()
        self._suggested = ""
        self._is_odd = False
        """The passphrase has characters that some programs cannot read."""
        self.title_text = f"Export {printable(name)}"

    def parts(self) -> ComposeResult:
        yield Options(*(Option(_shown(name, words), id=key) for key, name, _, words in FORMATS), markup=False)
        for label, field in (
            ("File", Input(placeholder="/path/to/file", id="path", select_on_focus=False)),
            ("Passphrase", Input(password=True, placeholder="protects the PKCS#12 file", id="passphrase")),
            ("Repeat it", Input(password=True, placeholder="the passphrase once more", id="again")),
        ):
            with Horizontal(classes="line"):
                yield Static(label, classes="label", markup=False)
                yield field
        yield fault()

    def keys(self) -> Sequence[tuple[str, str]]:
        return (("↑↓", "Format"), ("tab", "Next field"), ("enter", "Next, then export"), ("esc", "Cancel"))

    def buttons(self) -> list[Button]:
        return [button("cancel", "Cancel"), button("export", "Export", safe=True)]

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = 0

    def on_option_list_option_highlighted(self, message: OptionList.OptionHighlighted) -> None:
        format, _, suffix, _ = FORMATS[message.option_index]
        field = self.query_one("#path", Input)
        if field.value in ("", self._suggested):
            name = f"{self._name}-fullchain" if format == "fullchain" else self._name
            self._suggested = str(self._folder / f"{name}{suffix}")
            field.value = self._suggested
            field.cursor_position = len(self._suggested)
        for id in ("#passphrase", "#again"):
            line = self.query_one(id).parent
            assert isinstance(line, Horizontal)
            line.display = format == "pfx"

    def _first_empty(self) -> Input | None:
        """Return the first shown field that nothing stands in."""
        shown = (
            field for line in self.query(".line").results(Horizontal) if line.display for field in line.query(Input)
        )
        return next((field for field in shown if not field.value), None)

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        # What is typed next is meant for what is still empty: a passphrase must not end in the path.
        (self._first_empty() or self.query_one("#path", Input)).focus()

    def on_input_changed(self, message: Input.Changed) -> None:
        is_odd = message.input.id == "passphrase" and not message.value.isascii()
        if message.input.id == "passphrase" and is_odd != self._is_odd:
            self._is_odd = is_odd
            words = "▲ Java cannot open a file whose passphrase has non-ASCII characters."
            self.complain(words if is_odd else "")

    def on_input_submitted(self, message: Input.Submitted) -> None:
        empty = self._first_empty()
        if empty is not None and empty is not message.input:
            empty.focus()
        else:
            self._use()

    def on_button_pressed(self, message: Button.Pressed) -> None:
        if message.button.id == "export":
            self._use()
        else:
            self.dismiss(None)

    def _use(self) -> None:
        format = FORMATS[self.query_one(OptionList).highlighted or 0][0]
        typed = self.query_one("#path", Input).value.strip()
        passphrase = self.query_one("#passphrase", Input).value
        wrong = path_fault(typed, must_exist=False)
        if not wrong and format == "pfx" and not passphrase:
            wrong = "A PKCS#12 file contains the private key: enter a passphrase."
        if not wrong and format == "pfx" and passphrase != self.query_one("#again", Input).value:
            wrong = "The two passphrases differ."
            self.query_one("#again", Input).focus()
        if wrong:
            self.complain(f"✖ {wrong}")
            return
        self.dismiss(
            ExportChoice(
                format=format, out=absolute(typed), passphrase=passphrase.encode() if format == "pfx" else None
            )
        )


def _shown(name: str, words: str) -> Content:
    return Content.assemble((f"{name:<11}", "bold"), (words, "$text-muted"))
