"""The CA sessions of one run: one for each issuer, created on first use, shared by every order of the run.

An account is registered on first use (SF-17). Its key is in the vault before the CA sees it. The key identifies the account:
contact and terms can change without a new account. If a CA has lost the account (a test CA after a restart), the same key is
registered again.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType

from msgspec.structs import replace

from core.acme.account import ExternalAccountBinding, holds, register
from core.acme.account_key import AccountKey
from core.acme.session import AcmeSession
from core.challenges import Solver
from core.challenges.http01 import Responder
from core.config.model import IssuerConfig
from core.dns.names import DNS_CHALLENGES
from core.errors import CertdeckError, RateLimited, UsageError
from core.events import AccountReady, KeyUsed
from core.issuers import Issuer
from core.request_kind import RequestKind
from core.store.accounts import AccountRecord, load_account, save_account
from core.store.vault import Vault
from core.version import VERSION
from core.workflows.context import Context
from core.workflows.issuing.dns_proofs import DnsProofs
from core.workflows.issuing.limits import AccountGate, Limits
from core.workflows.issuing.plan import Plan

__all__ = ["Sessions"]


class Sessions:
    """The sessions, as a context manager: leaving it closes every connection and every listener. Thread-safe."""

    def __init__(
        self,
        context: Context,
        vault: Vault,
        *,
        insists: bool = False,
        is_forced: bool = False,
        ends: float = math.inf,
    ) -> None:
        """`insists`, `is_forced`, `ends`: see `Limits`."""
        self.limits = Limits(context, insists=insists, is_forced=is_forced, ends=ends)
        self._context = context
        self._vault = vault
        self._lock = threading.Lock()
        self._connecting: dict[str, threading.Lock] = {}
        self._places: dict[str, threading.Semaphore] = {}
        self._sessions: dict[str, AcmeSession] = {}
        self._refused: dict[str, CertdeckError] = {}
        """Errors of issuers that could not be used: each is tried once in a run, not once for each lineage."""
        self._solvers: dict[str, Solver] = {}
        self._dns = DnsProofs(context, vault)
        self._open = ExitStack()
        self._open.callback(self._dns.close)
        self._open.callback(self.limits.keep)

    def __enter__(self) -> Sessions:
        self._dns.clean_up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def session(self, issuer: Issuer, *, email: str | None = None, agree_tos: bool = False) -> AcmeSession:
        """Return the session with `issuer`, with its account ready. Sends one or two requests the first time.

        Raises:
            AccountError: terms not accepted, external account binding missing, account deactivated.
            IssuerError: the directory cannot be reached or read.
            VaultError: the account key cannot be opened.
        """
        with self._lock:
            connecting = self._connecting.setdefault(issuer.name, threading.Lock())
        # One lock for each issuer: an issuer that does not answer must not delay the others.
        with connecting:
            refused = self._refused.get(issuer.name)
            if refused is not None:
                for kind in (
                    (RequestKind.DIRECTORY, RequestKind.NEW_ACCOUNT) if isinstance(refused, RateLimited) else ()
                ):
                    self._gate(issuer).enter(kind, ())  # raises the error of a request that was not sent
                raise refused
            known = self._sessions.get(issuer.name)
            if known is None:
                try:
                    known = self._connect(issuer, email, agree_tos)
                except CertdeckError as exc:
                    self._refused[issuer.name] = exc
                    raise
                self._sessions[issuer.name] = known
            return known

    def place(self, issuer: Issuer) -> threading.Semaphore:
        """Return the semaphore to hold while an order is in progress: no issuer gets more than its `max_orders` at once."""
        settings = self._context.config.issuers.get(issuer.name, IssuerConfig())
        with self._lock:
            return self._places.setdefault(issuer.name, threading.Semaphore(settings.max_orders))

    def register_again(self, issuer: Issuer, *, email: str | None = None, agree_tos: bool = False) -> AcmeSession:
        """Register our key again, after the CA reported that the account does not exist. Raises what `session` raises."""
        session = self.session(issuer, email=email, agree_tos=agree_tos)
        with self._lock:
            self._register(session, issuer, email, agree_tos)
            return session

    def solver(self, plan: Plan, *, is_new: Callable[[], bool], anyway: bool = False) -> Solver:
        """Return the solver for a plan's challenge. One listener, webroot or writer of DNS records serves the whole run.

        Args:
            is_new: tells whether the order was placed during this run; called when the challenges are due.
            anyway: ask the CA to validate even if not all name servers have the manual DNS records.

        Raises UsageError (`usage`) for an unsupported challenge; NotFound for an unknown DNS provider.
        """
        if plan.challenge in DNS_CHALLENGES:
            return self._dns.solver(plan.challenge, plan.lineage.dns, is_new=is_new, anyway=anyway)
        with self._lock:
            solver = self._solvers.get(plan.challenge)
            if solver is None:
                solver = self._solvers[plan.challenge] = self._make_solver(plan.challenge)
            return solver

    def _connect(self, issuer: Issuer, email: str | None, agree_tos: bool) -> AcmeSession:
        assert issuer.directory is not None, "only ACME issuers have sessions"
        context = self._context
        record = load_account(context.paths, issuer.name, issuer.directory)
        pem = None if record is None else self._vault.find(record.key_record)
        if record is None or pem is None or not record.has_account:
            record, key = (
                None,
                AccountKey.generate(),
            )  # without its key, the account is lost: `_register` keeps its contact
        else:
            context.narrator.tell(KeyUsed(key=record.key_record, purpose=f"sign requests to {issuer.name}"))
            key = AccountKey.from_pem(pem)
        session = self.new_session(issuer, key, record.url if record else None)
        if record is not None and record.url is not None:
            self._settle_key(session, record, record.url)
            context.narrator.tell(AccountReady(issuer=issuer.name, url=record.url, created=False))
        else:
            self._register(session, issuer, email, agree_tos)
        return session

    def new_session(self, issuer: Issuer, key: AccountKey, kid: str | None = None) -> AcmeSession:
        """Return a new session with `issuer` under `key`. Sends no request. It is closed with the others."""
        assert issuer.directory is not None, "only ACME issuers have sessions"
        context = self._context
        settings = context.config.issuers.get(issuer.name)
        transport = context.env.transport(settings.ca_bundle if settings else None)
        self._open.callback(transport.close)
        return AcmeSession(
            transport=transport,
            clock=context.env.clock,
            random=context.env.random,
            directory_url=issuer.directory,
            key=key,
            cancel=context.cancel,
            kid=kid,
            user_agent=f"certdeck/{VERSION}",
            issuer=issuer.name,
            gate=self._gate(issuer),
            compared=lambda offset: context.clock.compared(issuer.name, offset),
        )

    def _gate(self, issuer: Issuer) -> AccountGate:
        return self.limits.gate(issuer)

    def _settle_key(self, session: AcmeSession, record: AccountRecord, url: str) -> None:
        """Complete an interrupted key rollover: only the CA knows which of the two keys is valid."""
        pem = self._vault.find(record.new_key_record)
        if pem is None:
            return
        new = AccountKey.from_pem(pem)
        if holds(session, new, url):
            self._vault.put(record.key_record, pem)
            save_account(self._context.paths, record.with_key(new.kind, new.thumbprint))
            session.key = new
        self._vault.delete(record.new_key_record)

    def _register(self, session: AcmeSession, issuer: Issuer, email: str | None, agree_tos: bool) -> None:
        context = self._context
        assert issuer.directory is not None
        settings = context.config.issuers.get(issuer.name)
        contact = email or (settings.email if settings else None)
        agreed = agree_tos or bool(settings and settings.agree_tos)
        known = load_account(context.paths, issuer.name, issuer.directory)
        contact = contact or (known.contact if known else None)
        # An earlier agreement also holds for a new account in an unattended run: only new terms need a new agreement.
        terms = session.directory.terms_of_service
        agreed = agreed or (known is not None and known.terms is not None and known.terms == terms)
        created_at = known.created if known and known.created else context.env.clock.now()
        record = AccountRecord.new(issuer.name, issuer.directory, contact=contact, created=created_at)
        record = replace(record, terms=known.terms if known else None)
        record = record.with_key(session.key.kind, session.key.thumbprint)
        # Store key and record before the CA sees them: after a crash in between, the same key finds the account again.
        self._vault.put(record.key_record, session.key.to_pem())
        save_account(context.paths, record)
        binding = None
        if settings and settings.eab_kid:
            hmac = self._vault.find(f"eab/{issuer.name}")
            if hmac is not None:
                binding = ExternalAccountBinding.parse(settings.eab_kid, hmac)
        account, created = register(
            session, email=contact, terms_agreed=agreed, eab=binding, needs_contact=issuer.needs_email
        )
        record = replace(record, contact=contact or next(iter(account.contact or ()), None))
        save_account(context.paths, record.registered(account.url, terms if agreed else None))
        context.narrator.tell(AccountReady(issuer=issuer.name, url=account.url, created=created))

    def _make_solver(self, challenge: str) -> Solver:
        http01 = self._context.config.http01
        if challenge != "http-01":
            raise UsageError(
                f"The challenge {challenge} is not supported.",
                "certdeck validates names by http-01 or through DNS. The private CA of the box needs no validation.",
                "Use --challenge http-01 or dns-01, or --issuer appliance-ca.",
            )
        if http01.mode == "webroot" and http01.webroot:
            from pathlib import Path

            from core.challenges.webroot import Webroot

            return Webroot(Path(http01.webroot))
        return Responder(self._context.env.listener, http01.address, http01.port)
