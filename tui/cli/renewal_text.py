"""What a scheduled run did, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.cli.plain import error_lines
from tui.glyphs import printable

if TYPE_CHECKING:
    from datetime import datetime

    from core.operations import RenewalReport
    from tui.cli.output import Stream


def renewal_lines(report: RenewalReport, *, now: datetime, named: bool, dry_run: bool) -> Iterator[str]:
    """Yield what was renewed, why others were not when somebody asked, and the sum. Imports little: the timer comes often."""
    for name in report.due:
        yield f"would renew  {printable(name)}"
    for name in report.renewed:
        yield f"renewed  {printable(name)}"
    for skipped in report.skipped:
        if skipped.needs_you:
            yield f"needs you  {printable(skipped.name)}: {printable(skipped.why)}"
        elif named or dry_run:
            yield f"skipped  {printable(skipped.name)}: {printable(skipped.why)}"
    for failed in report.failed:
        yield f"failed   {printable(failed.name)}"
    for warning in report.warnings:
        yield f"warning  {printable(warning.what)}"
        if warning.fix not in warning.what:
            yield f"         fix: {printable(warning.fix)}"
    if report.renewed or report.failed or report.due:
        return
    moments = [(each.renew_at, each.name) for each in report.skipped if each.renew_at is not None]
    if not moments:
        yield "Nothing is due." if report.skipped else "Nothing is due: there is no certificate yet."
        return
    next_at, name = min(moments)
    local = next_at.astimezone()
    is_today = local.date() == now.astimezone().date()
    when = f"today at {local:%H:%M}" if is_today else f"on {local.day} {local:%b %Y}"
    yield f"Nothing is due. The next one is {printable(name)}, {when}."


def failure_lines(report: RenewalReport, stream: Stream) -> Iterator[str]:
    """Yield the errors of the failed ones, what, why and fix."""
    for failed in report.failed:
        yield from error_lines(failed.error, stream, about=failed.name or "certdeck")
