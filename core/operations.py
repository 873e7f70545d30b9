"""What goes into the engine's operations and what comes out of them: values, complete, without behaviour of their own.

JSON output, exit statuses and screens are made from these and from the error family alone. Times are aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from msgspec import Struct, field

from core.fields import EntryField, EntryInfo, EntryKind
from core.findings import Finding, Listening, Visit
from core.fleet_choice import Choice
from core.issuer_values import (
    AccountInfo,
    ClosedLimit,
    IssuerChange,
    IssuerFacts,
    IssuerInfo,
    IssuerShown,
    IssuerTest,
    LimitStanding,
)
from core.lineage_status import LineageStatus, ListenerState, Outside, Status, TargetState, TimerState
from core.renewal_report import FailedLineage, Notice, RenewalReport, Skipped

__all__ = [
    "AccountInfo",
    "ClosedLimit",
    "Deleted",
    "Deployment",
    "DnsKind",
    "DnsProviderInfo",
    "DnsTest",
    "DnsTestStep",
    "EntryField",
    "Exported",
    "FailedLineage",
    "Finding",
    "FirstBoot",
    "IssueRequest",
    "Issued",
    "IssuerChange",
    "IssuerFacts",
    "IssuerInfo",
    "IssuerShown",
    "IssuerTest",
    "LimitStanding",
    "LineageStatus",
    "ListenerState",
    "Listening",
    "LogEntry",
    "OpenOrder",
    "Outside",
    "PemView",
    "Pending",
    "Record",
    "RecordView",
    "RenewalReport",
    "ServerView",
    "Skipped",
    "Status",
    "TargetInfo",
    "TargetState",
    "TimerState",
    "Visit",
]


class IssueRequest(Struct, frozen=True, kw_only=True):
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
    rehearse: bool | None = None
    """Staging first, then the real order automatically. None: for the first order of these names from a CA with staging."""
    with_www: bool = False
    """Add `www.` to each bare domain."""
    with_wildcard: bool = False
    """Add `*.` to each bare domain."""
    targets: tuple[str, ...] | None = None
    """None: those the lineage has."""
    force: bool = False
    """Order even where a still valid certificate for the same names is on disk."""
    local: bool = False
    """On a hub of a fleet: for this box alone."""
    for_fleet: Choice = Choice()
    """On a hub of a fleet: which devices get it, and where its key is made."""


class Issued(Struct, frozen=True, kw_only=True):
    """The outcome of `issue`: there is a certificate."""

    status: LineageStatus
    reused: bool = False
    """A still valid certificate for the same names was on disk and no order was made."""
    rehearsed_only: bool = False


class Record(Struct, frozen=True, kw_only=True):
    """A DNS record that has to be set. `value`: as it stands in DNS, without quotes."""

    name: str
    type: str
    value: str


class ServerView(Struct, frozen=True, kw_only=True):
    """What one address of one name server says of one record."""

    server: str
    """Its name, or its address where it was configured as a resolver."""
    address: str
    """`192.0.2.53`, `2001:db8::53`, with a port where it is not 53."""
    state: str
    """`has`, `lacks`, `silent` (no answer in time), `unreachable` (no way there from this box), `refuses`."""
    milliseconds: int = 0

    @property
    def answers(self) -> bool:
        """It says what stands in its zone, whatever that is."""
        return self.state in ("has", "lacks")


class RecordView(Struct, frozen=True, kw_only=True):
    """One record that is to be set, and who has it."""

    record: Record
    written_at: str
    """Where it has to stand: the name itself, or where its CNAME leads."""
    zone: str
    """Whose servers were asked; empty where it could not be found out, or where resolvers are configured."""
    servers: tuple[ServerView, ...] = ()
    problem: str = ""
    """Why nobody could be asked, for people."""

    @property
    def is_seen(self) -> bool:
        """Every server that answers has it, and at least one does."""
        answering = [one.state for one in self.servers if one.answers]
        return bool(answering) and all(state == "has" for state in answering)


class Pending(Struct, frozen=True, kw_only=True):
    """An order waits for a person who sets its DNS records (exit status 3)."""

    name: str
    challenge: str
    """`dns-01`, `dns-account-01`, `dns-persist-01`."""
    records: tuple[Record, ...]
    expires: datetime | None
    views: tuple[RecordView, ...] = ()
    """Who has which record, where that was looked at; empty for an order that was placed a moment ago."""


class OpenOrder(Struct, frozen=True, kw_only=True):
    """An order that has not ended, as it lies on disk. Nothing is asked of the CA for it."""

    name: str
    issuer: str
    challenge: str
    identifiers: tuple[str, ...]
    records: tuple[Record, ...]
    """To be set by hand; empty for an order that continues automatically."""
    created: datetime
    expires: datetime | None
    is_manual: bool


class DnsKind(EntryKind, frozen=True, kw_only=True):
    """A kind of DNS provider."""

    has_zones: bool = True
    """False: no zones need to be named (acme-dns, a hook)."""
    takes_any: bool = False
    """Takes settings and secrets beyond its fields."""
    family: str = "dns"
    """The command that it belongs to."""


class DnsProviderInfo(EntryInfo, frozen=True, kw_only=True):
    """A DNS provider entry."""

    zones: tuple[str, ...]
    lineages: tuple[str, ...]
    """That prove their names with it."""
    delegations: Mapping[str, str] = field(default_factory=dict)


class DnsTestStep(Struct, frozen=True, kw_only=True):
    """One step of a connection test."""

    id: str
    """`credentials`, `zone`, `write`, `seen`, `remove`."""
    status: str
    """`pass`, `warn`, `fail`, `skip`."""
    detail: str
    fix: str = ""
    milliseconds: int = 0


class DnsTest(Struct, frozen=True, kw_only=True):
    """How a connection test went (ST-24)."""

    name: str
    domain: str
    zone: str
    record: Record | None
    steps: tuple[DnsTestStep, ...]
    servers: tuple[ServerView, ...] = ()

    @property
    def is_good(self) -> bool:
        return all(step.status in ("pass", "warn") for step in self.steps)


class FirstBoot(Struct, frozen=True, kw_only=True):
    """The outcome of `first-boot`."""

    status: LineageStatus
    created: bool
    remade: bool
    """The host name, an address or the external URL had changed; same key, new certificate."""
    why: str = ""
    new_targets: tuple[str, ...] = ()
    """Services that it was put onto now, although it was there before."""


class Deployment(Struct, frozen=True, kw_only=True):
    """The outcome of a deployment. `targets`: what each of them showed."""

    name: str
    version: int
    targets: tuple[TargetState, ...]


class Exported(Struct, frozen=True, kw_only=True):
    """The file that an export wrote."""

    path: Path
    format: str
    has_key: bool


class Deleted(Struct, frozen=True, kw_only=True):
    name: str
    kept_until: datetime | None


class KindInfo(Struct, frozen=True, kw_only=True):
    """A kind of target: how one service takes a new certificate. None: this was not tried."""

    name: str
    title: str
    group: str
    package: str
    unit: str
    measured: str
    """Package and version whose behavior is described."""
    proven: bool
    """certdeck's own tests deploy to the real service."""
    layouts: tuple[str, ...]
    certificate: str
    """Usual path; empty where it is up to the administrator."""
    key: str
    files_remark: str
    key_reader_at_start: str
    key_reader_at_reload: str
    key_group: str
    test: tuple[str, ...]
    test_notices_missing: bool | None
    test_notices_mismatch: bool | None
    action: str
    """`reload`, `restart`, `none`."""
    command: tuple[str, ...]
    socket: str
    """In the place of a command: where the service is told."""
    sessions: str
    """`live`, `idle-closed`, `cut`."""
    bad_pair: str
    recover: tuple[str, ...]
    seconds: int
    probe: tuple[str, ...]
    probe_needs_name: bool
    can_probe: bool
    remarks: tuple[str, ...]


