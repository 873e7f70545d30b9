"""A certificate and its chain as text: to look at, to copy through the terminal, or to select on the bare screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from core.operations import PemView
from tui.actions import bindings, of_scope
from tui.glyphs import printable
from tui.screens.page import Page
from tui.screens.plain import print_plainly
from tui.widgets.ink import Ink
from tui.widgets.lines import Line, grouped, wrap
from tui.widgets.sheet import Sheet


class PemScreen(Page[None]):
    """Shows a PemView; it never holds a key."""

    SCOPE = "pem"
    BINDINGS: ClassVar = bindings(of_scope("pem", "page"))
    HELP_TEXT = (
        "The live certificate with its intermediates, as PEM. c copies it to the clipboard of your terminal, also "
        "through SSH; tmux passes it on only with `set -g set-clipboard on`. p prints it on the plain terminal "
        "instead."
    )

    def __init__(self, view: PemView) -> None:
        super().__init__()
        self._view = view
        self.page_title = "PEM"
        self.page_detail = view.name

    def body(self) -> ComposeResult:
        sheet = Sheet(self._write, id="text")
        sheet.border_title = "fullchain"
        yield sheet

    def _write(self, width: int, ink: Ink) -> list[Line]:
        lines: list[Line] = [
            [("SHA-256  " if number == 0 else "         ", ink("text-muted")), (line, ink("foreground"))]
            for number, line in enumerate(grouped(self._view.sha256, 16, width - 9))
        ]
        lines.append([])
        for line in self._view.fullchain.splitlines():
            role = "text-muted" if line.startswith("-----") else "foreground"
            lines += [[(part, ink(role))] for part in wrap(printable(line), width)]
        return lines

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self._view.fullchain)
        self.notify(
            "Sent to your terminal's clipboard (OSC 52). If it does not arrive, p prints it plainly.",
            title="Copied",
            markup=False,
        )

    def action_plain(self) -> None:
        print_plainly(self.app, self._view.fullchain)
