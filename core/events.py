"""What an operation tells while it runs: small frozen facts in the past tense.

One way, no veto, no answer: losing every one of them changes nothing. Results come from return values and
failures from exceptions. `Narrator.tell` wraps an event into a `Report` (when, which run, which lineage) and hands
it to the front end's reporter, from whatever thread the work is in. The plain values here are shown to people and
kept in the history, so **no field may hold a key, a token or a password**.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    operation: str
    """`issue`, `renew`, `deploy` …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    operation: str
    outcome: str
    """`done`, `pending`, `failed`, `cancelled`."""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageSkipped(Event):
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReady(Event):
    issuer: str
    url: str
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCreated(Event):
    issuer: str
    url: str
    identifiers: tuple[str, ...]
    profile: str | None = None
    resumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationReused(Event):
    identifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengePresented(Event):
    identifier: str
    type: str
    where: str
    """URL or record name at which the CA will look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatorSeen(Event):
    """Somebody asked our HTTP-01 responder for a token: tells a firewall from a fault of the CA."""

    address: str
    identifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAdded(Event):
    """A record was made at a DNS provider."""

    provider: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRemoved(Event):
    provider: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderTested(Event):
    """One step of a provider's connection test has ended."""

    provider: str
    step: str
    """`credentials`, `zone`, `write`, `seen`, `remove`."""
    status: str
    """`pass`, `warn`, `fail`, `skip`."""
    detail: str
    milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PropagationChecked(Event):
    """The name servers were asked for a record."""

    name: str
    seen: int
    """Servers that have it."""
    of: int
    """Servers that answer."""
    missing: tuple[str, ...] = ()
    """Those that do not have it yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeValidated(Event):
    identifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeFailed(Event):
    identifier: str
    problem: str
    """The CA's own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsRequired(Event):
    records: tuple[tuple[str, str, str], ...]
    """(name, type, value)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(Event):
    why: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerFellBack(Event):
    from_issuer: str
    to_issuer: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryScheduled(Event):
    retry_at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateIssued(Event):
    issuer: str
    names: tuple[str, ...]
    not_after: datetime
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalPassed(Event):
    """The issuer to rehearse with has issued for these names; nothing of it is kept."""

    issuer: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionStored(Event):
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionSwitched(Event):
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetStaged(Event):
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSwitched(Event):
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTested(Event):
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetReloaded(Event):
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetProbed(Event):
    target: str
    served: str | None
    """SHA-256 of the certificate the service presents."""
    matches: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRolledBack(Event):
    target: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUsed(Event):
    """A private key was opened. Part of the audit trail."""

    key: str
    """Which: `account/letsencrypt`, `lineage/shop/3`, `ca/appliance-ca`. Never its content."""
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed(Event):
    """Somebody changed the configuration: an issuer, a target, a lineage's settings, a deletion."""

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered(Event):
    """What an earlier run left behind when it died has been put in order."""

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationSent(Event):
    channel: str
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPruned(Event):
    """Old entries of the log were removed. The chain goes on from `hash`, that of the last one removed."""

    through: int
    """Its number."""
    hash: str
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogChainStarted(Event):
    """The log was begun anew, by somebody who asked for it."""

    previous_entries: int
    """Number of the last entry of the chain before."""
    previous_hash: str
    set_aside: str
    """Where what was there lies now; empty where nothing was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEndDoubtful(Event):
    """The recorded end of the log did not fit its last entry when something was added."""

    why: str


LISTENER_NOT_SEEN = "listener-not-seen"
"""Code of the warning that nothing can be seen at an address of a service, before and after a deployment."""
SERVICE_TAKEN_OVER = "service-taken-over"
"""Code of the warning that a service carried another lineage's certificate until now."""
BOOKKEEPING = frozenset(
    {
        "commit-not-synced",
        "settings-not-written",
        "targets-not-taken-over",
        "outcome-not-kept",
        "old-key-not-sealed",
        "old-versions-not-removed",
        "target-not-clean",
        "transaction-not-closed",
        "order-not-removed",
        "request-not-removed",
        "status-not-read",
        "old-copies-not-removed",
        "log-not-written",
    }
)
"""Codes of the warnings that the new certificate is live, but something that follows from it failed."""
MAY_LEAVE_SOMETHING = BOOKKEEPING | {
    "store-error",
    "store-full",
    "store-not-writable",
    "store-corrupt",
    "stage-failed",
    "internal",
}
"""Codes of failures after which temporary files may lie about."""
IN_RESULT = BOOKKEEPING | {SERVICE_TAKEN_OVER, LISTENER_NOT_SEEN}
"""Codes of the warnings that belong to an operation's result and are repeated there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned(Event):
    code: str
    what: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Event):
    """The error with which a lineage, or the run, ended."""

    code: str
    what: str
    why: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progressed(Event):
    done: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An event with its circumstances."""

    at: datetime
    """Aware UTC."""
    run: str
    """Eight hex digits, the same for everything that one operation told."""
    lineage: str | None
    event: Event


Reporter = Callable[[Report], None]
"""Called from the thread that does the work, possibly from several at once; must return fast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrator:
    """Stamps events and passes them on; a reporter that raises is logged and otherwise ignored."""

    report: Reporter
    now: Callable[[], datetime]
    run: str
    lineage: str | None = None

    def about(self, lineage: str) -> Narrator:
        """Return a narrator whose events belong to `lineage`."""
        return replace(self, lineage=lineage)

    def tell(self, event: Event) -> None:
        """Pass `event` on. Never raises."""
        try:
            self.report(Report(at=self.now(), run=self.run, lineage=self.lineage, event=event))
        except Exception:
            import logging

            logging.getLogger(__name__).exception("a reporter raised")
