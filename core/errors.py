"""The one family of errors that leaves the engine.

    CertdeckError
    ├─ UsageError                                the request itself is wrong
    │  ├─ ConfigError                            a configuration file is wrong
    │  ├─ BadIdentifier · BadLineageName         core.identifiers
    │  └─ BadSubject                             core.x509.subject
    ├─ LockHeld                                  another certdeck is writing
    ├─ NotFound                                  no such lineage, issuer, target, version
    ├─ ClockInDoubt                              what cannot be taken back waits for a right clock
    ├─ InUse                                     something still depends on what was to go
    ├─ UntrustedPath                             another account could give commands to root
    ├─ AlreadyThere                              something of that name is there, and would be lost
    ├─ NewerElsewhere                            somebody else's newer certificate would be replaced
    ├─ InputRejected                             core.upload.rejected: an upload did not pass its checks
    ├─ IssuerError
    │  ├─ DirectoryUnreachable · DirectoryUntrusted · DirectoryInvalid
    │  ├─ AccountError
    │  │  └─ TermsNotAgreed · EabRequired · ContactRequired · AccountDeactivated
    │  ├─ AcmeProblem                            RFC 8555 §6.7
    │  │  ├─ RateLimited · AlreadyReplaced       RFC 8555 §6.6, RFC 9773 §5
    │  │  └─ BudgetSpent                         below RateLimited: not even asked
    │  ├─ AuthorizationFailed · OrderTimeout
    │  └─ CertificateUnusable                    the CA sent something else than was ordered
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
    ├─ ProgramIncomplete                         a file of the program is missing, as during an update
    ├─ InternalError                             anything else that escaped: a bug
    └─ Cancelled

Every error says `what` happened, `why`, and how to `fix` it, each one plain sentence, none with a secret in it.
`code` is what scripts match on: kebab-case, unique, never renamed. Which exit status an error becomes is the
front end's business. Anything else that escapes the engine is a bug.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime


class CertdeckError(Exception):
    """Refused or failed; nothing that was live has been lost."""

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
        """The lineage it happened to, when there is one."""
        self.retry_at = retry_at
        """Aware UTC; when trying again makes sense, if that is known."""
        self.details: Mapping[str, object] = details or {}
        """JSON-serialisable facts for scripts and the log (problem type, target, resolver …)."""

    def __str__(self) -> str:
        return f"{self.what} {self.why} {self.fix}"


class UsageError(CertdeckError):
    """The request cannot be carried out as it was put: a bad name, an impossible combination."""

    code = "usage"


class ConfigError(UsageError):
    """One or more configuration files are wrong. `details["problems"]` lists every problem found."""

    code = "config-invalid"


class LockHeld(CertdeckError):
    """Another certdeck process holds the writers' lock. `details`: `pid`, `since`, `operation`."""

    code = "lock-held"


class NotFound(CertdeckError):
    """There is no lineage, issuer, target or version of that name."""

    code = "not-found"


class UntrustedPath(CertdeckError):
    """Root would run a command from a file that another account can change. `details`: `paths`."""

    code = "untrusted-path"


class ClockInDoubt(CertdeckError):
    """The clock of this box cannot be believed, and the step would put something in the place of a good certificate."""

    code = "clock-in-doubt"


class InUse(CertdeckError):
    """Something still depends on what was to be removed."""

    code = "in-use"


class AlreadyThere(CertdeckError):
    """There is something of that name already, and nothing was put in its place."""

    code = "already-there"


class NewerElsewhere(CertdeckError):
    """A target carries a newer valid certificate that somebody else put there. `details`: `target`, `serial`, `path`, `client`."""

    code = "newer-elsewhere"


class IssuerError(CertdeckError):
    """The CA could not or would not."""

    code = "issuer-error"


class DirectoryUnreachable(IssuerError):
    """No connection, no answer in time, or a 5xx that did not go away."""

    code = "directory-unreachable"


class DirectoryUntrusted(IssuerError):
    """The HTTPS certificate of the CA's own server does not verify."""

    code = "directory-untrusted"


class DirectoryInvalid(IssuerError):
    """What answers at the directory URL does not speak ACME (HTML, wrong JSON, missing fields)."""

    code = "directory-invalid"


class AccountError(IssuerError):
    """The account at the CA is not usable."""

    code = "account-error"


class TermsNotAgreed(AccountError):
    """The CA has terms of service that nobody has agreed to yet. `details["terms_of_service"]`: URL."""

    code = "terms-not-agreed"


class EabRequired(AccountError):
    """The CA wants an external account binding (RFC 8555 §7.3.4)."""

    code = "eab-required"


