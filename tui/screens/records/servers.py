"""The answers of every name server address about a record, as lines: a table if it fits, else grouped by server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.operations import RecordView, ServerView
from tui.glyphs import printable
from tui.widgets.ink import Ink
from tui.widgets.lines import BLANK, Line, Part, cut, fit, width_of, wrap
from tui.wording.text import MARKS

_FIRST: Final = {"lacks": 0, "refuses": 0, "has": 1}
"""The order of the states: servers still missing the record first, those that do not respond last."""
_TIME: Final = 7
_LEAST_NAME: Final = 14


def server_lines(view: RecordView | None, width: int, ink: Ink, *, failed: str = "") -> list[Line]:
    """Return the lines. None: no check has been made yet. `failed`: why the last check failed."""
    lines: list[Line] = []
    for words in (failed, view.problem if view is not None else ""):
        if words:
            lines += [
                [("▲ " if not at else "  ", ink("severity-yellow")), (line, ink("foreground"))]
                for at, line in enumerate(wrap(printable(words), width - 2))
            ]
    if view is None:
        return lines or [[("Asking the name servers …", ink("text-muted"))]]
    servers = sorted(view.servers, key=lambda one: _FIRST.get(one.state, 2))
    if not servers:
        return lines or [[("No name server is known for this zone.", ink("text-muted"))]]
    return lines + _rows(servers, width, ink)


def _rows(servers: Sequence[ServerView], width: int, ink: Ink) -> list[Line]:
    name = max(width_of(printable(one.server)) for one in servers)
    address = max(width_of(printable(one.address)) for one in servers)
    if all(one.server == one.address for one in servers):
        # Resolvers of the configuration have no other name.
        name = 0
    word = max(width_of(_mark(one)[1]) for one in servers)
    fixed = 2 + (2 if name else 0) + address + 2 + word + _TIME
    room = width - fixed
    if name and room < min(name, _LEAST_NAME):
        return _grouped(servers, word, width, ink)
    name = min(name, room)
    return [
        [
            _sign(one, ink),
            (fit(cut(printable(one.server), name), name), ink("foreground")),
            ("  " if name else "", BLANK),
            (fit(printable(one.address), address), ink("text-muted" if name else "foreground")),
            ("  ", BLANK),
            *_said(one, word, ink),
        ]
        for one in servers
    ]


def _grouped(servers: Sequence[ServerView], word: int, width: int, ink: Ink) -> list[Line]:
    """Return each server's name above its addresses."""
    lines: list[Line] = []
    address = max(width - 4 - word - 2 - _TIME, 8)
    names = list(dict.fromkeys(one.server for one in servers))
    before = None
    for one in sorted(servers, key=lambda one: names.index(one.server)):
        if one.server != before:
            lines.append([(cut(printable(one.server), width), ink("foreground", bold=True))])
            before = one.server
        shown = fit(cut(printable(one.address), address), address)
        lines.append(
            [("  ", BLANK), _sign(one, ink), (shown, ink("text-muted")), ("  ", BLANK), *_said(one, word, ink)]
        )
    return lines


def _mark(one: ServerView) -> tuple[str, str, str]:
    """Return sign, word and colour; an unknown state is shown by its name."""
    mark = MARKS.get(one.state)
    return (mark.glyph, mark.word, mark.colour) if mark is not None else ("○", printable(one.state), "text-muted")


def _sign(one: ServerView, ink: Ink) -> Part:
    sign, _, colour = _mark(one)
    return (f"{sign} ", ink(colour, bold=True))


def _said(one: ServerView, word: int, ink: Ink) -> list[Part]:
    _, words, colour = _mark(one)
    time = f"{one.milliseconds} ms" if one.answers and one.milliseconds else ""
    return [(fit(words, word), ink(colour)), (fit(time, _TIME, right=True), ink("text-muted"))]
