"""The output of `certdeck status --what-if DATE`, as text and as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from core.dates import day_shown
from core.errors import UsageError
from core.forecast import CertificateThen, Forecast
from core.lifetimes import Lifetime
from tui.cli.output import Stream
from tui.cli.tables import table
from tui.glyphs import printable

_FIRST_YEAR: Final = 2021
_LAST_YEAR: Final = 2100


def day_of(text: str) -> date:
    """Parse a date such as `2027-02-10`. Raises UsageError (`usage`)."""
    try:
        day = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) else None
    except ValueError:
        day = None
    if day is None or not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise UsageError(
            f"{printable(text)} is not a date.",
            f"A date is year, month and day, from {_FIRST_YEAR} to {_LAST_YEAR}.",
            "Write it as 2027-02-10.",
        )
    return day


def forecast_json(found: Forecast) -> dict[str, object]:
    """Return `status --what-if DATE --json`."""
    return {
        "date": found.day.isoformat(),
        "certificates": [
            {
                "name": each.name,
                "issuer": each.issuer,
                "lifetime_days": round(each.lifetime_days, 2),
                "lifetime_days_now": each.lifetime_days_now,
                "source": each.source,
                "renews_every_days": round(each.renews_every_days, 2),
                "renewals_per_year": round(each.renewals_per_year, 1),
                "by_hand": each.by_hand,
                "problems": [{"code": problem.code, "text": problem.text} for problem in each.problems],
            }
            for each in found.certificates
        ],
        "issuers": [
            {"name": each.name, "certificates": each.certificates, "orders_per_week": round(each.orders_per_week, 2)}
            for each in found.issuers
        ],
        "orders_per_week": round(found.orders_per_week, 2),
        "runs_per_week": found.runs_per_week,
        "changes": [
            {
                "date": each.since.isoformat(),
                "whose": each.whose,
                "profile": each.profile,
                "lifetime_days": round(each.days, 2),
                "source": each.source,
            }
            for each in found.changes
        ],
        "problems": [{"code": problem.code, "text": problem.text} for problem in found.problems],
    }


def forecast_lines(found: Forecast, stream: Stream) -> Iterator[str]:
    """Yield the announced changes until then, a line for each certificate with its problems, and a summary."""
    yield stream.painted(f"On {day_shown(found.day)}, if nothing changes here", "bold")
    for change in found.changes:
        yield f"  {day_shown(change.since)}: {_announcement(change)}"
    if not found.certificates:
        yield "There is no certificate yet."
        return
    head, *rows = table(
        ["", "NAME", "ISSUER", "LIVES", "RENEWS", "A YEAR"], [_row(each) for each in found.certificates]
    )
    yield ""
    yield stream.painted(head, "dim")
    for each, row in zip(found.certificates, rows, strict=True):
        yield row
        for problem in each.problems:
            yield f"   {stream.painted(printable(problem.text), 'yellow')}"
    yield ""
    yield f"{_number(found.orders_per_week)} orders a week, {_number(found.runs_per_week)} scheduled runs a week."
    for problem in found.problems:
        yield stream.painted(printable(problem.text), "yellow")


def _row(each: CertificateThen) -> list[str]:
    now = each.lifetime_days_now
    before = f" (now {_number(now)})" if now is not None and round(now) != round(each.lifetime_days) else ""
    return [
        "!" if each.problems else "",
        printable(each.name),
        printable(each.issuer),
        f"{_days(each.lifetime_days)}{before}",
        "manually" if each.by_hand else f"every {_days(each.renews_every_days)}",
        f"{each.renewals_per_year:.0f}",
    ]


def _announcement(change: Lifetime) -> str:
    if change.whose == "public":
        return f"no public CA issues for more than {change.days:g} days."
    profile = f", profile {change.profile}" if change.profile else ""
    return f"Let's Encrypt issues for {_days(change.days)}{profile}."


def _days(value: float) -> str:
    return f"{_number(value)} {'day' if _number(value) == '1' else 'days'}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 or value == round(value) else f"{value:.1f}"
