"""All errors that the engine raises.

    CertdeckError
    ├─ UsageError                                the request itself is wrong
    │  ├─ ConfigError                            a configuration file is wrong
    │  ├─ BadIdentifier · BadLineageName         core.identifiers
    │  └─ BadSubject                             core.x509.subject
    ├─ LockHeld                                  another certdeck is writing
    ├─ NotFound                                  no such lineage, issuer, target, version
    ├─ ClockInDoubt                              an irreversible step waits for a correct clock
    ├─ InUse                                     something still depends on what was to be removed
    ├─ UntrustedPath                             another account could make root run commands
    ├─ AlreadyThere                              something with that name exists and would be lost
    ├─ NewerElsewhere                            a newer certificate of another program would be replaced
    ├─ InputRejected                             core.upload.rejected: an upload did not pass its checks
    ├─ IssuerError
    │  ├─ DirectoryUnreachable · DirectoryUntrusted · DirectoryInvalid
    │  ├─ AccountError
    │  │  └─ TermsNotAgreed · EabRequired · ContactRequired · AccountDeactivated
    │  ├─ AcmeProblem                            RFC 8555 §6.7
    │  │  ├─ RateLimited · AlreadyReplaced       RFC 8555 §6.6, RFC 9773 §5
    │  │  └─ BudgetSpent                         below RateLimited: the request was not sent
    │  ├─ AuthorizationFailed · OrderTimeout
    │  └─ CertificateUnusable                    the CA sent something other than what was ordered
    ├─ ChallengeError
    │  └─ PortUnavailable · PropagationTimeout · DnsProviderError
    ├─ TargetError                               says what is live now
    │  └─ StageFailed · WebNotPossible · ConfigTestFailed · ReloadFailed · ProbeMismatch
    ├─ StoreError
    │  ├─ StoreCorrupt · StoreTooNew · StoreNotWritable · StoreFull
    │  └─ BackupInvalid · BackupLocked · BackupTooNew
    ├─ VaultError
    │  └─ MasterKeyMissing · MasterKeyWrong
    ├─ NotifyError
    ├─ SelfCheckFailed                           after an update something cannot be loaded or read
    ├─ FleetError                                core.fleet_errors: several boxes on etcd
    │  ├─ FleetUnreachable · FleetUntrusted · FleetDenied · FleetFull
    │  ├─ NotLeading · FleetConflict
    │  ├─ FleetForged · FleetTooNew
    │  └─ Refused                                core.fleet.gateway
    ├─ ProgramIncomplete                         a file of the program is missing, for example during an update
    ├─ InternalError                             any other exception: a bug
    └─ Cancelled

Every error says `what` happened, `why`, and how to `fix` it, each in plain sentences without secrets.
`code` is for scripts: kebab-case, unique, never renamed. The front end maps errors to exit statuses.
Any other exception that leaves the engine is a bug.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime


class CertdeckError(Exception):
    """An operation was refused or failed; nothing that was live has been lost."""

    code = "failed"

    def __init__(
        self,
        what: str,
        why: str,
        fix: str,
        *,
        lineage: str | None = None,
        retry_at: datetime | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.fix = fix
        self.lineage = lineage
        """The lineage that the error is about, if any."""
        self.retry_at = retry_at
        """Aware UTC; when a retry makes sense, if known."""
        self.details: Mapping[str, object] = details or {}
        """JSON-serializable facts for scripts and the log (problem type, target, resolver …)."""

    def __str__(self) -> str:
        return f"{self.what} {self.why} {self.fix}"


class UsageError(CertdeckError):
    """The request is invalid: a bad name, an impossible combination."""

    code = "usage"


class ConfigError(UsageError):
    """One or more configuration files are invalid. `details["problems"]` lists every problem."""

    code = "config-invalid"


class LockHeld(CertdeckError):
    """Another certdeck process holds the writers' lock. `details`: `pid`, `since`, `operation`."""

    code = "lock-held"


class NotFound(CertdeckError):
    """There is no lineage, issuer, target or version with that name."""

    code = "not-found"


class UntrustedPath(CertdeckError):
    """Root would run a command from a file that another account can change. `details`: `paths`."""

    code = "untrusted-path"


class ClockInDoubt(CertdeckError):
    """The clock of this box cannot be trusted, and the operation would replace a valid certificate."""

    code = "clock-in-doubt"


class InUse(CertdeckError):
    """Something still depends on what was to be removed."""

    code = "in-use"


class AlreadyThere(CertdeckError):
    """Something with that name already exists, and was not replaced."""

    code = "already-there"


class NewerElsewhere(CertdeckError):
    """A target has a newer valid certificate from another program. `details`: `target`, `serial`, `path`, `client`."""

    code = "newer-elsewhere"


class IssuerError(CertdeckError):
    """The CA could not, or did not, do what was requested."""

    code = "issuer-error"


class DirectoryUnreachable(IssuerError):
    """No connection, no response in time, or a persistent 5xx."""

    code = "directory-unreachable"


class DirectoryUntrusted(IssuerError):
    """The HTTPS certificate of the CA's own server does not verify."""

    code = "directory-untrusted"


class DirectoryInvalid(IssuerError):
    """The server at the directory URL does not speak ACME (HTML, wrong JSON, missing fields)."""

    code = "directory-invalid"


class AccountError(IssuerError):
    """The account at the CA is not usable."""

    code = "account-error"


class TermsNotAgreed(AccountError):
    """The CA has terms of service that the user has not accepted. `details["terms_of_service"]`: URL."""

    code = "terms-not-agreed"


