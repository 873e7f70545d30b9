"""A passphrase, typed without being shown."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Button, Input, Static

from tui.screens.dialogs.dialog import Dialog, button, fault


class PassphraseDialog(Dialog[bytes]):
    """Dismisses with the passphrase in UTF-8, or None. `confirm`: a new passphrase, typed twice and not empty."""

    def __init__(self, title: str, words: str, *, confirm: bool = False) -> None:
        super().__init__()
        self.title_text = title
        self._words, self._confirm = words, confirm

    def parts(self) -> ComposeResult:
        yield Static(self._words, classes="words", markup=False)
        yield Input(password=True, placeholder="passphrase", id="first")
        if self._confirm:
            yield Input(password=True, placeholder="once more", id="second")
        yield fault()

    def buttons(self) -> list[Button]:
        return [button("cancel", "Cancel"), button("use", "Use it", safe=True)]

    def on_input_submitted(self, message: Input.Submitted) -> None:
        if self._confirm and message.input.id == "first":
            self.query_one("#second").focus()
        else:
            self._use()

    def on_button_pressed(self, message: Button.Pressed) -> None:
        if message.button.id == "use":
            self._use()
        else:
            self.dismiss(None)

    def _use(self) -> None:
        first = self.query_one("#first", Input).value
        wrong = ""
        if self._confirm and not first:
            wrong = "Enter a passphrase; an empty one protects nothing."
        elif self._confirm and first != self.query_one("#second", Input).value:
            wrong = "The two passphrases differ."
        if wrong:
            self.complain(f"✖ {wrong}")
            self.query_one("#first").focus()
        else:
            self.dismiss(first.encode("utf-8", "replace"))
