"""The events that an operation reports while it runs: small frozen facts in the past tense.

They are one-way, without veto or reply: losing all of them changes nothing. Results are return values and failures are
exceptions. `Narrator.tell` wraps an event into a `Report` (time, run, lineage) and passes it to the front end's reporter, on
whatever thread the work runs. The plain values here are shown to people and stored in the history, so **no field may contain a
key, a token or a password**.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace


class Event(Struct, frozen=True, kw_only=True):
    """Something that has happened. Has plain values, and no secret."""


class RunStarted(Event, frozen=True, kw_only=True):
    operation: str
    """`issue`, `renew`, `deploy` …"""


class RunFinished(Event, frozen=True, kw_only=True):
    operation: str
    outcome: str
    """`done`, `pending`, `failed`, `cancelled`."""
    why: str = ""


class AccountReady(Event, frozen=True, kw_only=True):
    """The account at the CA can be used. `created`: it is new."""

    issuer: str
    url: str
    created: bool


class OrderCreated(Event, frozen=True, kw_only=True):
    """An order was created at the CA, or, with `resumed`, an open one is continued."""

    issuer: str
    url: str
    identifiers: tuple[str, ...]
    profile: str | None = None
    resumed: bool = False


class AuthorizationReused(Event, frozen=True, kw_only=True):
    """The CA accepts an earlier validation of a name."""

    identifier: str


class ChallengePresented(Event, frozen=True, kw_only=True):
    """The response to a challenge is in place."""

    identifier: str
    type: str
    where: str
    """URL or record name that the CA will look up."""


class ValidatorSeen(Event, frozen=True, kw_only=True):
    """A client requested a token from our HTTP-01 responder: this distinguishes a firewall from a failure of the CA."""

    address: str
    identifier: str


class RecordAdded(Event, frozen=True, kw_only=True):
    """A record was created at a DNS provider."""

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
    """The name servers were queried for a record."""

    name: str
    seen: int
    """Servers that have it."""
    of: int
    """Servers that respond."""
    missing: tuple[str, ...] = ()
    """The servers that do not have it yet."""


class ChallengeValidated(Event, frozen=True, kw_only=True):
    identifier: str


class ChallengeFailed(Event, frozen=True, kw_only=True):
    identifier: str
    problem: str
    """The CA's own message."""


class RecordsRequired(Event, frozen=True, kw_only=True):
    """The user has to set these DNS records."""

    records: tuple[tuple[str, str, str], ...]
    """(name, type, value)."""


class Waiting(Event, frozen=True, kw_only=True):
    """The operation waits. `until`: the earliest end, if known."""

    why: str
    until: datetime | None = None


class IssuerFellBack(Event, frozen=True, kw_only=True):
    """An issuer failed, and a fallback issuer is used."""

    from_issuer: str
    to_issuer: str
    why: str


class RetryScheduled(Event, frozen=True, kw_only=True):
    """A renewal failed and will be retried."""

    retry_at: datetime
    why: str


class CertificateIssued(Event, frozen=True, kw_only=True):
    issuer: str
    names: tuple[str, ...]
    not_after: datetime
    sha256: str


class RehearsalPassed(Event, frozen=True, kw_only=True):
    """The staging issuer has issued for these names in a rehearsal; nothing of it is stored."""

    issuer: str
    names: tuple[str, ...]


class VersionStored(Event, frozen=True, kw_only=True):
    """A new version is stored; it is not live yet."""

    version: int


class VersionSwitched(Event, frozen=True, kw_only=True):
    """A version became live."""

    version: int


class TargetStaged(Event, frozen=True, kw_only=True):
    """The new files are written next to the live ones; nothing visible has changed."""

    target: str


class TargetSwitched(Event, frozen=True, kw_only=True):
    """The target's paths show the new files."""

    target: str


class SessionsEnd(Event, frozen=True, kw_only=True):
    """Reported before anything is switched: a target's service has to be restarted, which ends its connections."""

    target: str


class TargetTested(Event, frozen=True, kw_only=True):
    """The service's configuration test succeeded."""

    target: str


class TargetReloaded(Event, frozen=True, kw_only=True):
    target: str


class TargetProbed(Event, frozen=True, kw_only=True):
    """A service was probed for its certificate."""

    target: str
    served: str | None
    """SHA-256 of the certificate that the service presents."""
    matches: bool


class TargetRolledBack(Event, frozen=True, kw_only=True):
    """A deployment failed, and the previous files were restored."""

    target: str
    why: str


