"""The request for a renewal run, and its complete result per lineage. Values without behaviour.

Separate from the values of the other operations, because a run with nothing due pays for this import.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from core.errors import CertdeckError


class Skipped(Struct, frozen=True, kw_only=True):
    """A certificate that a run did not renew."""

    name: str
    why: str
    renew_at: datetime | None = None
    needs_you: bool = False
    """A person has to act now: set DNS records, or start a renewal manually."""
    is_held: bool = False
    """It is due, but waits for something else: a CA, the period of a service, its turn."""


class FailedLineage(Struct, frozen=True, kw_only=True):
    name: str
    error: CertdeckError


class Notice(NamedTuple):
    """Something that people should know, but that is not a failure."""

    code: str
    what: str
    fix: str
    lineage: str = ""
    """The certificate and the target that it is about, if any."""
    target: str = ""


class RenewRequest(NamedTuple):
    """The request for `renew`."""

    names: tuple[str, ...] = ()
    """Empty: all that are due."""
    force: bool = False
    """Include certificates that are not due."""
    dry_run: bool = False
    """Only return what would be done."""

    @property
    def is_scheduled(self) -> bool:
        """Whether this is the plain run that the timer starts."""
        return not (self.names or self.force or self.dry_run)


class RenewalReport(Struct, frozen=True, kw_only=True):
    """The result of a `renew` run."""

    renewed: tuple[str, ...] = ()
    issued: tuple[str, ...] = ()
    """Those of `renewed` that had no certificate before."""
    skipped: tuple[Skipped, ...] = ()
    failed: tuple[FailedLineage, ...] = ()
    due: tuple[str, ...] = ()
    """With `dry_run`: what would be renewed."""
    warnings: tuple[Notice, ...] = ()


def next_renewal(report: RenewalReport) -> tuple[str, datetime] | None:
    """Return the name and time of the next renewal among the skipped certificates; None if none renews automatically."""
    moments = ((each.renew_at, each.name) for each in report.skipped if each.renew_at is not None)
    found = min(moments, default=None)
    return None if found is None else (found[1], found[0])
