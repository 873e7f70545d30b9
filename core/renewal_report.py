"""What a renewal run is asked for, and what it comes back with: complete, per lineage. Values without behaviour.

Apart from the other operations' values because the run with nothing due pays for importing it.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from core.errors import CertdeckError


class Skipped(Struct, frozen=True, kw_only=True):
    """A certificate that a run left alone."""

    name: str
    why: str
    renew_at: datetime | None = None
    needs_you: bool = False
    """A person has to do something, now: set DNS records, or begin a renewal by hand."""
    is_held: bool = False
    """It is due, and waits for something else than its own time: a CA, the window of a service, its turn."""


class FailedLineage(Struct, frozen=True, kw_only=True):
    name: str
    error: CertdeckError


class Notice(NamedTuple):
    """Something that somebody should know, and that made nothing fail."""

    code: str
    what: str
    fix: str
    lineage: str = ""
    """The certificate and the target that it is about, where it is about one."""
    target: str = ""


class RenewRequest(NamedTuple):
    """What `renew` was asked for."""

    names: tuple[str, ...] = ()
    """Empty: whatever is due."""
    force: bool = False
    """Also what is not due."""
    dry_run: bool = False
    """Only say what would be done."""

    @property
    def is_scheduled(self) -> bool:
        """Nothing in particular was asked for: this is what the timer runs."""
        return not (self.names or self.force or self.dry_run)


class RenewalReport(Struct, frozen=True, kw_only=True):
    """The outcome of a run of `renew`."""

    renewed: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    failed: tuple[FailedLineage, ...] = ()
    due: tuple[str, ...] = ()
    """With `dry_run`: what would be renewed."""
    warnings: tuple[Notice, ...] = ()


def next_renewal(report: RenewalReport) -> tuple[str, datetime] | None:
    """Return which of the certificates that were skipped renews next, and when; None where none renews automatically."""
    moments = ((each.renew_at, each.name) for each in report.skipped if each.renew_at is not None)
    found = min(moments, default=None)
    return None if found is None else (found[1], found[0])
