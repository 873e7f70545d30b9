"""What the terminal shows now, cell by cell, so that only the cells that change are sent to it.

Textual sends every cell of a widget that is drawn again: 5.7 kB for one step of the cursor, six seconds at 9600 baud. Here an
update is compared with what was sent before. What is left are the changed cells, with one colour code where the colour changes
and not around each piece of text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from msgspec import Struct
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate

_SYSTEMS: Final = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT, "truecolor": ColorSystem.TRUECOLOR}
_RESET: Final = "\x1b[0m"
_NEAR: Final = 4
"""So many unchanged cells cost no more than a movement of the cursor over them."""

Cell = tuple[str, str]
"""A character, and the code that sets its colours; the right half of a wide character is an empty text."""


class _Look(Struct, frozen=True):
    """The codes of a style: for a character, and for a blank, of which only the background is seen."""

    sign: str
    blank: str


class Frame:
    """The cells of one terminal."""

    def __init__(self) -> None:
        self._rows: list[list[Cell | None]] = []
        self._width = 0
        self._looks: dict[tuple[Style, ColorSystem], _Look] = {}
        self._blanks: dict[str, str] = {"": ""}
        """By the code of a style: that of its blank."""

    def forget(self) -> None:
        """Take nothing for granted: somebody else has written to the terminal."""
        self._rows = []

    def fit(self, width: int, height: int) -> None:
        """Set the size of the terminal; after a change it may show anything."""
        if (width, height) != (self._width, len(self._rows)):
            self._width = width
            self._rows = [[None] * width for _ in range(height)]

    def changes(self, update: CompositorUpdate, console: Console) -> str | None:
        """Return what has to be sent for an update; None for a kind of update that is not known."""
        system = _SYSTEMS.get(console.color_system or "truecolor", ColorSystem.TRUECOLOR)
        pieces = _pieces(update)
        if pieces is None:
            return None
        pen = _Pen(self._blanks)
        for x, y, segments in pieces:
            if 0 <= y < len(self._rows):
                self._draw(x, y, self._cells(segments, system), pen)
        return pen.written()

    def _draw(self, x: int, y: int, cells: list[Cell], pen: _Pen) -> None:
        """Send the cells that are others than before."""
        row = self._rows[y]
        del cells[self._width - x :]
        if row[x : x + len(cells)] == cells:
            return
        start = end = -1
        for number, cell in enumerate(cells):
            if row[x + number] == cell:
                continue
            # A wide character is sent as a whole.
            first = number - 1 if not cell[0] and number else number
            if start >= 0 and first - end > _NEAR:
                pen.write(x + start, y, cells[start:end])
                start = first
            elif start < 0:
                start = first
            end = number + 1
        pen.write(x + start, y, cells[start:end])
        row[x : x + len(cells)] = cells

    def _cells(self, segments: Iterable[Segment], system: ColorSystem) -> list[Cell]:
        cells: list[Cell] = []
        for text, style, control in segments:
            if control or not text:
                continue
            look = self._look(style, system)
            if text.isspace():
                cells += [(" ", look.blank)] * len(text)
            elif text.isascii():
                cells += [(sign, look.blank if sign == " " else look.sign) for sign in text]
            else:
                for sign in text:
                    width = cell_len(sign)
                    if not width and cells:
                        cells[-1] = (cells[-1][0] + sign, look.sign)
                    elif width:
                        cells.append((sign, look.blank if sign == " " else look.sign))
                        cells += [("", look.sign)] * (width - 1)
        return cells

    def _look(self, style: Style | None, system: ColorSystem) -> _Look:
        if style is None:
            return _Look("", "")
        look = self._looks.get((style, system))
        if look is None:
            # Where the ink itself is seen on a blank, it counts.
            is_seen = style.reverse or style.underline or style.strike or style.overline
            look = _Look(_code(style, system), _code(style if is_seen else Style(bgcolor=style.bgcolor), system))
            self._looks[style, system] = look
            self._blanks[look.sign] = look.blank
            self._blanks.setdefault(look.blank, look.blank)
        return look


class _Pen:
    """Writes cells, and moves and changes its colour only where it has to."""

    def __init__(self, blanks: dict[str, str]) -> None:
        self._out: list[str] = []
        self._code = ""
        self._at: tuple[int, int] | None = None
        self._blanks = blanks

    def write(self, x: int, y: int, cells: list[Cell]) -> None:
        if self._at != (x, y):
            is_ahead = self._at is not None and self._at[1] == y and self._at[0] < x
            self._out.append(f"\x1b[{x - self._at[0]}C" if is_ahead and self._at else f"\x1b[{y + 1};{x + 1}H")
        for sign, code in cells:
            if code != self._code and not (sign == " " and self._blanks.get(self._code) == code):
                self._out.append(_change(self._code, code))
                self._code = code
            self._out.append(sign)
        self._at = (x + len(cells), y)

    def written(self) -> str:
        if self._code:
            self._out.append(_RESET)
        return "".join(self._out)


class Changes(CompositorUpdate):
    """An update that sends only what a frame does not show yet."""

    def __init__(self, update: CompositorUpdate, frame: Frame) -> None:
        self._update, self._frame = update, frame

    def render_segments(self, console: Console) -> str:
        changes = self._frame.changes(self._update, console)
        if changes is None:
            self._frame.forget()
            return self._update.render_segments(console)
        return changes


@lru_cache(maxsize=4096)
def _change(before: str, after: str) -> str:
    """Return the shortest code that leads from one style to another."""
    if not after or not before:
        return after or _RESET
    (old, ink, ground), (new, other_ink, other_ground) = _parts(before), _parts(after)
    if old != new:
        return f"\x1b[0;{after[2:]}"
    inks = other_ink or "39" if other_ink != ink else ""
    grounds = other_ground or "49" if other_ground != ground else ""
    # Two codes may mean the same; without a number it would be a reset.
    return f"\x1b[{';'.join(filter(None, (inks, grounds)))}m" if inks or grounds else ""


def _parts(code: str) -> tuple[str, str, str]:
    """Return the attributes, the colour and the background that a code sets; empty for the terminal's own."""
    rest = code[2:-1].split(";")
    found = {"": "", "3": "", "4": ""}
    while rest:
        number = rest.pop(0)
        kind = {"9": "3", "10": "4"}.get(number[:-1], number[:-1])
        if number in ("38", "48"):
            count = 2 if rest[0] == "5" else 4
            found[kind] = ";".join([number, *rest[:count]])
            del rest[:count]
        elif number in ("39", "49"):
            found[kind] = ""
        elif kind in ("3", "4"):
            found[kind] = number
        else:
            found[""] += f"{number};"
    return found[""], found["3"], found["4"]


def _code(style: Style, system: ColorSystem) -> str:
    """Return the code that sets a style after a reset, empty for the terminal's own colours."""
    code = style.render("x", color_system=system).partition("x")[0]
    attributes, ink, ground = _parts(code) if code else ("", "", "")
    numbers = ";".join(filter(None, (attributes.rstrip(";"), ink, ground)))
    return f"\x1b[{numbers}m" if numbers else ""


def _pieces(update: CompositorUpdate) -> Iterator[tuple[int, int, Iterable[Segment]]] | None:
    if isinstance(update, ChopsUpdate):
        return _of_chops(update)
    if isinstance(update, LayoutUpdate):
        return _of_layout(update)
    return None


def _of_layout(update: LayoutUpdate) -> Iterator[tuple[int, int, Iterable[Segment]]]:
    for y, strips in enumerate(update.strips, update.region.y):
        yield update.region.x, y, [segment for strip in strips for segment in strip]


def _of_chops(update: ChopsUpdate) -> Iterator[tuple[int, int, Iterable[Segment]]]:
    for y, left, right in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x <= right and end > left:
                yield x, y, strip.crop(0, min(end, right) - x)
