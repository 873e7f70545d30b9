"""What an operation tells while it runs: small frozen facts in the past tense.

One way, no veto, no answer: losing every one of them changes nothing. Results come from return values and
failures from exceptions. `Narrator.tell` wraps an event into a `Report` (when, which run, which lineage) and hands
it to the front end's reporter, from whatever thread the work is in. The plain values here are shown to people and
kept in the history, so **no field may hold a key, a token or a password**.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace


class Event(Struct, frozen=True, kw_only=True):
    """Something that has happened. Holds plain values, and no secret."""


class RunStarted(Event, frozen=True, kw_only=True):
    operation: str
    """`issue`, `renew`, `deploy` …"""


class RunFinished(Event, frozen=True, kw_only=True):
    operation: str
    outcome: str
    """`done`, `pending`, `failed`, `cancelled`."""
    why: str = ""


class LineageSkipped(Event, frozen=True, kw_only=True):
    why: str


class AccountReady(Event, frozen=True, kw_only=True):
    issuer: str
    url: str
    created: bool


class OrderCreated(Event, frozen=True, kw_only=True):
    issuer: str
    url: str
    identifiers: tuple[str, ...]
    profile: str | None = None
    resumed: bool = False


class AuthorizationReused(Event, frozen=True, kw_only=True):
    identifier: str


class ChallengePresented(Event, frozen=True, kw_only=True):
    identifier: str
    type: str
    where: str
    """URL or record name at which the CA will look."""


class ValidatorSeen(Event, frozen=True, kw_only=True):
    """Somebody asked our HTTP-01 responder for a token: tells a firewall from a fault of the CA."""

    address: str
    identifier: str


class RecordAdded(Event, frozen=True, kw_only=True):
    """A record was made at a DNS provider."""

    provider: str
    name: str


class RecordRemoved(Event, frozen=True, kw_only=True):
    provider: str
    name: str


class ProviderTested(Event, frozen=True, kw_only=True):
    """One step of a provider's connection test has ended."""

    provider: str
    step: str
    """`credentials`, `zone`, `write`, `seen`, `remove`."""
    status: str
    """`pass`, `warn`, `fail`, `skip`."""
    detail: str
    milliseconds: int


class PropagationChecked(Event, frozen=True, kw_only=True):
    """The name servers were asked for a record."""

    name: str
    seen: int
    """Servers that have it."""
    of: int
    """Servers that answer."""
    missing: tuple[str, ...] = ()
    """Those that do not have it yet."""


class ChallengeValidated(Event, frozen=True, kw_only=True):
    identifier: str


class ChallengeFailed(Event, frozen=True, kw_only=True):
    identifier: str
    problem: str
    """The CA's own words."""


class RecordsRequired(Event, frozen=True, kw_only=True):
    records: tuple[tuple[str, str, str], ...]
    """(name, type, value)."""


class Waiting(Event, frozen=True, kw_only=True):
    why: str
    until: datetime | None = None


class IssuerFellBack(Event, frozen=True, kw_only=True):
    from_issuer: str
    to_issuer: str
    why: str


class RetryScheduled(Event, frozen=True, kw_only=True):
    retry_at: datetime
    why: str


class CertificateIssued(Event, frozen=True, kw_only=True):
    issuer: str
    names: tuple[str, ...]
    not_after: datetime
    sha256: str


class RehearsalPassed(Event, frozen=True, kw_only=True):
    """The issuer to rehearse with has issued for these names; nothing of it is kept."""

    issuer: str
    names: tuple[str, ...]


class VersionStored(Event, frozen=True, kw_only=True):
    version: int


class VersionSwitched(Event, frozen=True, kw_only=True):
    version: int


class TargetStaged(Event, frozen=True, kw_only=True):
    target: str


class TargetSwitched(Event, frozen=True, kw_only=True):
    target: str


class SessionsEnd(Event, frozen=True, kw_only=True):
    """Said before anything is switched: the service of a target has to be restarted, which ends its connections."""

    target: str


class TargetTested(Event, frozen=True, kw_only=True):
    target: str


class TargetReloaded(Event, frozen=True, kw_only=True):
    target: str


