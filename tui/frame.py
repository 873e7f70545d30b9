"""Keeps the content of the terminal, cell by cell, so that only changed cells are sent.

Textual sends every cell of a redrawn widget: 5.7 kB for one step of the cursor, which takes six seconds at 9600 baud. Here, an
update is compared with what was sent before. Only changed cells remain, with a color code only where the color changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from msgspec import Struct
from rich.cells import cell_len
from rich.color import Color, ColorSystem, ColorType
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate

_SYSTEMS: Final = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT, "truecolor": ColorSystem.TRUECOLOR}
_RESET: Final = "\x1b[0m"
_FAINT_CHROMA, _DARK, _BRIGHT = 64, 112, 150
"""A mixture with less between its channels, and darker or brighter than these, is a shade of grey to the eye."""
_NEAR: Final = 4
"""Up to this many unchanged cells, sending them costs no more than moving the cursor."""

Cell = tuple[str, str]
"""A character, and the code that sets its colors. The right half of a wide character is an empty text."""


class _Look(Struct, frozen=True):
    """The codes of a style: for a character, and for a space, of which only the background is visible."""

    sign: str
    blank: str


class Frame:
    """The cells of one terminal."""

    def __init__(self) -> None:
        self._rows: list[list[Cell | None]] = []
        self._width = 0
        self._looks: dict[tuple[Style, ColorSystem], _Look] = {}
        self._blanks: dict[str, str] = {"": ""}
        """Codes for spaces, by the code of their style."""

    def forget(self) -> None:
        """Forget the content: another program has written to the terminal."""
        self._rows = []

    def fit(self, width: int, height: int) -> None:
        """Set the size of the terminal. A change makes the content unknown."""
        if (width, height) != (self._width, len(self._rows)):
            self._width = width
            self._rows = [[None] * width for _ in range(height)]

    def changes(self, update: CompositorUpdate, console: Console) -> str | None:
        """Return the text to send for an update. None: an unknown kind of update."""
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
        """Write the cells that have changed."""
        row = self._rows[y]
        del cells[self._width - x :]
        if row[x : x + len(cells)] == cells:
            return
        start = end = -1
        for number, cell in enumerate(cells):
            if row[x + number] == cell:
                continue
            # Send a wide character as a whole.
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
        known = style
        look = self._looks.get((known, system))
        if look is None:
            if system is ColorSystem.EIGHT_BIT:
                style = _greyed(style)
            # The foreground matters if it is visible on a space.
            is_seen = style.reverse or style.underline or style.strike or style.overline
            look = _Look(_code(style, system), _code(style if is_seen else Style(bgcolor=style.bgcolor), system))
            self._looks[known, system] = look
            self._blanks[look.sign] = look.blank
            self._blanks.setdefault(look.blank, look.blank)
        return look


class _Pen:
    """Writes cells, and moves the cursor or changes the color only if necessary."""

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
    """An update that sends only the changes to a frame."""

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
    """Return the shortest code for the change from one style to another."""
    if not after or not before:
        return after or _RESET
    (old, ink, ground), (new, other_ink, other_ground) = _parts(before), _parts(after)
    if old != new:
        return f"\x1b[0;{after[2:]}"
    inks = other_ink or "39" if other_ink != ink else ""
    grounds = other_ground or "49" if other_ground != ground else ""
    # Two codes may mean the same, and a code without numbers would be a reset.
    return f"\x1b[{';'.join(filter(None, (inks, grounds)))}m" if inks or grounds else ""


def _parts(code: str) -> tuple[str, str, str]:
    """Return the attributes, the color and the background that a code sets. Empty: the terminal's default."""
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
    """Return the code that sets a style after a reset. Empty: the terminal's default colors."""
    code = style.render("x", color_system=system).partition("x")[0]
    attributes, ink, ground = _parts(code) if code else ("", "", "")
    numbers = ";".join(filter(None, (attributes.rstrip(";"), ink, ground)))
    return f"\x1b[{numbers}m" if numbers else ""


def _greyed(style: Style) -> Style:
    """Return a style whose faint mixtures are greys: what a dialog dims would be rounded to olive, petrol and navy."""
    greys = Style(color=_grey_of(style.color), bgcolor=_grey_of(style.bgcolor))
    return style + greys if greys else style


def _grey_of(color: Color | None) -> Color | None:
    if color is None or color.type is not ColorType.TRUECOLOR or color.triplet is None:
        return None
    low, high = min(color.triplet), max(color.triplet)
    if not 0 < high - low <= _FAINT_CHROMA or (high >= _DARK and low <= _BRIGHT):
        return None
    rounded = color.downgrade(ColorSystem.EIGHT_BIT)
    if rounded.get_truecolor() == color.triplet:
        return None  # a colour of the theme, not a mixture
    grey = (low + high) // 2
    return Color.from_rgb(grey, grey, grey)


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
