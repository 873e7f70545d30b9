"""A certificate and its chain as text: to read, to copy through the terminal, or to select on the plain screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from core.chain_links import ChainView
from core.errors import CertdeckError
from core.operations import PemView
from tui.actions import bindings, of_scope
from tui.glyphs import printable
from tui.screens.page import Page
from tui.screens.plain import print_plainly
from tui.widgets.chain_lines import chain_lines
from tui.widgets.ink import Ink
from tui.widgets.lines import Line, grouped, wrap
from tui.widgets.sheet import Sheet


class PemScreen(Page[None]):
    """Shows a PemView; it never holds a key."""

    SCOPE = "pem"
    BINDINGS: ClassVar = bindings(of_scope("pem", "page"))
    HELP_TEXT = (
        "The live certificate with its intermediates, as PEM. Above it is the chain: who signed which certificate, when each "
        "ends, and who on this box trusts its last one. c copies the PEM to the clipboard of your terminal, also "
        "through SSH; tmux passes it on only with `set -g set-clipboard on`. p prints it on the plain terminal "
        "instead."
    )

    def __init__(self, view: PemView, *, of_certificate: bool = False) -> None:
        """`of_certificate`: it is the live version of a certificate on this box, so its chain can be shown."""
        super().__init__()
        self._view, self._of_certificate = view, of_certificate
        self._chain: ChainView | None = None
        self.page_title = "PEM"
        self.page_detail = view.name

    def body(self) -> ComposeResult:
        sheet = Sheet(self._write, id="text")
        sheet.border_title = "fullchain"
        yield sheet

    def on_mount(self) -> None:
        super().on_mount()
        if self._of_certificate:
            self.ask(lambda: self.engine.chain(self._view.name), self._followed)

    def _followed(self, answer: ChainView | CertdeckError) -> None:
        if self.is_mounted and isinstance(answer, ChainView):
            self._chain = answer
            self.query_one(Sheet).write(self._write)

    def _write(self, width: int, ink: Ink) -> list[Line]:
        lines: list[Line] = []
        if self._chain is not None:
            lines += [*chain_lines(self._chain, width, ink), []]
        lines += [
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
