"""The overall state in three lines: how many certificates are in each state, and the horizon of the coming days."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from core.operations import LineageStatus
from tui.widgets.horizon import HORIZON_DAYS, Cell, Horizon, columns_of, horizon
from tui.widgets.ink import Inked
from tui.widgets.lines import BLANK, Part, between, length, strip_of, width_of
from tui.wording.state import STANDINGS, Standing, counted
from tui.wording.text import MARKS

_LEFT = "today "
_WAYS = (
    (True, 4, True, True),
    (True, 2, True, True),
    (True, 2, False, True),
    (True, 2, False, False),
    (False, 3, False, False),
)
"""The layouts for less and less room: whether there are words, the gap, counters of zero, and the note."""
_RIGHT = f" +{HORIZON_DAYS} d"
_MADE_FOR = timedelta(hours=1)
"""How long a horizon stays accurate: one of its cells is more than a day."""


class Overview(Inked):
    """`✖ 1 needs you   ▲ 1 failed   ● 5 healthy`, and below it the horizon. A click on a counter filters, on a mark selects."""

    DEFAULT_CSS = """
    Overview { height: 3; margin: 0; padding: 0 2; }
    """

    class Filtered(Message):
        """A counter was clicked."""

        def __init__(self, word: str) -> None:
            super().__init__()
            self.word = word
            """A word of `STANDINGS`."""

    class Picked(Message):
        """A mark of the horizon was clicked."""

        def __init__(self, names: tuple[str, ...]) -> None:
            super().__init__()
            self.names = names

    class NoteChosen(Message):
        """The note at the end of the first line was clicked."""

    _lineages: Sequence[LineageStatus] | None = ()
    _standings: Mapping[str, str] = {}
    _counted: Mapping[Standing, int] = {}
    _now: datetime | None = None
    _note = ""
    _note_role = "text-muted"
    _chosen: LineageStatus | None = None
    _only = ""
    _made: tuple[int, datetime, Horizon] | None = None
    _places: tuple[tuple[int, int, str], ...] = ()

    def show(
        self,
        lineages: Sequence[LineageStatus] | None,
        now: datetime,
        note: str = "",
        role: str = "text-muted",
        *,
        standings: Mapping[str, str],
        only: str = "",
    ) -> None:
        """Set what is shown; None: nothing is known.

        Args:
            note: a word at the end of the first line, in the colour `role`.
            standings: the word of `STANDINGS` of each certificate, by its name.
            only: the standing that the list is filtered for.
        """
        told = (note, role, only)
        if lineages is not self._lineages:
            self._made = None
        elif standings is self._standings and told == (self._note, self._note_role, self._only) and self._is_fresh(now):
            return
        if standings is not self._standings or lineages is not self._lineages:
            rows = lineages or ()
            self._counted = dict(counted(standings.get(row.name, "healthy") for row in rows))
        self._lineages, self._standings, self._now, self._only = lineages, standings, now, only
        self._note, self._note_role = note, role
        self.refresh()

    def choose(self, row: LineageStatus | None) -> None:
        """Highlight the marks of this certificate."""
        if row is not self._chosen:
            self._chosen = row
            self.refresh(Region(0, 2, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        width, now = self.size.width, self._now
        if now is None:
            return Strip.blank(width)
        if y == 0:
            return self._counters(width)
        if not self._lineages:
            return Strip.blank(width)
        as_of, made = self._horizon(width, now)
        if y == 1:
            return strip_of([(" " * len(_LEFT), BLANK), *self._parts(made.months)], width)
        muted = self.ink("text-muted")
        lit = columns_of(self._chosen, as_of, len(made.marks)) if self._chosen is not None else frozenset()
        return strip_of([(_LEFT, muted), *self._parts(made.marks, lit), (_RIGHT, muted)], width)

    def _horizon(self, width: int, now: datetime) -> tuple[datetime, Horizon]:
        """Return the horizon, and the time for which it was computed."""
        # Not recomputed for each key: there may be ten thousand certificates.
        if self._made is None or self._made[0] != width or not self._is_fresh(now):
            room = max(width - len(_LEFT) - len(_RIGHT), 1)
            self._made = (width, now, horizon(self._lineages or (), now, room))
        return self._made[1:]

    def _is_fresh(self, now: datetime) -> bool:
        return self._made is not None and abs(now - self._made[1]) <= _MADE_FOR

    def _parts(self, cells: Sequence[Cell], lit: Collection[int] = ()) -> list[Part]:
        ink = self.ink
        return [
            (each.sign, (ink.chosen if number in lit else ink)(each.role, bold=number in lit))
            for number, each in enumerate(cells)
        ]

    def _counters(self, width: int) -> Strip:
        note: list[Part] = [(self._note, self.ink(self._note_role))]
        counts: list[Part] = []
        for words, gap, zeros, beside in _WAYS:
            counts = self._counts(words=words, gap=gap, zeros=zeros)
            if length(counts) + (length(note) + 2 if beside else 0) <= width:
                break
        return strip_of(between(counts, note, width), width)

    def _counts(self, *, words: bool, gap: int, zeros: bool) -> list[Part]:
        ink = self.ink
        if not self._lineages:
            nothing = "nothing is known yet" if self._lineages is None else "no certificates"
            return [("○ ", ink("text-muted")), (nothing, ink("text-muted"))]
        found = self._counted
        # "0 need you" is an answer, too.
        shown = [each for each in STANDINGS.values() if each in found or (zeros and each.word in ("urgent", "healthy"))]
        parts: list[Part] = []
        places: list[tuple[int, int, str]] = []
        x = 0
        for standing in shown:
            count, mark = found.get(standing, 0), MARKS[standing.mark]
            is_on = standing.word == self._only
            role = mark.colour if count else "faint"
            chosen = ink.chosen if is_on else ink
            cells: list[Part] = [
                (f"{mark.glyph} ", chosen(role)),
                (f"{count:,}", chosen(role if count else "text-muted", bold=bool(count))),
                (f" {standing.counted(count)}" if words else "", chosen("foreground" if is_on else "text-muted")),
            ]
            end = x + sum(width_of(text) for text, _ in cells)
            places.append((x, end, standing.word))
            parts += [*cells, (" " * gap, BLANK)]
            x = end + gap
        self._places = tuple(places)
        return parts[:-1]

    # -- mouse -------------------------------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y == 0:
            for start, end, word in self._places:
                if start <= offset.x < end:
                    self.post_message(self.Filtered(word))
                    return
            if self._note and offset.x >= self.size.width - width_of(self._note):
                self.post_message(self.NoteChosen())
        elif self._made is not None:
            names = _nearest(self._made[2].names, offset.x - len(_LEFT))
            if names:
                self.post_message(self.Picked(names))


def _nearest(names: Mapping[int, tuple[str, ...]], column: int) -> tuple[str, ...]:
    """Return the certificates in that column, or at most two cells beside it."""
    near = sorted((abs(each - column), each) for each in names if abs(each - column) <= 2)
    return names[near[0][1]] if near else ()
