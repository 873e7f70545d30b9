"""The columns of the certificate list: the content and width of each, and which give way first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from core.operations import LineageStatus
from tui.widgets.lines import width_of
from tui.wording import state, text
from tui.wording.text import MARKS

ROOMY: Final = 100
"""Width in cells from which the list has a service column, and separate columns for the renewal and the problem."""
GAP: Final = 2
_NAME_FIRST: Final = 28
"""Cells that a long name gets before the service; what is left over makes it longer."""
_MARGINS: Final = 5
"""Cells before the first column and after the last one."""
_SAMPLE: Final = 200
"""About how many rows are measured to find the widths of the columns."""


class Look(Struct, frozen=True):
    """The input of a cell besides its row."""

    now: datetime
    standings: Mapping[str, str]
    """The group of each certificate, a word of `STANDINGS`, by its name."""

    def word(self, row: LineageStatus) -> str:
        """Return the word of a certificate's group."""
        return self.standings.get(row.name) or state.standing_of(row)


class Column(Struct, frozen=True, kw_only=True):
    """One column. A cell is its text and the theme variable for its colour."""

    key: str
    title: str
    cell: Callable[[LineageStatus, Look], tuple[str, str]]
    least: int
    """The column is hidden rather than made narrower than this."""
    most: int
    rank: int
    """The lowest rank gets room first. Below 10 the column is never hidden."""
    right: bool = False


class Place(Struct, frozen=True):
    """A column and its width in cells, for one width of the table."""

    column: Column
    cells: int


def _state_role(row: LineageStatus, look: Look) -> str:
    word = look.word(row)
    return "text-muted" if word in ("healthy", "soon") else MARKS[state.STANDINGS[word].mark].colour


def _state(row: LineageStatus, look: Look) -> tuple[str, str]:
    return state.state_shown(row, look.now, look.word(row)), _state_role(row, look)


def _why(row: LineageStatus, look: Look) -> tuple[str, str]:
    return state.why_shown(row, look.now, look.word(row)), _state_role(row, look)


def _renews(row: LineageStatus, look: Look) -> tuple[str, str]:
    return state.renews_shown(row, look.now), "text-muted"


def _left(row: LineageStatus, look: Look) -> tuple[str, str]:
    # The remaining time has its own colour: a failure does not colour 89 days.
    return text.short_left(row, look.now), MARKS[row.severity].colour


def names_beside(row: LineageStatus) -> str:
    """Return the names, without repeating the column before."""
    if row.domains and row.domains[0] == row.name and "xn--" not in row.name:
        return f"+{len(row.domains) - 1}" if len(row.domains) > 1 else ""
    return text.names_shown(row.domains)


def _services(row: LineageStatus, look: Look) -> tuple[str, str]:
    names = ", ".join(text.printable(target.name) for target in row.targets)
    bad = any(target.state in ("stale", "failed") for target in row.targets)
    return names or "–", "severity-yellow" if bad else "text-muted"


NAME: Final = Column(
    key="name",
    title="Name",
    cell=lambda row, look: (text.printable(row.name), "foreground"),
    least=16,
    most=40,
    rank=2,
)
NAMES: Final = Column(
    key="names", title="Names", cell=lambda row, look: (names_beside(row), "text-muted"), least=12, most=40, rank=12
)
STATE: Final = Column(key="state", title="State", cell=_state, least=12, most=36, rank=1)
"""What is wrong has to be readable; a long name is shortened in its middle."""
ISSUER: Final = Column(
    key="issuer",
    title="Issuer",
    cell=lambda row, look: (text.issuer_shown(row), "text-muted"),
    least=9,
    most=16,
    rank=13,
)
SERVICE: Final = Column(key="service", title="Service", cell=_services, least=7, most=16, rank=11)
RENEWS: Final = Column(key="renews", title="Renews", cell=_renews, least=7, most=14, rank=3)
WHY: Final = Column(key="state", title="Why", cell=_why, least=14, most=36, rank=1)
LIFE: Final = Column(key="life", title="Life", cell=lambda row, look: ("", "foreground"), least=10, most=24, rank=4)
LEFT: Final = Column(key="left", title="Left", cell=_left, least=6, most=6, rank=0, right=True)

_NARROW: Final = (NAME, NAMES, STATE, ISSUER, LIFE, LEFT)
_WIDE: Final = (NAME, NAMES, SERVICE, ISSUER, RENEWS, WHY, LIFE, LEFT)


def share_out(rows: Sequence[LineageStatus], look: Look, width: int, *, bars: bool = True) -> tuple[Place, ...]:
    """Return the columns that fit into `width` cells; without `bars` only those that a screen reader can read.

    Those that have to stay get what they want, or at least their least; then the others by rank. The life bar takes what is
    left over, and what it does not take goes to the names.
    """
    rows = _sample(rows)
    columns = _WIDE if width >= ROOMY else _NARROW
    wanted = {column.key: _wanted(column, rows, look) for column in columns}
    whole_name = wanted["name"]
    if width >= ROOMY:
        wanted["name"] = min(whole_name, _NAME_FIRST)
    room = width - _MARGINS + GAP
    given: dict[str, int] = {}
    stays = sorted((column for column in columns if column.rank < 10), key=lambda column: column.rank)
    room -= sum(GAP + min(wanted[column.key], column.least) for column in stays)
    for column in stays:
        least = min(wanted[column.key], column.least)
        more = max(min(wanted[column.key] - least, room), 0)
        given[column.key] = least + more
        room -= more
    for column in sorted((column for column in columns if column.rank >= 10), key=lambda column: column.rank):
        cells = min(wanted[column.key], room - GAP)
        if wanted[column.key] and cells >= min(column.least, wanted[column.key]) and cells >= width_of(column.title):
            given[column.key] = cells
            room -= cells + GAP
    spare = max(room, 0)
    more = min(spare, max(whole_name - given["name"], 0))
    given["name"], spare = given["name"] + more, spare - more
    life = min(spare, LIFE.most - given["life"])
    given["life"] = given["life"] + life if bars else 0
    given["names" if "names" in given else "name"] += spare - life
    return tuple(Place(column, given[column.key]) for column in columns if given.get(column.key))


def _sample(rows: Sequence[LineageStatus]) -> Sequence[LineageStatus]:
    """Return the rows to measure: both ends, some in between, and those with the least and the most time left."""
    if len(rows) <= _SAMPLE:
        return rows
    part = _SAMPLE // 4
    return (
        *rows[:part],
        *rows[-part:],
        *rows[:: len(rows) // (2 * part)],
        min(rows, key=_days_left),
        max(rows, key=_days_left),
    )


def _days_left(row: LineageStatus) -> int:
    return row.days_left or 0


def _wanted(column: Column, rows: Sequence[LineageStatus], look: Look) -> int:
    if column is LIFE:
        return column.least
    cells = max([0, *(width_of(column.cell(row, look)[0]) for row in rows)])
    # An empty column of names, or of reasons, is no column.
    return min(max(cells, width_of(column.title)), column.most) if cells else 0
