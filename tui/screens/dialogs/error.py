"""What happened, why, and what to do."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, Static

from core.errors import CertdeckError
from tui.glyphs import printable
from tui.screens.dialogs.dialog import Dialog, button


class ErrorDialog(Dialog[None]):
    """An error of the engine in its own words."""

    def __init__(self, error: CertdeckError) -> None:
        super().__init__(classes="-danger")
        self._error = error
        self.title_text = "It did not work"

    def parts(self) -> ComposeResult:
        error = self._error
        yield Static(Content.assemble(("✖ ", "$severity-red"), (printable(error.what), "bold")), classes="words")
        for label, words in (("why", error.why), ("do ", error.fix)):
            yield Static(Content.assemble((f"\n{label}  ", "$text-muted"), printable(words)), classes="words")
        problems = error.details.get("problems")
        if isinstance(problems, list | tuple):
            for problem in problems:
                yield Static(Content.assemble(("· ", "$text-muted"), printable(str(problem))), classes="words")

    def buttons(self) -> list[Button]:
        return [button("close", "Close", safe=True)]

    def on_button_pressed(self, message: Button.Pressed) -> None:
        self.dismiss(None)