class TargetProbed(Event, frozen=True, kw_only=True):
    target: str
    served: str | None
    """SHA-256 of the certificate the service presents."""
    matches: bool


class TargetRolledBack(Event, frozen=True, kw_only=True):
    target: str
    why: str


class KeyUsed(Event, frozen=True, kw_only=True):
    """A private key was opened. Part of the audit trail."""

    key: str
    """Which: `account/letsencrypt`, `lineage/shop/3`, `ca/appliance-ca`. Never its content."""
    purpose: str


class Changed(Event, frozen=True, kw_only=True):
    """Somebody changed the configuration: an issuer, a target, a lineage's settings, a deletion."""

    what: str


class Recovered(Event, frozen=True, kw_only=True):
    """What an earlier run left behind when it died has been put in order."""

    what: str


class NotificationSent(Event, frozen=True, kw_only=True):
    channel: str
    subject: str = ""


class LogPruned(Event, frozen=True, kw_only=True):
    """Old entries of the log were removed. The chain goes on from `hash`, that of the last one removed."""

    through: int
    """Its number."""
    hash: str
    entries: int


class LogChainStarted(Event, frozen=True, kw_only=True):
    """A new log was started, by somebody who asked for it."""

    previous_entries: int
    """Number of the last entry of the chain before."""
    previous_hash: str
    set_aside: str
    """Where what was there lies now; empty where nothing was."""


class LogEndDoubtful(Event, frozen=True, kw_only=True):
    """The recorded end of the log did not fit its last entry when something was added."""

    why: str


LISTENER_NOT_SEEN = "listener-not-seen"
"""Code of the warning that nothing can be seen at an address of a service, before and after a deployment."""
NAMES_NOT_COVERED = "names-not-covered"
"""A service is asked for by names that its certificate does not have."""
SERVICE_TAKEN_OVER = "service-taken-over"
"""Code of the warning that a service carried another lineage's certificate until now."""
SERVICE_DROPPED = "service-dropped"
"""Code of the warning that a certificate is no longer deployed to a service that carried it."""
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
DEVICE_FAILED = "fleet-device-failed"
"""Code of a warning: a certificate of the fleet is published, and this box has not taken it."""
NO_ACCESS_RIGHTS = "fleet-without-access-rights"
"""Code of a warning: etcd asks nobody for a password."""
DEVICE_AWAY = "fleet-device-away"
"""Code of a warning: a device has not made its signing request."""
KNOWS_ACCOUNTS = "fleet-hub-knew-accounts"
"""Code of a warning: a hub that was removed knows the account keys."""
KNOWS_ROOT = "fleet-hub-knew-root"
"""Code of a warning: a hub that was removed may know the password of etcd's root."""
DETECTED_PROBLEM = "detected-problem"
"""A service that was found became a target, and something is left to do there."""

IN_RESULT = BOOKKEEPING | {
    DETECTED_PROBLEM,
    SERVICE_TAKEN_OVER,
    SERVICE_DROPPED,
    LISTENER_NOT_SEEN,
    NAMES_NOT_COVERED,
    DEVICE_FAILED,
    NO_ACCESS_RIGHTS,
    DEVICE_AWAY,
    KNOWS_ACCOUNTS,
    KNOWS_ROOT,
}
"""Codes of the warnings that belong to an operation's result and are repeated there."""


class Warned(Event, frozen=True, kw_only=True):
    code: str
    what: str
    fix: str


class Failed(Event, frozen=True, kw_only=True):
    """The error with which a lineage, or the run, ended."""

    code: str
    what: str
    why: str
    fix: str


class Progressed(Event, frozen=True, kw_only=True):
    done: int
    of: int


class Report(Struct, frozen=True, kw_only=True):
    """An event with its circumstances."""

    at: datetime
    """Aware UTC."""
    run: str
    """Eight hex digits, the same for everything that one operation told."""
    lineage: str | None
    event: Event


Reporter = Callable[[Report], None]
"""Called from the thread that does the work, possibly from several at once; must return fast."""


class Narrator(Struct, frozen=True, kw_only=True):
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
