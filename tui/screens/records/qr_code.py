"""A record as a full-screen QR code, to be read with a phone from a console that does not allow copying."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, ClassVar

from msgspec.structs import replace
from rich.style import Style
from textual.app import ComposeResult
from textual.strip import Strip

from core.operations import Record
from tui.actions import Action, Situation, bindings, of_scope
from tui.glyphs import printable
from tui.qr import qr_lines
from tui.screens.page import Page
from tui.widgets.ink import Ink, Inked
from tui.widgets.lines import Line, strip_of, wrap
from tui.widgets.sheet import Sheet

_PAPER = Style(color="black", bgcolor="bright_white")
"""A camera needs dark on light, whatever the theme."""
_INK = Style(color="bright_white", bgcolor="black")
_BLOCK = Style(reverse=True)
"""Solid without colours and without block characters."""
_WORDS_WIDTH = 20
"""Cells that the text needs beside the code; with less room, only the code is shown."""


class QrCode(Inked):
    """The code, in black and white if there are colours, else in the terminal's own colours, which can be swapped."""

    DEFAULT_CSS = """
    QrCode { width: auto; height: auto; }
    """

    def __init__(self, *, plain: bool, colours: bool) -> None:
        super().__init__(id="code")
        self._plain, self._colours = plain, colours
        self._lines: tuple[str, ...] = ()
        self._text = ""
        self.swapped = False

    def show(self, text: str) -> None:
        self._text = text
        self._make()

    def swap(self) -> None:
        """Swap dark and light."""
        self.swapped = not self.swapped
        self._make()

    def _make(self) -> None:
        # Without colours the light modules are drawn, which is correct on a dark terminal.
        light = not self._colours and not self.swapped
        self._lines = qr_lines(self._text, plain=self._plain, light=light)
        self.styles.width, self.styles.height = self.room
        self.refresh()

    @property
    def room(self) -> tuple[int, int]:
        """The columns and rows of the code."""
        return (len(self._lines[0]), len(self._lines)) if self._lines else (0, 0)

    def render_line(self, y: int) -> Strip:
        if y >= len(self._lines):
            return Strip.blank(self.size.width)
        paper, ink = (_INK, _PAPER) if self.swapped else (_PAPER, _INK)
        if not self._colours:
            paper, ink = self.ink("foreground"), _BLOCK
        line = self._lines[y]
        if not self._plain:
            return strip_of([(line, paper)], self.size.width)
        # Spaces with a background are solid, while two # would leave gaps.
        runs = ((is_drawn, len([*signs])) for is_drawn, signs in groupby(line, lambda sign: sign != " "))
        return strip_of([(" " * count, ink if is_drawn else paper) for is_drawn, count in runs], self.size.width)


class QrScreen(Page[int]):
    """Shows one record at a time. Dismisses with the position of the last one shown."""

    SCOPE = "records-qr"
    BINDINGS: ClassVar = [*bindings(of_scope("records-qr", "page")), ("q", "back")]
    HELP_TEXT = (
        "The value of a record as a QR code. Scan it with a phone, and send the text from there to your DNS "
        "provider. If the camera does not recognize it, i swaps dark and light; a larger font helps too."
    )
    AUTO_FOCUS = ""
    page_title = "QR code"

    CSS = """
    QrScreen PageHeader { display: none; }
    QrScreen { layout: horizontal; }
    QrScreen #about, QrScreen #about:focus { width: 1fr; height: 1fr; border: none; padding: 1 1 0 2; }
    QrScreen #code { margin: 0; }
    QrScreen.-too-small #code, QrScreen.-alone #about { display: none; }
    """

    def __init__(self, records: Sequence[Record], place: int) -> None:
        super().__init__()
        self._records, self._place = records, place
        self._shows_name = False

    def body(self) -> ComposeResult:
        terminal = self.deck.terminal
        yield QrCode(plain=terminal.ascii, colours=terminal.colours > 0)
        yield Sheet(id="about")

    def on_mount(self) -> None:
        super().on_mount()
        self._show()

    def actions(self) -> tuple[Action, ...]:
        return tuple(replace(each, key="ctrl+q") if each.id == "quit" else each for each in super().actions())

    def situation(self) -> Situation:
        kind = "several" if len(self._records) > 1 else "one"
        return replace(super().situation(), row=self._records[self._place].name, row_kind=kind)

    def on_resize(self, event: Any) -> None:
        super().on_resize(event)
        self._show()

    def _show(self) -> None:
        record, code = self._records[self._place], self.query_one(QrCode)
        code.show(record.name if self._shows_name else record.value)
        columns, rows = code.room
        width, height = self.app.size
        fits = columns <= width and rows <= height - 1
        self.set_class(not fits, "-too-small")
        self.set_class(fits and columns + _WORDS_WIDTH > width, "-alone")
        needs = "" if fits else f"The code needs {columns} × {rows + 1} characters; this window has {width} × {height}."
        self.query_one("#about", Sheet).write(lambda width, ink: self._about(record, needs, width, ink))
        self.refresh_actions()

    def _about(self, record: Record, needs: str, width: int, ink: Ink) -> list[Line]:
        lines: list[Line] = []

        def say(words: str, role: str = "foreground", *, bold: bool = False) -> None:
            lines.extend([(line, ink(role, bold=bold))] for line in wrap(printable(words), width))

        count = len(self._records)
        say(
            f"{'Name' if self._shows_name else 'Value'}{f' of record {self._place + 1} of {count}' if count > 1 else ''}",
            "frame-title",
            bold=True,
        )
        lines.append([])
        say(record.name, "text-muted" if not self._shows_name else "foreground")
        lines.append([])
        say(record.value, "foreground" if not self._shows_name else "text-muted")
        lines.append([])
        if needs:
            say(needs, "severity-yellow")
            say(
                "Enlarge it or use a smaller font. The text above is the same; esc, then p prints it plainly.",
                "text-muted",
            )
        else:
            say("Scan the code with a phone.", "text-muted")
        return lines

    # -- actions -----------------------------------------------------------------------------------------------------

    def action_next_record(self) -> None:
        self._place = (self._place + 1) % len(self._records)
        self._show()

    def action_name_or_value(self) -> None:
        self._shows_name = not self._shows_name
        self._show()

    def action_invert(self) -> None:
        self.query_one(QrCode).swap()

    def action_back(self) -> None:
        self.dismiss(self._place)
