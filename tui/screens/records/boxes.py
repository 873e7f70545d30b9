"""One box for each record: name, type, full value, where to write it, and how many servers have it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import chop_cells
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from core.operations import Record, RecordView
from tui.glyphs import printable
from tui.widgets.ink import Ink, Inked
from tui.widgets.lines import BLANK, Line, Part, cut, length, strip_of, width_of
from tui.wording.text import MARKS

_LABEL = 7
"""Cells of `Name`, `Value`, with the gap."""
_FRAME = 4
_NO_FRAME = str.maketrans("│─╭╮╰╯", "      ")
"""For a screen reader, which would read a frame aloud."""
_LEADS_THERE = "  the name is a CNAME to it"
_SHARED = " this name must have both values "
_SHARED_BY_MANY = " this name must have all values "


class RecordBoxes(ScrollView, Inked, can_focus=True):
    """The boxes, one below the other. The record under the cursor is the one that is copied."""

    DEFAULT_CSS = """
    RecordBoxes { overflow-x: hidden; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("home,g", "edge(0)", show=False),
        Binding("end,G", "edge(-1)", show=False),
    ]

    def __init__(self, moved: Callable[[], None], *, id: str | None = None) -> None:
        """`moved` is called immediately when the cursor is on another record."""
        super().__init__(id=id)
        self._moved = moved
        self._records: Sequence[Record] = ()
        self._views: Sequence[RecordView] = ()
        self._cursor = 0
        self._made: tuple[int, Ink, bool, int, Sequence[RecordView]] | None = None
        self._lines: list[Line] = []
        self._tops: list[int] = []

    # -- what is shown -----------------------------------------------------------------------------------------------

    @property
    def place(self) -> int:
        """The position of the record under the cursor, counted from 0."""
        return self._cursor

    def show(self, records: Sequence[Record], views: Sequence[RecordView]) -> None:
        """Set the records and their state at the name servers; the cursor keeps its position."""
        if (records, views) == (self._records, self._views):
            return
        self._records, self._views = records, views
        self._cursor = max(min(self._cursor, len(records) - 1), 0)
        self._prepare(self.scrollable_content_region.width)
        self.refresh()

    @property
    def whole_width(self) -> int:
        """The width in cells at which every name and value fits on one line, including the scrollbar."""
        longest = max(
            (width_of(printable(text)) for each in self._records for text in (each.name, each.value)), default=0
        )
        return longest + _LABEL + _FRAME + 1

    def height_for(self, width: int) -> int:
        """Return how many lines all boxes need."""
        return sum(len(lines) for lines in self._boxes(width, self.ink))

    def _boxes(self, width: int, ink: Ink) -> list[list[Line]]:
        shared = [sum(each.name == one.name for each in self._records) for one in self._records]
        return [
            box_lines(
                record,
                next((view for view in self._views if view.record == record), None),
                number,
                len(self._records),
                shared[number],
                chosen=number == self._cursor,
                focused=number == self._cursor and self.has_focus,
                width=width,
                ink=ink,
            )
            for number, record in enumerate(self._records)
        ]

    def _prepare(self, width: int) -> None:
        made = (width, self.ink, self.has_focus, self._cursor, self._views)
        if width <= 0 or made == self._made:
            return
        self._made = made
        self._lines, self._tops = [], []
        for lines in self._boxes(width, self.ink):
            if self.app.has_class("-linear"):
                lines = [[(text.translate(_NO_FRAME), style) for text, style in line] for line in lines]
            self._tops.append(len(self._lines))
            self._lines += lines
        self.virtual_size = Size(width, len(self._lines))

    # -- moving ------------------------------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        self.go(self._cursor + step)

    def action_edge(self, place: int) -> None:
        self.go(place % max(len(self._records), 1))

    def go(self, place: int) -> None:
        """Put the cursor on a record."""
        place = max(min(place, len(self._records) - 1), 0)
        if place == self._cursor:
            return
        self._cursor = place
        self._prepare(self.scrollable_content_region.width)
        bottom = self._tops[place + 1] if place + 1 < len(self._tops) else len(self._lines)
        region = Region(0, self._tops[place], 1, bottom - self._tops[place])
        self.scroll_to_region(region, animate=False, force=True)
        self.refresh()
        self._moved()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and self._tops:
            line = offset.y + self.scroll_offset.y
            self.go(max(number for number, top in enumerate(self._tops) if top <= line))

    # -- drawing -----------------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        self._prepare(self.scrollable_content_region.width)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        self._prepare(width)
        number = y + self.scroll_offset.y
        return strip_of(self._lines[number], width) if number < len(self._lines) else Strip.blank(width)


