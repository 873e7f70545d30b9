"""A certificate's life as a bar, and the coming days as a line of marks. Pure, in cells; `role` is a theme variable's name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from core.operations import LineageStatus
from tui.wording.text import MARKS, severity_of

HORIZON_DAYS = 100
_WORST = ("green", "yellow", "red")


def life_bar(lineage: LineageStatus, now: datetime, width: int) -> list[tuple[str, str]]:
    """Return how much of its life is used, and a tick where it renews, as (text, role) in `width` cells."""
    if lineage.not_before is None or lineage.not_after is None or width < 2:
        return [("╌" * width, "bar-rest")]
    life = (lineage.not_after - lineage.not_before).total_seconds() or 1.0
    halves = round(_share(now - lineage.not_before, life) * width * 2)
    used, half = divmod(halves, 2)
    tick = -1
    if lineage.renew_at is not None:
        # A tick beyond the bar would say nothing: it stays inside, as a renewal stays before the end.
        tick = min(int(_share(lineage.renew_at - lineage.not_before, life) * width), width - 1)
    colour = MARKS[severity_of(lineage)].colour
    cells = [
        ("┃" if x < used else "│", "tick") if x == tick
        else ("━", colour) if x < used
        else ("╸", colour) if x == used and half
        else ("─", "bar-rest")
        for x in range(width)
    ]  # fmt: skip
    return _joined(cells)


def horizon(lineages: Iterable[LineageStatus], now: datetime, width: int) -> list[tuple[str, str]]:
    """Return the next hundred days in `width` cells: what ends when, the worst where several meet, and where months begin."""
    cells = [("·", "faint")] * width
    for column, month in _months(now, width):
        if column + len(month) < width:
            cells[column] = ("┊", "frame")
            for offset, letter in enumerate(month, 1):
                cells[column + offset] = (letter, "faint-text")
    worst: dict[int, str] = {}
    for lineage in lineages:
        if lineage.not_after is None:
            continue
        days = (lineage.not_after - now) / timedelta(days=1)
        if days >= HORIZON_DAYS:
            continue
        column, severity = _column(days, width), severity_of(lineage)
        if _WORST.index(severity) >= _WORST.index(worst.get(column, "green")):
            worst[column] = severity
    for column, severity in worst.items():
        cells[column] = (MARKS[severity].glyph, MARKS[severity].colour)
    return _joined(cells)


def _months(now: datetime, width: int) -> Iterable[tuple[int, str]]:
    local = now.astimezone()
    year, month = local.year, local.month
    for _ in range(HORIZON_DAYS // 28 + 1):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        first = local.replace(year=year, month=month, day=1, hour=0, minute=0, second=0, microsecond=0)
        days = (first - local) / timedelta(days=1)
        if 1 < days < HORIZON_DAYS:
            yield _column(days, width), f"{first:%b}"


def _column(days: float, width: int) -> int:
    return min(max(int(days / HORIZON_DAYS * width), 0), width - 1)


def _share(span: timedelta, life: float) -> float:
    return min(max(span.total_seconds() / life, 0.0), 1.0)


def _joined(cells: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Join neighbours of one colour."""
    joined: list[tuple[str, str]] = []
    for sign, role in cells:
        if joined and joined[-1][1] == role:
            joined[-1] = (joined[-1][0] + sign, role)
        else:
            joined.append((sign, role))
    return joined
