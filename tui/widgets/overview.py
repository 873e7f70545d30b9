"""The state of everything in two lines: how many need somebody, who waits for somebody, and the horizon of the coming days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from textual.strip import Strip

from core.operations import LineageStatus
from tui.widgets.ink import Inked
from tui.widgets.life import HORIZON_DAYS, horizon
from tui.widgets.lines import BLANK, Part, between, length, strip_of
from tui.wording.text import MARKS, count_of, mark_of


class Overview(Inked):
    """`✖ 1 needs you   ▲ 1 renews soon   ● 5 healthy`, and below it the horizon."""

    DEFAULT_CSS = """
    Overview { height: 2; margin: 1 0 0 0; padding: 0 2; }
    """

    _lineages: Sequence[LineageStatus] = ()
    _now: datetime | None = None
    _nothing = ""
    _note = ""
    _note_role = "text-muted"
    _waiting: Collection[str] = ()

    def show(
        self,
        lineages: Sequence[LineageStatus] | None,
        now: datetime,
        note: str = "",
        role: str = "text-muted",
        *,
        waiting: Collection[str] = (),
    ) -> None:
        """Set what is shown; None: nothing is known.

        Args:
            note: a word at the end of the first line, in the colour `role`.
            waiting: the names of those whose order waits for records that a person sets.
        """
        self._waiting = waiting
        self._nothing = "nothing is known yet" if lineages is None else "no certificates"
        self._lineages, self._now, self._note, self._note_role = lineages or (), now, note, role
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, ink, now = self.size.width, self.ink, self._now
        if now is None:
            return Strip.blank(width)
        if y == 0:
            note: list[Part] = [(self._note, ink(self._note_role))]
            counts = self._counts()
            if length(counts) + length(note) + 2 > width:
                counts = self._counts(words=False)
            return strip_of(between(counts, note, width), width)
        if not self._lineages:
            return Strip.blank(width)
        left, right = "today ", f" +{HORIZON_DAYS} d"
        line: list[Part] = [(left, ink("text-muted"))]
        line += [(sign, ink(role)) for sign, role in horizon(self._lineages, now, width - len(left) - len(right))]
        return strip_of([*line, (right, ink("text-muted"))], width)

    def _counted(self, row: LineageStatus) -> str:
        mark = mark_of(row, row.name in self._waiting)
        return mark if mark == "waits" else count_of(row)

    def _counts(self, *, words: bool = True) -> list[Part]:
        ink = self.ink
        counts = Counter(self._counted(row) for row in self._lineages)
        if not self._lineages:
            return [("○ ", ink("text-muted")), (self._nothing, ink("text-muted"))]
        told = {
            "red": ("needs you", "need you"),
            **({"waits": ("waits for you", "wait for you")} if counts["waits"] else {}),
            **({"warned": ("warning", "warnings")} if counts["warned"] else {}),
            **({} if counts["warned"] and not counts["yellow"] else {"yellow": ("renews soon", "renew soon")}),
            "green": ("healthy", "healthy"),
        }
        parts: list[Part] = []
        for severity, (one, several) in told.items():
            count, mark = counts[severity], MARKS[severity]
            role = mark.colour if count else "faint"
            word = one if count == 1 else several
            parts += [
                (f"{mark.glyph} ", ink(role)),
                (f"{count:,}", ink(role if count else "text-muted", bold=bool(count))),
                (f" {word}" if words else "", ink("text-muted")),
                ("    ", BLANK),
            ]
        return parts[:-1]