def box_lines(
    record: Record,
    view: RecordView | None,
    number: int,
    count: int,
    shared: int,
    *,
    chosen: bool,
    focused: bool,
    width: int,
    ink: Ink,
) -> list[Line]:
    """Return one record in its frame. `shared`: how many records have this name."""
    frame = ink("border" if focused else "frame")
    inner = width - _FRAME
    lines: list[Line] = []

    def add(parts: Sequence[Part]) -> None:
        rest = " " * max(inner - length(parts), 0)
        lines.append([("│ ", frame), *parts, (rest, BLANK), (" │", frame)])

    title = f" {'▸ ' if chosen and count > 1 else ''}{f'{number + 1} of {count} · ' if count > 1 else ''}{printable(record.type)} "
    lines.append(_edge("╭─", "╮", (title, ink("frame-title", bold=True)), _standing(view, ink), width, frame))
    for at, part in enumerate(chop_cells(printable(record.name), inner - _LABEL)):
        add([("Name   " if not at else " " * _LABEL, ink("text-muted")), (part, ink("foreground"))])
    if view is not None and view.written_at != record.name:
        written = chop_cells(printable(view.written_at), inner - _LABEL)
        for at, part in enumerate(written):
            beside = inner - _LABEL - width_of(part) >= len(_LEADS_THERE) and at == len(written) - 1
            add(
                [
                    ("Set at " if not at else " " * _LABEL, ink("severity-yellow", bold=True)),
                    (part, ink("foreground", bold=True)),
                    (_LEADS_THERE if beside else "", ink("text-muted")),
                ]
            )
    for at, part in enumerate(value_lines(printable(record.value), inner - _LABEL)):
        add([("Value  " if not at else " " * _LABEL, ink("text-muted")), (part, ink("key", bold=True))])
    foot = "" if shared < 2 else _SHARED if shared == 2 else _SHARED_BY_MANY
    lines.append(_edge("╰─", "╯", (foot, ink("severity-yellow")), [], width, frame))
    return lines


def value_lines(value: str, width: int) -> list[str]:
    """Return a value as lines, broken after spaces if possible."""
    lines = [""]
    for word in re.findall(r" *[^ ]+ ?| +", value):
        if width_of(lines[-1] + word.rstrip()) <= width:
            lines[-1] += word
        elif width_of(word.rstrip()) <= width:
            lines.append(word)
        else:
            lines += chop_cells(word, width)
    # The space after which a line is broken may exceed the width by one cell.
    return [line if width_of(line) <= width else line.rstrip() for line in lines if line]


def _standing(view: RecordView | None, ink: Ink) -> list[Part]:
    """Return how many of the responding servers have the record."""
    if view is None:
        return []
    answering = [one for one in view.servers if one.answers]
    having = sum(one.state == "has" for one in answering)
    if not answering:
        return [(" ○ no response ", ink("text-muted"))]
    mark = MARKS["has" if view.is_seen else "lacks"]
    sign = mark.glyph if having else MARKS["waits"].glyph
    words = f"{having} of {len(answering)} have it" if having < len(answering) else f"all {having} have it"
    return [(f" {sign} ", ink(mark.colour, bold=True)), (f"{words} ", ink(mark.colour))]


def _edge(left: str, right: str, title: Part, state: Sequence[Part], width: int, frame: Style) -> list[Part]:
    """Return the top or bottom line of a frame, with a title at the start and a state at the end."""
    text = cut(title[0], width - 4 - length(state))
    rule = "─" * max(width - 4 - width_of(text) - length(state), 0)
    return [(left, frame), (text, title[1]), (rule, frame), *state, (f"─{right}", frame)]