class EabRequired(AccountError):
    """The CA requires an external account binding (RFC 8555 §7.3.4)."""

    code = "eab-required"


class ContactRequired(AccountError):
    """The CA requires a contact address for the account, and none is set."""

    code = "contact-required"


class AccountDeactivated(AccountError):
    """The CA reports that the account is deactivated or revoked."""

    code = "account-deactivated"


class AcmeProblem(IssuerError):
    """A problem document. `details`: `type`, `detail`, `status`, `identifier`, `subproblems`. RFC 8555 §6.7."""

    code = "acme-problem"


class RateLimited(AcmeProblem):
    """A rate limit of the CA is exceeded. Has `retry_at`. RFC 8555 §6.6."""

    code = "rate-limited"


class BudgetSpent(RateLimited):
    """An order was not sent: given this box's own usage, it would exceed a limit of the CA. `details`: `limit`, `used`, `count`."""

    code = "rate-limit-budget"


class AlreadyReplaced(AcmeProblem):
    """The certificate named in `replaces` already has a successor. RFC 9773 §5."""

    code = "already-replaced"


class AuthorizationFailed(IssuerError):
    """Validation failed. `details["problems"]`: identifier → problem document."""

    code = "authorization-failed"


class OrderTimeout(IssuerError):
    """The CA did not finish an order in time; the order stays on disk and can be resumed."""

    code = "order-timeout"


class CertificateUnusable(IssuerError):
    """The CA sent a certificate for another key, other names or another validity period."""

    code = "certificate-unusable"


class ChallengeError(CertdeckError):
    """A challenge could not be set up here."""

    code = "challenge-error"


class PortUnavailable(ChallengeError):
    """The HTTP-01 address cannot be bound. `details`: `address`, `port`, `holder`."""

    code = "port-unavailable"


class PropagationTimeout(ChallengeError):
    """The TXT records were not visible on every authoritative server in time."""

    code = "propagation-timeout"


class DnsProviderError(ChallengeError):
    """The DNS provider refused or failed."""

    code = "dns-provider-error"


class TargetError(CertdeckError):
    """A deployment failed and was rolled back. `details`: `target`, `output`, `live` (`old` or `unknown`)."""

    code = "target-error"


class StageFailed(TargetError):
    """The target's files could not be written."""

    code = "stage-failed"


class WebNotPossible(TargetError):
    """A web server cannot be configured: it is of another kind, or its configuration does not name the certificate."""

    code = "web-not-possible"


class ConfigTestFailed(TargetError):
    """The target's own configuration test rejected the new pair."""

    code = "config-test-failed"


class ReloadFailed(TargetError):
    """The target's reload command failed or hung."""

    code = "reload-failed"


class ProbeMismatch(TargetError):
    """After the reload, the service does not present the new certificate."""

    code = "probe-mismatch"


class StoreError(CertdeckError):
    """State on disk could not be read or written."""

    code = "store-error"


class StoreCorrupt(StoreError):
    """One of certdeck's files has invalid content."""

    code = "store-corrupt"


class StoreTooNew(StoreError):
    """One of certdeck's files was written by a later release, in an unknown format. It is left unchanged."""

    code = "store-too-new"


class StoreNotWritable(StoreError):
    """Missing permission, or a read-only file system."""

    code = "store-not-writable"


class StoreFull(StoreError):
    """No space, no inodes, or quota exceeded."""

    code = "store-full"


class BackupInvalid(StoreError):
    """A backup file is truncated, altered, or has unexpected content. Nothing was changed."""

    code = "backup-invalid"


class BackupLocked(StoreError):
    """The passphrase or the private key does not decrypt a backup file."""

    code = "backup-locked"


class BackupTooNew(StoreError):
    """A backup file was written by a later release, in an unknown format."""

    code = "backup-too-new"


class VaultError(CertdeckError):
    """A secret could not be sealed or unsealed."""

    code = "vault-error"


class MasterKeyMissing(VaultError):
    """There are sealed records but no master key."""

    code = "master-key-missing"


class MasterKeyWrong(VaultError):
    """The record was sealed with another master key, or was altered."""

    code = "master-key-wrong"


class NotifyError(CertdeckError):
    """A notification could not be sent."""

    code = "notify-failed"


class SelfCheckFailed(CertdeckError):
    """After an update, a module cannot be loaded, or a file cannot be read."""

    code = "self-check-failed"


class ProgramIncomplete(CertdeckError):
    """A module cannot be loaded: an update is running or incomplete, or the disk cannot read the file."""

    code = "program-incomplete"

    @classmethod
    def because(cls, exc: BaseException, *, lineage: str | None = None) -> ProgramIncomplete | None:
        """Return the error for an exception of an import (EOFError for a truncated bytecode file); None for anything else."""
        if not isinstance(exc, ImportError) and not (isinstance(exc, EOFError) and _is_of_import(exc)):
            return None
        name = getattr(exc, "name", None) or "A module"
        return cls(
            "A part of certdeck could not be loaded.",
            f"{name} is missing or damaged: an update is under way or incomplete, or the disk has an error.",
            "Wait until the update has finished, then try again, or install certdeck again. Live certificates are unchanged.",
            lineage=lineage,
        )


def _is_of_import(exc: BaseException) -> bool:
    """Return whether the import system itself raised it."""
    place = exc.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return place is not None and place.tb_frame.f_code.co_filename.startswith("<frozen importlib")


class InternalError(CertdeckError):
    """An unforeseen error. The traceback is in the debug log, never in the text."""

    code = "internal"


class Cancelled(CertdeckError):
    """The operation was cancelled on request."""

    code = "cancelled"
