"""The state of a box's lineages, as shown by the status screen and `status --json`. Values without behaviour.

Separate from the values of the other operations, because every scheduled status query pays for this import.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct, field

from core.errors import CertdeckError

METHODS_WITHOUT_CA: Final = frozenset({"upload", "self-signed", "private-ca"})
"""Values of `LineageStatus.method` for certificates that no external CA renews."""


class ListenerState(Struct, frozen=True, kw_only=True):
    """One address of a target's service, as probed."""

    address: str
    """`127.0.0.1:443`, `smtp://[::1]:25`."""
    state: str
    """`deployed`, `stale` (it presents another certificate), `unknown` (nothing could be seen)."""
    served_sha256: str | None = None
    why: str = ""
    """The reason, for any state except `deployed`."""


class Outside(Struct, frozen=True, kw_only=True):
    """Another program's certificate at the path where a target's service reads ours."""

    client: str
    """The ACME client that has the same certificate in its folder; empty if none has it."""
    path: str
    """That client's path of it, or the target's own path."""
    serial: str
    not_before: datetime
    not_after: datetime
    newer: bool
    """It is valid, newer than ours, and covers the same names: deploying ours would be a step back."""
    flaw: str = ""
    """Why it is not `newer`, in words that follow `which`; empty if it is."""
    command: str
    """The command that takes it over, as a user would type it."""
    timer: str = ""
    """What makes the other client renew: a file, and its line. Foreign data."""
    timer_off: str = ""
    """How to disable that timer."""


class TargetState(Struct, frozen=True, kw_only=True):
    """What is known about a certificate on one target."""

    name: str
    state: str
    """`deployed`, `stale` (changed by another program, or the service serves another certificate), `failed`, `unknown`."""
    served_sha256: str | None = None
    why: str = ""
    """The reason, for any state except `deployed`."""
    listeners: tuple[ListenerState, ...] = ()
    """One for each address of each probe; empty if the service was not probed."""
    outside: Outside | None = None
    """Another program's certificate at the target's path."""


class LineageStatus(Struct, frozen=True):
    """One lineage, as in `status --json`. A lineage without a certificate has `sha256 == ""`.

    It can be made by position, because forty keywords take several times as long. `test_each_fact_has_its_place` keeps the order
    of the fields.
    """

    name: str
    domains: tuple[str, ...]
    subject: str
    issuer: str
    serial: str
    not_before: datetime | None
    not_after: datetime | None
    days_left: int | None
    severity: str
    """`green`, `yellow`, `red`; `red` if there is no certificate."""
    self_signed: bool
    chain: bool
    """Whether intermediates are present."""
    chain_length: int
    """Number of certificates above the leaf."""
    sha256: str
    key_type: str
    method: str
    ca: str | None
    auto_renew: bool
    renew_at: datetime | None
    renew_why: str
    """`ari`, `ari-late` (the CA's time is too late), `days-before`, `lifetime`, `chain` (its expiry), `revoked`, `settings`, `off`,
    `by hand`, `retry`, `deploy` (`waiting_version`), `no certificate`."""
    last_error: Mapping[str, object] | None
    """`code`, `what`, `why`, `fix`, `at`; None after a success."""
    failures: int = 0
    """Failed attempts since the last success."""
    targets: tuple[TargetState, ...] = ()
    version: int | None = None
    """The live version."""
    waiting_version: int | None = None
    """Issued, but not deployed yet because a deployment failed."""
    newer_version: int | None = None
    """A stored version that is newer than the live one: it was rolled back."""
    open_order: bool = False
    dns: str | None = None
    """The DNS provider that validates its names."""
    profile: str | None = None
    chain_not_after: datetime | None = None
    """The earliest expiry among the certificates that are sent: leaf and intermediates."""
    chain_end: str = ""
    """Subject of the intermediate that expires before the leaf; empty if none does."""
    root_sent: bool = False
    """One of the certificates above the leaf is the root."""
    valid_yet: bool = True
    revoked: bool = False
    on_fallback: bool = False
    """The fallback certificate is served instead."""
    is_staging: bool = False
    """It was issued by a CA's staging environment."""
    wanted: Mapping[str, object] = field(default_factory=dict)
    """Configured `domains`, `key_type`, `issuer`, `profile` that differ from those of the current certificate's order."""
    timer: str = "active"
    """`active`, `off`, `absent`, `failed`: whether something starts the scheduled run."""
    too_rare: str = ""
    """Why the scheduled run is not frequent enough for it, in one sentence."""

    @classmethod
    def without_certificate(
        cls, name: str, domains: tuple[str, ...], *, method: str = "", ca: str | None = None, renew_why: str = ""
    ) -> LineageStatus:
        """Return the status of a lineage without a readable certificate."""
        return cls(
            name=name,
            domains=domains,
            subject="",
            issuer="",
            serial="",
            not_before=None,
            not_after=None,
            days_left=None,
            severity="red",
            self_signed=False,
            chain=False,
            chain_length=0,
            sha256="",
            key_type="",
            method=method,
            ca=ca,
            auto_renew=False,
            renew_at=None,
            renew_why=renew_why,
            last_error=None,
        )


class TimerState(Struct, frozen=True, kw_only=True):
    """Whether the scheduled run works: shown before everything else."""

    state: str
    """`on`, `off`, `dead` (installed, but nothing runs), `unknown` (something else has run recently)."""
    next_run: datetime | None = None
    """The earliest moment of the next run."""
    next_run_by: datetime | None = None
    """Its latest moment, if the timer delays each run at random, as systemd does; None: it starts at `next_run`."""
    last_run: datetime | None = None
    last_outcome: str = ""
    """`done`, `failed`, or empty if it never ran."""
    last_error: str = ""
    resolved: bool = False
    """What failed in the last run has succeeded since, or no longer exists."""
    trouble: str = ""
    """The problem, in one sentence, if it is not simply on or off: it does not run, or its unit or program is missing."""
    is_absent: bool = False
    """No schedule was ever set, or it was removed; otherwise `off` means that it was disabled."""

    @property
    def word(self) -> str:
        """The value in `status --json`: `active`, `off`, `absent`, `failed`."""
        if self.state == "off":
            return "absent" if self.is_absent else "off"
        return "failed" if self.state == "dead" else "active"


class Unmanaged(Struct, frozen=True, kw_only=True):
    """A service that presented another program's certificate at the last detection."""

    kind: str
    title: str
    address: str
    sha256: str
    subject: str
    not_after: datetime
    days_left: int
    severity: str
    seen: datetime


class Status(Struct, frozen=True, kw_only=True):
    """The result of `status`."""

    version: str
    time: datetime
    lineages: tuple[LineageStatus, ...]
    timer: TimerState
    appliance: str
    hostname: str
    problems: tuple[CertdeckError, ...] = ()
    """Invalid lineage files and similar problems: the rest is still shown."""
    clock_doubt: str = ""
    """Why the clock of this box cannot be trusted, in one sentence; empty if nothing speaks against it."""
    void_times: tuple[str, ...] = ()
    """Times stored under a wrong clock that are ignored, one sentence each; the next run removes them."""
    unmanaged: tuple[Unmanaged, ...] = ()
    """Services that presented another program's certificate at the last detection."""
    other_clients: tuple[str, ...] = ()
    """Sentences about other ACME clients that renew the same certificates."""
    never_backed_up: bool = False
    """There is a master key on this box, and no backup of it."""
