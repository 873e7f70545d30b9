"""A dialog for an error: what happened, why, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, Static

from core.errors import CertdeckError
from tui.glyphs import printable
from tui.here import keys_for
from tui.screens.dialogs.dialog import Dialog, button


class ErrorDialog(Dialog[None]):
    """Shows an error of the engine as the engine words it."""

    def __init__(self, error: CertdeckError) -> None:
        super().__init__(classes="-danger")
        self._error = error
        self.title_text = "It failed"

    def parts(self) -> ComposeResult:
        error = self._error
        yield Static(Content.assemble(("✖ ", "$severity-red"), (printable(error.what), "bold")), classes="words")
        keys = keys_for(error.fix)
        for label, words in (("why", error.why), ("do", error.fix), *((("here", keys),) if keys else ())):
            yield Static(Content.assemble((f"\n{label:4} ", "$text-muted"), printable(words)), classes="words")
        problems = error.details.get("problems")
        if isinstance(problems, list | tuple):
            for problem in problems:
                yield Static(Content.assemble(("· ", "$text-muted"), printable(str(problem))), classes="words")

    def buttons(self) -> list[Button]:
        return [button("close", "Close", safe=True)]

    def keys(self) -> Sequence[tuple[str, str]]:
        return (("enter", "Close"),)

    def on_button_pressed(self, message: Button.Pressed) -> None:
        self.dismiss(None)
