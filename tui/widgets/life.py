"""A certificate's lifetime as a bar. Pure, in cells; `role` is the name of a theme variable."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.operations import LineageStatus
from tui.wording.text import MARKS


def life_bar(lineage: LineageStatus, now: datetime, width: int) -> list[tuple[str, str]]:
    """Return the elapsed part of the lifetime, with a tick at the renewal, as (text, role) in `width` cells."""
    if lineage.not_before is None or lineage.not_after is None or width < 2:
        return [("╌" * width, "bar-rest")]
    life = (lineage.not_after - lineage.not_before).total_seconds() or 1.0
    halves = round(_share(now - lineage.not_before, life) * width * 2)
    used, half = divmod(halves, 2)
    tick = -1
    if lineage.renew_at is not None:
        # A tick beyond the bar would be meaningless: keep it inside, as a renewal is before the expiry.
        tick = min(int(_share(lineage.renew_at - lineage.not_before, life) * width), width - 1)
    colour = MARKS[lineage.severity].colour
    cells = [
        ("┃" if x < used else "│", "tick") if x == tick
        else ("━", colour) if x < used
        else ("╸", colour) if x == used and half
        else ("─", "bar-rest")
        for x in range(width)
    ]  # fmt: skip
    return joined(cells)


def _share(span: timedelta, life: float) -> float:
    return min(max(span.total_seconds() / life, 0.0), 1.0)


def joined(cells: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Join adjacent cells of the same colour."""
    joined: list[tuple[str, str]] = []
    for sign, role in cells:
        if joined and joined[-1][1] == role:
            joined[-1] = (joined[-1][0] + sign, role)
        else:
            joined.append((sign, role))
    return joined