class KeyUsed(Event, frozen=True, kw_only=True):
    """A private key was decrypted. Part of the audit trail."""

    key: str
    """Its name: `account/letsencrypt`, `lineage/shop/3`, `ca/appliance-ca`. Never its content."""
    purpose: str


class Changed(Event, frozen=True, kw_only=True):
    """The configuration was changed: an issuer, a target, a lineage's settings, a deletion."""

    what: str


class Recovered(Event, frozen=True, kw_only=True):
    """What an aborted earlier run left behind has been cleaned up."""

    what: str


class NotificationSent(Event, frozen=True, kw_only=True):
    channel: str
    subject: str = ""


class LogPruned(Event, frozen=True, kw_only=True):
    """Old entries of the log were removed. The chain continues from `hash`, the hash of the last removed entry."""

    through: int
    """Number of the last removed entry."""
    hash: str
    entries: int


class LogChainStarted(Event, frozen=True, kw_only=True):
    """A new log was started on request."""

    previous_entries: int
    """Number of the last entry of the previous chain."""
    previous_hash: str
    set_aside: str
    """Where the previous log is now; empty if there was none."""


class LogEndDoubtful(Event, frozen=True, kw_only=True):
    """The recorded end of the log did not match its last entry when an entry was added."""

    why: str


LISTENER_NOT_SEEN = "listener-not-seen"
"""Code of the warning that nothing can be seen at a service's address, before and after a deployment."""
NAMES_NOT_COVERED = "names-not-covered"
"""Code of the warning that clients use names for a service that its certificate does not have."""
SERVICE_TAKEN_OVER = "service-taken-over"
"""Code of the warning that a service used another lineage's certificate until now."""
SERVICE_DROPPED = "service-dropped"
"""Code of the warning that a certificate is no longer deployed to a service that used it."""
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
"""Codes of warnings that the new certificate is live, but a later bookkeeping step failed."""
MAY_LEAVE_SOMETHING = BOOKKEEPING | {
    "store-error",
    "store-full",
    "store-not-writable",
    "store-corrupt",
    "stage-failed",
    "internal",
}
"""Codes of failures that may leave temporary files."""
DEVICE_FAILED = "fleet-device-failed"
"""Code of the warning that a certificate of the fleet is published, but this box has not installed it."""
NO_ACCESS_RIGHTS = "fleet-without-access-rights"
"""Code of the warning that etcd requires no password."""
DEVICE_AWAY = "fleet-device-away"
"""Code of the warning that a device has not created its CSR."""
KNOWS_ACCOUNTS = "fleet-hub-knew-accounts"
"""Code of the warning that a removed hub knows the account keys."""
KNOWS_ROOT = "fleet-hub-knew-root"
"""Code of the warning that a removed hub may know the password of etcd's root."""
DETECTED_PROBLEM = "detected-problem"
"""Code of the warning that a detected service became a target, but something is left to do there."""

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
"""Codes of warnings that belong to an operation's result and are repeated there."""


class Warned(Event, frozen=True, kw_only=True):
    """A problem that made nothing fail. `code` is stable, for scripts."""

    code: str
    what: str
    fix: str


class Failed(Event, frozen=True, kw_only=True):
    """The error that ended a lineage's operation, or the run."""

    code: str
    what: str
    why: str
    fix: str


class Progressed(Event, frozen=True, kw_only=True):
    """`done` of `of` certificates of a run are finished."""

    done: int
    of: int


class Report(Struct, frozen=True, kw_only=True):
    """An event with its context."""

    at: datetime
    """Aware UTC."""
    run: str
    """Eight hex digits, the same for all events of one operation."""
    lineage: str | None
    event: Event


Reporter = Callable[[Report], None]
"""Called on the thread that does the work, possibly on several in parallel; must return quickly."""


class Narrator(Struct, frozen=True, kw_only=True):
    """Adds time, run and lineage to events and passes them on; an exception in the reporter is logged and otherwise ignored."""

    report: Reporter
    now: Callable[[], datetime]
    run: str
    lineage: str | None = None

    def about(self, lineage: str) -> Narrator:
        """Return a narrator for events about `lineage`."""
        return replace(self, lineage=lineage)

    def tell(self, event: Event) -> None:
        """Pass `event` on. Never raises."""
        try:
            self.report(Report(at=self.now(), run=self.run, lineage=self.lineage, event=event))
        except Exception:
            import logging

            logging.getLogger(__name__).exception("a reporter raised")
