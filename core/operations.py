"""The requests and results of the engine's operations: complete values without behaviour.

JSON output, exit statuses and screens are built only from these and from the errors. Times are aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
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
    """The parameters of `issue`, from the wizard or the command line. None: the lineage's setting, otherwise the default."""

    domains: tuple[str, ...]
    """As typed by the user."""
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
    """Staging first, then the real order automatically. None: only for the first order of these names at a CA with staging."""
    with_www: bool = False
    """Add `www.` to each bare domain."""
    with_wildcard: bool = False
    """Add `*.` to each bare domain."""
    targets: tuple[str, ...] | None = None
    """None: the lineage's own targets."""
    force: bool = False
    """Order even if a valid certificate for the same names is on disk."""
    local: bool = False
    """On a hub of a fleet: only for this box."""
    for_fleet: Choice = Choice()
    """On a hub of a fleet: which devices get it, and where its key is generated."""


class Issued(Struct, frozen=True, kw_only=True):
    """The result of `issue` if there is a certificate."""

    status: LineageStatus
    reused: bool = False
    """A valid certificate for the same names was on disk and nothing was ordered."""
    rehearsed_only: bool = False


class Record(Struct, frozen=True, kw_only=True):
    """A DNS record that has to be set. `value`: as in DNS, without quotes."""

    name: str
    type: str
    value: str


class ServerView(Struct, frozen=True, kw_only=True):
    """The response of one address of one name server for one record."""

    server: str
    """Its name, or its address if it was configured as a resolver."""
    address: str
    """`192.0.2.53`, `2001:db8::53`, with the port if it is not 53."""
    state: str
    """`has`, `lacks`, `silent` (no response in time), `unreachable` (no route from this box), `refuses`."""
    milliseconds: int = 0

    @property
    def answers(self) -> bool:
        """Whether it returns data of its zone."""
        return self.state in ("has", "lacks")


class RecordView(Struct, frozen=True, kw_only=True):
    """One record that has to be set, and which servers have it."""

    record: Record
    written_at: str
    """The name to write it at: its own name, or its CNAME target."""
    zone: str
    """The zone whose servers were queried; empty if it is unknown, or if resolvers are configured."""
    servers: tuple[ServerView, ...] = ()
    problem: str = ""
    """Why no server could be queried, for people."""

    @property
    def is_seen(self) -> bool:
        """Whether every responding server has it, and at least one responds."""
        answering = [one.state for one in self.servers if one.answers]
        return bool(answering) and all(state == "has" for state in answering)


class Pending(Struct, frozen=True, kw_only=True):
    """An order waits for a person to set its DNS records (exit status 3)."""

    name: str
    challenge: str
    """`dns-01`, `dns-account-01`, `dns-persist-01`."""
    records: tuple[Record, ...]
    expires: datetime | None
    views: tuple[RecordView, ...] = ()
    """Which servers have which record, if checked; empty for an order that was placed just now."""


class OpenOrder(Struct, frozen=True, kw_only=True):
    """A stored open order. The CA is not contacted for it."""

    name: str
    issuer: str
    challenge: str
    identifiers: tuple[str, ...]
    records: tuple[Record, ...]
    """Records to set manually; empty for an order that continues automatically."""
    created: datetime
    expires: datetime | None
    is_manual: bool


class DnsKind(EntryKind, frozen=True, kw_only=True):
    """A kind of DNS provider."""

    has_zones: bool = True
    """False: no zones need to be configured (acme-dns, a hook)."""
    takes_any: bool = False
    """Accepts settings and secrets that are not in its fields."""
    family: str = "dns"
    """The command that it belongs to."""


class DnsProviderInfo(EntryInfo, frozen=True, kw_only=True):
    """A DNS provider entry."""

    zones: tuple[str, ...]
    lineages: tuple[str, ...]
    """Certificates whose names it validates."""
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
    """The result of a connection test (ST-24)."""

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
    """The result of `first-boot`."""

    status: LineageStatus
    created: bool
    remade: bool
    """The host name, an address or the external URL has changed: same key, new certificate."""
    why: str = ""
    new_targets: tuple[str, ...] = ()
    """Services that got the certificate now, although it already existed."""


class Deployment(Struct, frozen=True, kw_only=True):
    """The result of a deployment. `targets`: the state of each of them."""

    name: str
    version: int
    targets: tuple[TargetState, ...]


class Exported(Struct, frozen=True, kw_only=True):
    """The file that an export wrote."""

    path: Path
    format: str
    has_key: bool


class Deleted(Struct, frozen=True, kw_only=True):
    """The result of `delete`."""

    name: str
    kept_until: datetime | None
    """When the sealed copy is removed; None: there is no copy."""


class KindInfo(Struct, frozen=True, kw_only=True):
    """A kind of target: how one service loads a new certificate. None: not tested."""

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
    """Usual path; empty if the administrator chooses it."""
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
    """Used instead of a command: the socket over which the service is reloaded."""
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
    """The lineage whose certificate it has."""
    layout: str = "separate"
    window: str | None = None
    """Scheduled runs deploy only in this period."""
    ends_sessions: bool = False
    """A deployment restarts the service."""
    files_of: str | None = None
    """The target that owns its files, if it shares them."""


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
        """Return the entry as in `log --json` and reports, without the time."""
        return {
            "number": self.number,
            "run": self.run,
            "lineage": self.lineage,
            "kind": self.kind,
            "facts": dict(self.facts),
            "who": self.who,
        }


class ScheduleInfo(Struct, frozen=True, kw_only=True):
    """When the scheduled run starts, what starts it, and whether it works."""

    timer: TimerState
    how: str
    """`systemd`, `cron` (a file in /etc/cron.d), `crontab` (of the user), `package`; empty if nothing is set."""
    preset: str
    """`twice-daily`, `daily`, `weekly`, `custom`; if it is off, the one that `schedule on` would use again."""
    times: tuple[str, ...]
    """`03:00`, local; with cron, the times chosen for this box."""
    weekday: str | None
    """`Sunday`; None is every day."""
    words: str
    """`every day at 03:00 and 15:00`."""
    random_delay: timedelta = timedelta()
    """How much later than its time a run can start."""
    warnings: tuple[Notice, ...] = ()
    """Certificates whose lifetime is too short for it."""


class PemView(Struct, frozen=True, kw_only=True):
    """The content of `Show certificate`: never a key."""

    name: str
    fullchain: str
    sha256: str
