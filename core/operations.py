"""What goes into the engine's operations and what comes out of them: values, complete, without behaviour of their own.

JSON output, exit statuses and screens are made from these and from the error family alone. Times are aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from core.lineage_status import LineageStatus, Status, TargetState, TimerState
from core.renewal_report import FailedLineage, RenewalReport, Skipped

__all__ = [
    "AccountInfo",
    "Deleted",
    "Deployment",
    "Exported",
    "FailedLineage",
    "Finding",
    "FirstBoot",
    "IssueRequest",
    "Issued",
    "IssuerInfo",
    "IssuerTest",
    "LineageStatus",
    "LogEntry",
    "PemView",
    "Pending",
    "Record",
    "RenewalReport",
    "Skipped",
    "Status",
    "TargetInfo",
    "TargetState",
    "TimerState",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRequest:
    """What the wizard collects and `issue` parses. None: the default of the lineage, else of the configuration."""

    domains: tuple[str, ...]
    """As typed."""
    name: str | None = None
    issuer: str | None = None
    challenge: str | None = None
    dns: str | None = None
    manual: bool = False
    key_type: str | None = None
    profile: str | None = None
    email: str | None = None
    agree_tos: bool = False
    staging: bool = False
    """Order from the issuer's staging directory and stop there: nothing is stored or deployed."""
    rehearse: bool = False
    """Staging first, then the real thing by itself."""
    targets: tuple[str, ...] | None = None
    """None: those the lineage has."""
    force: bool = False
    """Order even where a still valid certificate for the same names is on disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    status: LineageStatus
    reused: bool = False
    """A still valid certificate for the same names was on disk and no order was made."""
    rehearsed_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    name: str
    type: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A manual DNS-01 order waits for a person (exit status 3)."""

    name: str
    records: tuple[Record, ...]
    expires: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstBoot:
    status: LineageStatus
    created: bool
    remade: bool
    """The host name, an address or the external URL had changed; same key, new certificate."""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    name: str
    version: int
    targets: tuple[TargetState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    path: Path
    format: str
    has_key: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    name: str
    kept_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerInfo:
    """One issuer as configured: built-in table and configuration together."""

    name: str
    title: str
    kind: str
    """`acme`, `private-ca`, `self-signed`."""
    directory: str | None
    built_in: bool
    needs_eab: bool
    wildcard: bool
    ip: bool
    key_types: tuple[str, ...]
    max_names: int
    staging: str | None
    notes: tuple[str, ...] = ()
    is_default: bool = False
    terms_agreed: bool = False
    account_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerTest:
    """What the directory said when asked."""

    name: str
    directory: str
    terms_of_service: str | None
    website: str | None
    caa_identities: tuple[str, ...]
    eab_required: bool
    profiles: Mapping[str, str]
    ari: bool
    milliseconds: int
    clock_skew_seconds: int | None
    """Our clock minus theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountInfo:
    issuer: str
    directory: str
    url: str
    contact: str | None
    key_type: str
    thumbprint: str
    created: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetInfo:
    name: str
    kind: str
    certificate: str
    key: str
    test: tuple[str, ...]
    reload: tuple[str, ...]
    probe: str | None
    lineage: str | None
    """Whose certificate it carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor."""

    id: str
    status: str
    """`pass`, `warn`, `fail`, `skip`."""
    title: str
    detail: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    number: int
    at: datetime
    run: str
    lineage: str | None
    kind: str
    """The event's class name in kebab-case: `target-reloaded`."""
    facts: Mapping[str, object] = field(default_factory=dict)
    who: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleInfo:
    """When the scheduled run comes, by what, and whether it lives."""

    timer: TimerState
    how: str
    """`systemd`, `cron` (a file in /etc/cron.d), `crontab` (of the user); empty when nothing is set."""
    preset: str
    """`twice-daily`, `daily`, `weekly`, `custom`; what would be taken again where it is off."""
    times: tuple[str, ...]
    """`03:00`, local; with cron, those that were chosen for this box."""
    weekday: str | None
    """`Sunday`; None is every day."""
    words: str
    """`every day at 03:00 and 15:00`."""
    warnings: tuple[str, ...] = ()
    """Certificates that live too short for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PemView:
    """What `Show certificate` shows: never a key."""

    name: str
    fullchain: str
    sha256: str
