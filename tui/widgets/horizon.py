"""The next hundred days as two lines: the months, and below them the renewals and expiries. Pure, in cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from core.operations import LineageStatus
from tui.wording.text import MARKS

HORIZON_DAYS: Final = 100
RENEWS: Final = "◇"
_WORST: Final = ("green", "yellow", "red")


class Cell(Struct, frozen=True):
    """One cell: its sign, and the theme variable for its colour."""

    sign: str
    role: str


class Horizon(Struct, frozen=True):
    """The lines to draw, and the certificates in each column."""

    months: tuple[Cell, ...]
    marks: tuple[Cell, ...]
    names: dict[int, tuple[str, ...]]


def horizon(lineages: Iterable[LineageStatus], now: datetime, width: int) -> Horizon:
    """Return the lines for `width` cells.

    A `◇` is a renewal, a severity mark an expiry; several in one column are shown as their number in the worst colour.
    """
    months = [Cell(" ", "faint")] * width
    marks = [Cell("·", "faint")] * width
    for column, month in _months(now, width):
        if column + len(month) < width:
            marks[column] = Cell("┊", "frame")
            for offset, letter in enumerate(month):
                months[column + offset] = Cell(letter, "faint-text")
    ends, renewals = _by_column(lineages, now, width)
    for column, several in renewals.items():
        marks[column] = Cell(_counted(RENEWS, len(several)), "bar-used")
    for column, (several, worst) in ends.items():
        mark = MARKS[worst]
        marks[column] = Cell(_counted(mark.glyph, len(several)), mark.colour)
    names = {column: tuple(several) for column, several in renewals.items()}
    for column, (several, _) in ends.items():
        names[column] = (*several, *names.get(column, ()))
    return Horizon(tuple(months), tuple(marks), names)


def columns_of(row: LineageStatus, now: datetime, width: int) -> frozenset[int]:
    """Return the columns of a certificate: those of its expiry and of its renewal."""
    ends = [] if row.not_after is None else [_days(row.not_after, now)]
    renews = [] if row.renew_at is None else [each for each in [_days(row.renew_at, now)] if each >= 0]
    return frozenset(_column(days, width) for days in (*ends, *renews) if days < HORIZON_DAYS)


def walked(lineages: Sequence[LineageStatus], now: datetime) -> list[str]:
    """Return the names of the certificates that expire within the horizon, earliest first: the order of the arrow keys."""
    until = now + timedelta(days=HORIZON_DAYS)
    near = [row for row in lineages if row.not_after is not None and row.not_after < until]
    return [row.name for row in sorted(near, key=lambda row: (row.not_after or until, row.name))]


def _by_column(
    lineages: Iterable[LineageStatus], now: datetime, width: int
) -> tuple[dict[int, tuple[list[str], str]], dict[int, list[str]]]:
    ends: dict[int, tuple[list[str], str]] = {}
    renewals: dict[int, list[str]] = {}
    for row in lineages:
        if row.not_after is not None and (days := _days(row.not_after, now)) < HORIZON_DAYS:
            column = _column(days, width)
            names, worst = ends.get(column, ([], "green"))
            names.append(row.name)
            ends[column] = (names, max(worst, row.severity, key=_WORST.index))
        if row.renew_at is not None and 0 <= (days := _days(row.renew_at, now)) < HORIZON_DAYS:
            renewals.setdefault(_column(days, width), []).append(row.name)
    return ends, renewals


def _counted(sign: str, count: int) -> str:
    return sign if count == 1 else str(count) if count < 10 else "+"


def _months(now: datetime, width: int) -> Iterator[tuple[int, str]]:
    local = now.astimezone()
    year, month = local.year, local.month
    for _ in range(HORIZON_DAYS // 28 + 1):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        first = local.replace(year=year, month=month, day=1, hour=0, minute=0, second=0, microsecond=0)
        days = (first - local) / timedelta(days=1)
        if 1 < days < HORIZON_DAYS:
            yield _column(days, width), f"{first:%b}"


def _days(moment: datetime, now: datetime) -> float:
    return (moment - now) / timedelta(days=1)


def _column(days: float, width: int) -> int:
    return min(max(int(days / HORIZON_DAYS * width), 0), width - 1)
