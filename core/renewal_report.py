"""What a renewal run comes back with: complete, per lineage. Values without behaviour.

Apart from the other operations' values because the run with nothing due pays for importing it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from core.errors import CertdeckError


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    name: str
    why: str
    renew_at: datetime | None = None
    needs_you: bool = False
    """A person has to do something, now: set DNS records, or begin a renewal by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedLineage:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalReport:
    renewed: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    failed: tuple[FailedLineage, ...] = ()
    due: tuple[str, ...] = ()
    """With `dry_run`: what would be renewed."""
    warnings: tuple[Notice, ...] = ()
