"""The records as lines of a zone file."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from tui.actions import bindings, of_scope
from tui.glyphs import printable
from tui.screens.page import Page
from tui.screens.plain import print_plainly
from tui.widgets.ink import Ink
from tui.widgets.lines import Line, wrap
from tui.widgets.sheet import Sheet


class ZoneFileScreen(Page[None]):
    """The lines to add to a zone, to read and to copy."""

    SCOPE = "pem"
    BINDINGS: ClassVar = bindings(of_scope("pem", "page"))
    HELP_TEXT = (
        "The records in zone file format: fully qualified names, one line each, ready to paste. Increase the zone's "
        "serial number unless your name server does that automatically. c copies the lines to the clipboard of your "
        "terminal; p prints them on the plain terminal, where no line is broken."
    )
    page_title = "Zone file"

    CSS = """
    ZoneFileScreen #text { height: 1fr; margin: 1 0 0 0; padding: 1 2; }
    """

    def __init__(self, name: str, lines: str) -> None:
        super().__init__()
        self.page_detail = printable(name)
        self._text = lines

    def body(self) -> ComposeResult:
        sheet = Sheet(self._write, id="text")
        sheet.border_title = "Lines to add"
        yield sheet

    def _write(self, width: int, ink: Ink) -> list[Line]:
        lines: list[Line] = []
        for line in self._text.splitlines():
            lines += [[(part, ink("foreground"))] for part in wrap(printable(line), width)]
            lines.append([])
        return lines

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self._text)
        self.notify(
            "Sent to your terminal's clipboard (OSC 52). If they do not arrive, p prints them plainly.",
            title="Lines copied",
            markup=False,
        )

    def action_plain(self) -> None:
        print_plainly(self.app, self._text)
