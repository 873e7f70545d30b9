"""Static lines that take as much height as they need: explanations, problems, previews."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Size
from textual.strip import Strip

from tui.glyphs import printable
from tui.here import keys_for
from tui.widgets.ink import Ink, Inked
from tui.widgets.lines import Line, strip_of, wrap
from tui.widgets.sheet import Writer


class Prose(Inked):
    """Shows the lines that a writer makes for the current width. Without lines it takes no space."""

    DEFAULT_CSS = """
    Prose { height: auto; width: 1fr; }
    Prose.-empty { display: none; }
    """

    def __init__(self, writer: Writer | None = None, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._writer = writer
        self._made: tuple[int, Ink, Sequence[Line]] | None = None
        self.set_class(writer is None, "-empty")

    def write(self, writer: Writer | None) -> None:
        """Show other lines; None shows nothing."""
        self._writer, self._made = writer, None
        self.set_class(writer is None, "-empty")
        self.refresh(layout=True)

    def say(self, words: str, role: str = "text-muted") -> None:
        """Show one paragraph; an empty text shows nothing."""
        self.write(paragraph(words, role) if words else None)

    def _lines(self, width: int) -> Sequence[Line]:
        ink = self.ink
        if self._made is None or self._made[0] != width or self._made[1] is not ink:
            self._made = (width, ink, self._writer(width, ink) if self._writer and width > 0 else ())
        return self._made[2]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        lines = self._lines(width)
        return strip_of(lines[y], width) if y < len(lines) else Strip.blank(width)


def paragraph(words: str, role: str = "text-muted") -> Writer:
    """Return the writer of one wrapped text."""

    def write(width: int, ink: Ink) -> list[Line]:
        return [[(line, ink(role))] for line in wrap(printable(words, lines=True), width)]

    return write


def marked(
    sign: str, role: str, words: str, width: int, ink: Ink, *, bold: bool = False, of: str = "foreground"
) -> list[Line]:
    """Return wrapped words with a sign before the first line and the other lines indented."""
    lines = wrap(printable(words), width - 2)
    return [
        [(f"{sign} " if not number else "  ", ink(role, bold=True)), (line, ink(of, bold=bold))]
        for number, line in enumerate(lines)
    ]


def to_do(words: str, width: int, ink: Ink, *, of: str = "foreground") -> list[Line]:
    """Return what to do and, if it names commands, the console keys that do the same."""
    return [*marked("→", "key", words, width, ink, of=of), *here(words, width, ink)]


def here(words: str, width: int, ink: Ink) -> list[Line]:
    """Return the keys that do the same as the commands in `words`; empty if it names none."""
    keys = keys_for(words, elsewhere=True)
    if not keys:
        return []
    head: Line = [("  here ", ink("text-muted"))]
    return [
        [*(head if not number else [("       ", ink("text-muted"))]), (line, ink("key"))]
        for number, line in enumerate(wrap(keys, width - 7))
    ]


def facts(rows: Sequence[tuple[str, str]], width: int, ink: Ink, *, label: int = 12) -> list[Line]:
    """Return labels in one column and wrapped values in another; rows without a value are left out."""
    lines: list[Line] = []
    for name, value in rows:
        if not value:
            continue
        for number, line in enumerate(wrap(printable(value, lines=True), width - label)):
            lines.append([(f"{name if not number else '':{label}}", ink("text-muted")), (line, ink("foreground"))])
    return lines
