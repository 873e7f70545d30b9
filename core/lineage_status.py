"""The state of a box's lineages, as the status screen and `status --json` show it. Values without behaviour.

Apart from the other operations' values because every scheduled look at the box pays for importing it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct, field

from core.errors import CertdeckError

METHODS_WITHOUT_CA: Final = frozenset({"upload", "self-signed", "private-ca"})
"""Values of `LineageStatus.method` behind which no CA elsewhere stands that renews the certificate."""


class ListenerState(Struct, frozen=True, kw_only=True):
    """One address of a target's service, as it was looked at."""

    address: str
    """`127.0.0.1:443`, `smtp://[::1]:25`."""
    state: str
    """`deployed`, `stale` (it presents another certificate), `unknown` (nothing could be seen)."""
    served_sha256: str | None = None
    why: str = ""
    """In words, for anything but `deployed`."""


class Outside(Struct, frozen=True, kw_only=True):
    """A certificate that somebody else put where a target's service reads ours."""

    client: str
    """The ACME client in whose folder the same certificate lies; empty where none does."""
    path: str
    """Where that client keeps it, or the target's own path."""
    serial: str
    not_before: datetime
    not_after: datetime
    newer: bool
    """It is valid, later than ours, and good for the same names: deploying ours would be a loss."""
    flaw: str = ""
    """Why it is not, in words that follow `which`; empty where it is."""
    command: str
    """Takes it in, as one would type it."""
    timer: str = ""
    """What makes the other client renew: a file, and its line. Data from outside."""
    timer_off: str = ""
    """How that is switched off."""


class TargetState(Struct, frozen=True, kw_only=True):
    """What is known of a certificate on one target."""

    name: str
    state: str
    """`deployed`, `stale` (an outside change, or the service serves something else), `failed`, `unknown`."""
    served_sha256: str | None = None
    why: str = ""
    """In words, for anything but `deployed`."""
    listeners: tuple[ListenerState, ...] = ()
    """One for each address of each probe; empty where the service was not asked."""
    outside: Outside | None = None
    """Somebody else's certificate at the target's path."""


class LineageStatus(Struct, frozen=True, kw_only=True):
    """One lineage, as `status --json` shows it. Lineages without any certificate yet have `sha256 == ""`."""

    name: str
    domains: tuple[str, ...]
    subject: str
    issuer: str
    serial: str
    not_before: datetime | None
    not_after: datetime | None
    days_left: int | None
    severity: str
    """`green`, `yellow`, `red`; `red` where there is no certificate."""
    self_signed: bool
    chain: bool
    """Intermediates are present."""
    chain_length: int
    """Certificates above the leaf."""
    sha256: str
    key_type: str
    method: str
    ca: str | None
    auto_renew: bool
    renew_at: datetime | None
    renew_why: str
    """`ari`, `ari-late` (the CA's moment is too late), `days-before`, `lifetime`, `chain` (its end), `revoked`, `settings`, `off`,
    `by hand`, `retry`, `deploy` (`waiting_version`), `no certificate`."""
    last_error: Mapping[str, object] | None
    """`code`, `what`, `why`, `fix`, `at`; None after a success."""
    failures: int = 0
    """Attempts that failed since the last success."""
    targets: tuple[TargetState, ...] = ()
    version: int | None = None
    """The live version."""
    waiting_version: int | None = None
    """Issued, not deployed yet because a deployment failed."""
    newer_version: int | None = None
    """Kept, and newer than the live one: it was rolled back from."""
    open_order: bool = False
    dns: str | None = None
    """The DNS provider that its names are proved with."""
    profile: str | None = None
    chain_not_after: datetime | None = None
    """The earliest end among the certificates that are sent: leaf and intermediates."""
    chain_end: str = ""
    """Subject of the intermediate that ends before the leaf does; empty where none does."""
    root_sent: bool = False
    """One of those above the leaf is the root."""
    valid_yet: bool = True
    revoked: bool = False
    on_fallback: bool = False
    """The fallback certificate is served in its place."""
    is_staging: bool = False
    """It comes from a CA's staging."""
    wanted: Mapping[str, object] = field(default_factory=dict)
    """`domains`, `key_type`, `issuer`, `profile` as configured, where the certificate was ordered with others."""
    timer: str = "active"
    """`active`, `off`, `absent`, `failed`: whether something starts the scheduled run."""
    too_rare: str = ""
    """Why the scheduled run comes too rarely for it, in one sentence."""

    @classmethod
    def without_certificate(
        cls, name: str, domains: tuple[str, ...], *, method: str = "", ca: str | None = None, renew_why: str = ""
    ) -> LineageStatus:
        """Return the status of a lineage of which no certificate can be read."""
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
    """Whether the scheduled run lives: shown before anything else."""

    state: str
    """`on`, `off`, `dead` (installed, and nothing runs), `unknown` (something else has run lately)."""
    next_run: datetime | None = None
    last_run: datetime | None = None
    last_outcome: str = ""
    """`done`, `failed`, or empty when it never ran."""
    last_error: str = ""
    mended: bool = False
    """What failed in the last run has succeeded since, or is gone."""
    trouble: str = ""
    """Why it is not simply on or off, in one sentence: it is dead, its unit or its program is gone."""
    is_absent: bool = False
    """Nothing was ever set, or what was set is gone; else `off` means that it was switched off."""

    @property
    def word(self) -> str:
        """The word of `status --json`: `active`, `off`, `absent`, `failed`."""
        if self.state == "off":
            return "absent" if self.is_absent else "off"
        return "failed" if self.state == "dead" else "active"


class Unmanaged(Struct, frozen=True, kw_only=True):
    """A service that presented a certificate of somebody else's when the box was looked at last."""

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
    """What `status` shows."""

    version: str
    time: datetime
    lineages: tuple[LineageStatus, ...]
    timer: TimerState
    appliance: str
    hostname: str
    problems: tuple[CertdeckError, ...] = ()
    """Broken lineage files and the like: the rest is still shown."""
    clock_doubt: str = ""
    """Why the clock of this box cannot be believed, in one sentence; empty when nothing speaks against it."""
    void_times: tuple[str, ...] = ()
    """What was remembered under a wrong clock and is ignored, one sentence each; the next run drops it."""
    unmanaged: tuple[Unmanaged, ...] = ()
    """Services that presented a certificate of somebody else's when the box was looked at last."""
    other_clients: tuple[str, ...] = ()
    """Sentences about other ACME clients that renew the same certificates."""
    never_backed_up: bool = False
    """There is a master key on this box, and no backup of it."""