class TargetInfo(Struct, frozen=True, kw_only=True):
    """A target of the configuration."""

    name: str
    kind: str
    certificate: str
    key: str
    test: tuple[str, ...]
    reload: tuple[str, ...]
    probe: tuple[str, ...]
    lineage: str | None
    """Whose certificate it carries."""
    layout: str = "separate"
    window: str | None = None
    """Scheduled runs deploy only in it."""
    ends_sessions: bool = False
    """A deployment restarts the service."""
    files_of: str | None = None
    """The target that owns its files, where it shares them."""


class LogEntry(Struct, frozen=True, kw_only=True):
    """One entry of the history."""

    number: int
    at: datetime
    run: str
    lineage: str | None
    kind: str
    """The event's class name in kebab-case: `target-reloaded`."""
    facts: Mapping[str, object] = field(default_factory=dict)
    who: str = ""

    def values(self) -> dict[str, object]:
        """Return it as `log --json` and a report show it, but for the time."""
        return {
            "number": self.number,
            "run": self.run,
            "lineage": self.lineage,
            "kind": self.kind,
            "facts": dict(self.facts),
            "who": self.who,
        }


class ScheduleInfo(Struct, frozen=True, kw_only=True):
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
    warnings: tuple[Notice, ...] = ()
    """Certificates that live too short for it."""


class PemView(Struct, frozen=True, kw_only=True):
    """What `Show certificate` shows: never a key."""

    name: str
    fullchain: str
    sha256: str
