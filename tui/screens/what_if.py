"""The effect of announced certificate lifetimes on this box, on a day chosen from a list or typed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import ClassVar, Final

from msgspec import Struct

from core.dates import day_shown
from core.forecast import CertificateThen, Forecast
from core.lifetimes import ANY_PUBLIC, changes_between
from tui.actions import bindings, of_scope
from tui.screens.list_page import ListPage
from tui.widgets.ink import Ink
from tui.widgets.lines import Line, fit
from tui.widgets.prose import here, marked
from tui.widgets.row_list import Column, Row
from tui.wording import text

_AHEAD: Final = timedelta(days=5 * 366)
_FACT: Final = 16
"""Cells of a column of facts."""
_YEAR_DAYS: Final = 365
_YEAR_LEAST, _YEAR_MOST = 24, 48
"""The minimum and maximum width of a year of renewals: two to four cells per month."""


class Day(Struct, frozen=True):
    """A day and its forecast."""

    on: date
    found: Forecast


class WhatIfScreen(ListPage[Day]):
    """A row for each announced day, below it each certificate on that day."""

    SCOPE = "what-if"
    BINDINGS: ClassVar = bindings(of_scope("what-if", "page"))
    HELP_TEXT = (
        "Public CAs shorten the lifetime of certificates step by step. For each announced date, this page shows how "
        "long the certificates of this box will be valid, how often they will renew, and which of today's settings "
        "will no longer work. The line of months is the year from that date on, with a ◇ for each renewal, in yellow where "
        "you have to act.\n\n"
        "Certificates of the private CA and self-signed ones do not change."
    )
    COLUMNS: ClassVar = (Column("Day"), Column("Renewals"), Column("Problems", flexible=True))
    LIST_TITLE = "Announced days"
    page_title = "What if lifetimes shrink"

    def fetch(self) -> Sequence[Day]:
        today = self.deck.now().date()
        days = sorted({change.since for change in changes_between(today, today + _AHEAD)}) or [today]
        return [Day(day, self.engine.what_if(day)) for day in days]

    def name_of(self, item: Day) -> str:
        return item.on.isoformat()

    def title_of(self, item: Day) -> str:
        return f"On {day_shown(item.on)}, if nothing is changed here"

    def row(self, item: Day) -> Row:
        found = item.found
        count = sum(len(each.problems) for each in found.certificates) + len(found.problems)
        sign = ("▲", "severity-yellow") if count else ("●", "severity-green")
        year = sum(each.renewals_per_year for each in found.certificates)
        problems = text.plural(count, "problem") if count else "none"
        return Row(item.on.isoformat(), (day_shown(item.on), f"{year:.0f} a year", (problems, "text-muted")), sign)

    def about(self, item: Day, width: int, ink: Ink) -> list[Line]:
        found, lines = item.found, list[Line]()
        for change in found.changes:
            words = (
                f"no public CA issues for more than {change.days:g} days"
                if change.whose == ANY_PUBLIC
                else f"Let's Encrypt issues for {change.days:.0f} days{f', profile {change.profile}' if change.profile else ''}"
            )
            lines += marked("·", "text-muted", f"From {day_shown(change.since)} {words}.", width, ink)
        for problem in found.problems:
            lines += [*marked("▲", "severity-yellow", problem.text, width, ink), *here(problem.text, width, ink)]
        if lines:
            lines.append([])
        name = min(max([4, *(len(each.name) for each in found.certificates)]), 30)
        lives = max([_FACT, *(len(_lives(each)) for each in found.certificates)])
        room = min(width - name - lives - _FACT - 4, _YEAR_MOST)
        heads = f"{'Name':{name}}  {'Lifetime':{lives}}  {'Renews':{_FACT}}"
        lines.append([(f"{heads}{months(item.on, room) if room >= _YEAR_LEAST else ''}", ink("text-muted"))])
        for each in found.certificates:
            lines += _certificate(each, name, lives, width, ink, room if room >= _YEAR_LEAST else 0)
        return lines


def months(begin: date, cells: int) -> str:
    """Return the initials of the twelve months from `begin` on, each at its position in a year of `cells` cells."""
    line = [" "] * cells
    for number in range(12):
        line[number * cells // 12] = f"{date(2000, (begin.month + number - 1) % 12 + 1, 1):%b}"[0]
    return "".join(line)


def year(every: float, cells: int) -> str:
    """Return a year of `cells` cells with a `◇` for each renewal, or their number if several share a cell."""
    counts = [0] * cells
    due = every
    while cells and every > 0 and due < _YEAR_DAYS:
        counts[int(due / _YEAR_DAYS * cells)] += 1
        due += every
    return "".join("·" if not count else "◇" if count == 1 else str(min(count, 9)) for count in counts)


def _lives(each: CertificateThen) -> str:
    now = each.lifetime_days_now
    before = f" (now {now:.0f})" if now is not None and round(now) != round(each.lifetime_days) else ""
    return f"{each.lifetime_days:.0f} days{before}"


def _certificate(each: CertificateThen, name: int, lives: int, width: int, ink: Ink, room: int) -> list[Line]:
    renews = "manually" if each.by_hand else f"every {each.renews_every_days:.0f} days"
    lines: list[Line] = [
        [
            (f"{fit(text.printable(each.name), name)}  ", ink("foreground", bold=True)),
            (f"{_lives(each):{lives}}  ", ink("foreground")),
            (f"{renews:{_FACT}}", ink("foreground")),
            (year(each.renews_every_days, room), ink("severity-yellow" if each.by_hand else "bar-used")),
        ]
    ]
    for problem in each.problems:
        lines += marked("▲", "severity-yellow", problem.text, width, ink)
    return lines
