"""Asks the CA to revoke the live certificate. The files stay: a service can run with a revoked certificate, but not without one."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from core.acme.account_key import AccountKey
from core.acme.problem_type import ProblemType
from core.acme.revoke import REASONS, revoke_with_key
from core.acme.revoke import revoke as revoke_at_ca
from core.errors import AccountError, AcmeProblem, IssuerError, NotFound, RateLimited, UsageError
from core.events import Changed, KeyUsed
from core.issuers import Issuer
from core.store import renewal_state
from core.store.accounts import load_account
from core.store.had_with import settings_of
from core.store.lineages import live_version, read_pair, read_version
from core.workflows.context import Context, View
from core.workflows.issuing.method import UPLOAD
from core.workflows.issuing.plan import issuer_named
from core.workflows.issuing.sessions import Sessions
from core.workflows.keeping.export import live_pair
from core.x509.certificate import parse_pem


class Revocable(NamedTuple):
    """A version that can be revoked, and its issuer."""

    version: int
    issuer: Issuer


def revocable(view: View, name: str, reason: str) -> Revocable:
    """Return the version of `name` that a revocation would affect, and its issuer. Sends no request.

    Raises:
        UsageError: an unknown reason.
        NotFound: no certificate with this name, or no live version.
        IssuerError: it cannot be revoked, because no ACME CA issued it.
    """
    if reason not in REASONS:
        raise UsageError(
            f"The reason {reason!r} does not exist.",
            "RFC 5280 defines a fixed list of reasons.",
            f"Use one of: {', '.join(REASONS)}.",
        )
    lineage = settings_of(view.paths, name)
    number = live_version(view.paths, name)
    if number is None:
        raise NotFound(
            f"{name} has no live certificate.",
            "There is nothing to revoke.",
            "Check with `certdeck status`.",
            lineage=name,
        )
    # Only the CA that issued it can revoke it. After a fallback, that is not the lineage's own issuer.
    ca = read_version(view.paths, name, number).ca or lineage.issuer or view.config.defaults.issuer
    if ca == UPLOAD:
        raise IssuerError(
            f"certdeck cannot revoke {name}.",
            "It was uploaded, so certdeck has no account at the issuing CA.",
            "Revoke it where it was ordered, then upload a new certificate.",
            lineage=name,
        )
    issuer = issuer_named(view.config, ca)
    if issuer.kind != "acme":
        raise IssuerError(
            f"{name} cannot be revoked.",
            f"{issuer.title} publishes no revocation list. Only certificates of an ACME CA can be revoked.",
            f"Deploy another certificate, then delete {name}.",
            lineage=name,
        )
    return Revocable(number, issuer)


def revoke(context: Context, name: str, reason: str) -> None:
    """Revoke the live certificate of `name`. `reason`: a name in `REASONS`. Raises as `revocable`, StoreCorrupt, IssuerError."""
    number, issuer = revocable(context, name, reason)
    # Whole or not at all: a file of another certificate in its place would have that one revoked.
    leaf = parse_pem(live_pair(context, name).cert)[0]
    with Sessions(context, context.vault) as sessions:
        _Revocation(context, sessions, issuer, name, number, reason).carry_out(leaf.der)
    state = renewal_state.load(context.paths, name)
    # Due from now on, whatever the clock shows: the next run orders a new certificate.
    renewal_state.save(context.paths, name, replace(state, revoked=leaf.sha256, next_attempt=None))
    context.narrator.tell(Changed(what=f"revoked {name}, serial {leaf.serial}, reason {reason}"))


class _Revocation:
    """One revocation: as the account that ordered the certificate, or with the certificate's own key (RFC 8555 §7.6)."""

    def __init__(
        self, context: Context, sessions: Sessions, issuer: Issuer, name: str, version: int, reason: str
    ) -> None:
        self._context = context
        self._sessions = sessions
        self._issuer = issuer
        self._name = name
        self._version = version
        self._reason = reason

    def carry_out(self, der: bytes) -> None:
        """Revoke. Never register an account for this: a new account did not order the certificate, and cannot revoke it."""
        assert self._issuer.directory is not None
        record = load_account(self._context.paths, self._issuer.name, self._issuer.directory)
        if record is None or record.url is None or self._context.vault.find(record.key_record) is None:
            self._with_its_own_key(der)
            return
        try:
            revoke_at_ca(self._sessions.session(self._issuer), der, self._reason)
        except (AcmeProblem, AccountError) as exc:
            if isinstance(exc, RateLimited) or ProblemType.of_error(exc) is ProblemType.BAD_REVOCATION_REASON:
                raise
            self._with_its_own_key(der)

    def _with_its_own_key(self, der: bytes) -> None:
        context = self._context
        context.narrator.tell(
            KeyUsed(key=f"lineage/{self._name}/{self._version}", purpose="revoke its own certificate")
        )
        pem = read_pair(context.paths, self._name, self._version).privkey
        revoke_with_key(self._sessions.new_session(self._issuer, AccountKey.from_pem(pem)), der, pem, self._reason)
