"""The text output of a scheduled run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.renewal_report import next_renewal
from tui.cli.nothing_due import sentence
from tui.cli.plain import error_lines
from tui.glyphs import printable

if TYPE_CHECKING:
    from datetime import datetime

    from core.operations import RenewalReport
    from tui.cli.output import Stream


def renewal_lines(report: RenewalReport, *, now: datetime, named: bool, dry_run: bool) -> Iterator[str]:
    """Yield the renewed certificates, the reasons for skipped ones if they were named, and a summary. Imports little."""
    for name in report.due:
        yield f"would renew  {printable(name)}"
    for name in report.renewed:
        yield f"{'issued ' if name in report.issued else 'renewed'}  {printable(name)}"
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
    if not report.skipped:
        yield "Nothing is due: there is no certificate yet."
        return
    name, at = next_renewal(report) or ("", now)
    yield sentence(printable(name), at.timestamp(), now.timestamp())


def failure_lines(report: RenewalReport, stream: Stream) -> Iterator[str]:
    """Yield the errors of failed certificates: what, why and fix."""
    for failed in report.failed:
        yield from error_lines(failed.error, stream, about=failed.name or "certdeck")