class ContactRequired(AccountError):
    """The CA wants a contact address for the account, and none is set."""

    code = "contact-required"


class AccountDeactivated(AccountError):
    """The CA says that the account is deactivated or revoked."""

    code = "account-deactivated"


class AcmeProblem(IssuerError):
    """A problem document. `details`: `type`, `detail`, `status`, `identifier`, `subproblems`. RFC 8555 §6.7."""

    code = "acme-problem"


class RateLimited(AcmeProblem):
    """A limit of the CA is used up. Carries `retry_at`. RFC 8555 §6.6."""

    code = "rate-limited"


class BudgetSpent(RateLimited):
    """An order was not placed: by what this box has used, it would break a limit of the CA. `details`: `limit`, `used`, `count`."""

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
    """The CA sent a certificate for another key, other names or another time."""

    code = "certificate-unusable"


class ChallengeError(CertdeckError):
    """A challenge could not be set up here."""

    code = "challenge-error"


class PortUnavailable(ChallengeError):
    """The HTTP-01 address cannot be bound. `details`: `address`, `port`, `holder`."""

    code = "port-unavailable"


class PropagationTimeout(ChallengeError):
    """The TXT records were not seen on every authoritative server in time."""

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
    """The settings of a web server cannot be set: it is of another kind, or its configuration does not name the certificate."""

    code = "web-not-possible"


class ConfigTestFailed(TargetError):
    """The target's own configuration test refused the new pair."""

    code = "config-test-failed"


class ReloadFailed(TargetError):
    """The target's reload command failed or hung."""

    code = "reload-failed"


class ProbeMismatch(TargetError):
    """After the reload the service does not present the new certificate."""

    code = "probe-mismatch"


class StoreError(CertdeckError):
    """State on disk could not be read or written."""

    code = "store-error"


class StoreCorrupt(StoreError):
    """A file of ours does not hold what it should."""

    code = "store-corrupt"


class StoreTooNew(StoreError):
    """A file of ours was written by a later release, in a format that this one does not know. It is left as it is."""

    code = "store-too-new"


class StoreNotWritable(StoreError):
    """Permission, or a read-only file system."""

    code = "store-not-writable"


class StoreFull(StoreError):
    """No space, no inodes or over quota."""

    code = "store-full"


class BackupInvalid(StoreError):
    """A backup file is truncated, altered, or holds what no backup holds. Nothing was changed."""

    code = "backup-invalid"


class BackupLocked(StoreError):
    """The passphrase or the private key does not open a backup file."""

    code = "backup-locked"


class BackupTooNew(StoreError):
    """A later release made a backup file, in a format that this one does not know."""

    code = "backup-too-new"


class VaultError(CertdeckError):
    """A secret could not be sealed or opened."""

    code = "vault-error"


class MasterKeyMissing(VaultError):
    """There are sealed records and no master key."""

    code = "master-key-missing"


class MasterKeyWrong(VaultError):
    """The master key is not the one that sealed the record, or the record was altered."""

    code = "master-key-wrong"


class NotifyError(CertdeckError):
    """A notification could not be sent."""

    code = "notify-failed"


class SelfCheckFailed(CertdeckError):
    """After an update a module cannot be loaded, or a file cannot be read."""

    code = "self-check-failed"


class ProgramIncomplete(CertdeckError):
    """A module cannot be loaded: an update is under way, has failed halfway, or the disk does not give the file."""

    code = "program-incomplete"

    @classmethod
    def because(cls, exc: BaseException, *, lineage: str | None = None) -> ProgramIncomplete | None:
        """Return the error for what an import has raised, EOFError for half a bytecode file; None for anything else."""
        if not isinstance(exc, ImportError) and not (isinstance(exc, EOFError) and _is_of_import(exc)):
            return None
        name = getattr(exc, "name", None) or "A module"
        return cls(
            "A part of certdeck could not be loaded.",
            f"{name} is missing or damaged: an update is under way or incomplete, or the disk has an error.",
            "Wait until the update has finished and run it again, or install certdeck again. Live certificates are unchanged.",
            lineage=lineage,
        )


def _is_of_import(exc: BaseException) -> bool:
    """Tell whether the import system itself has raised it."""
    place = exc.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return place is not None and place.tb_frame.f_code.co_filename.startswith("<frozen importlib")


class InternalError(CertdeckError):
    """Something that certdeck's authors did not foresee. The traceback is in the debug log, never in the text."""

    code = "internal"


class Cancelled(CertdeckError):
    """Somebody asked to stop."""

    code = "cancelled"
