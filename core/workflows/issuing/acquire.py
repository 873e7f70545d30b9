"""Obtains a certificate: from a CA, from the box's private CA, or self-signed. Ends with a stored version.

Nothing live changes here. A certificate from a CA is checked before it is accepted: it must have our key and the ordered names, and
be valid now. The order is on disk as soon as it exists, and its key before the CA can use it. So a kill, a reboot or a dropped
session loses nothing: the next run continues the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from core.acme.issuance import obtain
from core.acme.order import Order, OrderTerms
from core.acme.problem_type import ProblemType
from core.acme.session import AcmeSession
from core.clock import span
from core.errors import CertificateUnusable, ChallengeError, IssuerError, NotFound, StoreCorrupt
from core.events import CertificateIssued, KeyUsed, RehearsalPassed, Warned
from core.store.lineages import read_public, spec_of, versions
from core.store.orders import (
    OrderRecord,
    begin_order,
    delete_order,
    load_order,
    load_order_key,
    save_order,
    save_order_key,
)
from core.store.vault import Vault
from core.workflows.context import Context
from core.workflows.issuing.placing import place_order
from core.workflows.issuing.plan import Plan
from core.workflows.issuing.sessions import Sessions
from core.workflows.new_version import NewVersion
from core.workflows.new_version import store as store_new
from core.x509 import chain, csr
from core.x509.certificate import MalformedCertificate, parse_pem
from core.x509.key import PrivateKey, generate_key
from core.x509.key_reader import load_key

CLOCKS_DIFFER = timedelta(minutes=5)
"""With a larger difference, a new certificate of a CA may not be valid yet on this box, and clients may reject ours."""


class Acquired(Struct, frozen=True):
    """A checked certificate (PEM, leaf first) and its key. Its repr shows no key."""

    fullchain: bytes
    key: PrivateKey

    def __repr__(self) -> str:
        return "Acquired()"


def acquire(
    context: Context,
    plan: Plan,
    sessions: Sessions,
    vault: Vault,
    *,
    replaces: str | None = None,
    anyway: bool = False,
    only_continues: bool = False,
) -> int:
    """Obtain a certificate for `plan` and store it as a new version. Returns the number of the version.

    Args:
        replaces: the ARI id of the certificate that this one replaces (RFC 9773 §5).
        anyway: ask the CA to validate even if not all name servers have the manual DNS records.
        only_continues: if the key of the open order is damaged, raise StoreCorrupt instead of placing a new order.

    Raises:
        IssuerError, ChallengeError, StoreError, VaultError, Cancelled.
        PendingRecords: DNS records must be set manually first. The order stays open.
    """
    if plan.issuer.kind == "acme":
        try_once = partial(_order, context, plan, sessions, vault, replaces, anyway, only_continues)
        got = _with_account(plan, sessions, try_once)
    elif plan.issuer.kind == "private-ca":
        from core.workflows import appliance_ca

        leaf_key = generate_key(plan.key_type)
        leaf, root = appliance_ca.sign(context, vault, leaf_key, plan.names)
        got = Acquired(leaf + root, leaf_key)
    else:
        from core.workflows.issuing.self_sign import self_sign

        leaf_key = generate_key(plan.key_type)
        got = Acquired(self_sign(context, plan.names, leaf_key), leaf_key)
    return store(context, plan, got)


def store(context: Context, plan: Plan, got: Acquired) -> int:
    """Store the certificate as a new version of the lineage, and delete its order. Returns the number of the version."""
    leaf, _ = chain.split_fullchain(got.fullchain)
    context.narrator.tell(
        CertificateIssued(issuer=plan.issuer.name, names=leaf.names, not_after=leaf.not_after, sha256=leaf.sha256)
    )
    new = NewVersion(
        fullchain=got.fullchain,
        key=got.key.to_pem(),
        method=plan.method(context.config),
        ca=None if plan.issuer.kind == "self-signed" else plan.issuer.name,
        directory=plan.issuer.directory,
        profile=plan.profile,
    )
    version = store_new(context, plan.lineage, new)
    delete_order(context.paths, plan.name, durable=plan.is_manual)
    return version


def rehearse(context: Context, plan: Plan, sessions: Sessions) -> Acquired:
    """Order and validate at a staging directory, and store nothing (SO-27, SF-20). Raises what `acquire` raises."""
    leaf_key = generate_key(plan.key_type)
    session = sessions.session(plan.issuer, email=plan.email, agree_tos=plan.agree_tos)
    with sessions.limits.ledger.order(plan.issuer, plan.names):
        obtained = obtain(
            session,
            OrderTerms(identifiers=plan.identifiers, profile=plan.profile),
            csr=lambda: csr.build_csr(leaf_key, plan.names, common_name=plan.common_name),
            solver=sessions.solver(plan, is_new=lambda: True),
            narrator=context.narrator,
        )
    fullchain_pem = looked_at(context, plan, obtained.fullchain_pem, leaf_key.spki)
    context.narrator.tell(RehearsalPassed(issuer=plan.issuer.name, names=plan.names))
    return Acquired(fullchain_pem, leaf_key)


def _with_account(plan: Plan, sessions: Sessions, order: Callable[[], Acquired]) -> Acquired:
    """Order; if the CA no longer knows the account, register it again and order once more."""
    try:
        return order()
    except IssuerError as exc:
        if ProblemType.of_error(exc) is not ProblemType.ACCOUNT_DOES_NOT_EXIST:
            raise
        sessions.register_again(plan.issuer, email=plan.email, agree_tos=plan.agree_tos)
        return order()


def _order(
    context: Context,
    plan: Plan,
    sessions: Sessions,
    vault: Vault,
    replaces: str | None,
    anyway: bool,
    only_continues: bool,
) -> Acquired:
    session = sessions.session(plan.issuer, email=plan.email, agree_tos=plan.agree_tos)
    warn_of_clock(context, session)
    open_order = _OpenOrder(context, plan, vault, session.kid or "", only_continues=only_continues)
    solver = sessions.solver(plan, is_new=lambda: open_order.is_new, anyway=anyway)
    try:
        obtained = place_order(context, plan, sessions, session, open_order, solver, replaces=replaces)
    except IssuerError as exc:
        from core.workflows.issuing.dead_names import tell_the_way_on

        tell_the_way_on(plan, exc, context.config, is_new=_is_new(context, plan))
        raise
    except ChallengeError as exc:
        # The CA has not validated anything yet, so the order is still good.
        if open_order.url is not None:
            way = "the next `certdeck --renew`" if _is_new(context, plan) else f"`certdeck complete {plan.name}`"
            exc.fix += f" The order stays open: {way} continues it."
        raise
    try:
        fullchain = looked_at(context, plan, obtained.fullchain_pem, open_order.key.spki)
    except CertificateUnusable:
        open_order.forget()
        raise
    return Acquired(fullchain, open_order.key)


def _is_new(context: Context, plan: Plan) -> bool:
    """Return whether the lineage does not exist yet."""
    return not (context.paths.certificates / f"{plan.name}.toml").exists()


def warn_of_clock(context: Context, session: AcmeSession) -> None:
    """Warn, before anything is ordered, if the CA's clock differs: a new certificate may appear invalid on this box."""
    _ = session.directory  # fetched on first use; its response has the Date header
    offset = session.clock_skew
    if offset is None or abs(offset) <= CLOCKS_DIFFER or not context.clock.is_news(session.issuer):
        return
    seconds = offset.total_seconds()
    context.narrator.tell(
        Warned(
            code="clock-differs",
            what=f"The clock of this box is {span(abs(seconds))} {'ahead of' if seconds > 0 else 'behind'} that of "
            f"{session.issuer}.",
            fix="Set the date, or turn time synchronization on: with a wrong clock, a new certificate can appear invalid.",
        )
    )


def looked_at(context: Context, plan: Plan, fullchain: bytes, spki: bytes) -> bytes:
    """Check a CA's certificate chain for a public key, and return it in order (PEM). `spki`: DER. Raises CertificateUnusable."""
    now = context.env.clock.now()
    fullchain = chain.in_order(fullchain, spki, now)
    problem = chain.issued_pair_problem(fullchain, spki, plan.names, now)
    if problem is not None:
        raise CertificateUnusable(
            f"{plan.issuer.title} sent an unusable certificate.",
            problem,
            "Nothing was changed. Try again later, or use another issuer. Report the problem to the issuer.",
            lineage=plan.name,
        )
    return fullchain


def with_current_settings(context: Context, record: OrderRecord, plan: Plan) -> OrderRecord:
    """Store the current settings with an open order that was started under others: another DNS provider, other services."""
    if record.spec == spec_of(plan.lineage):
        return record
    fitting = replace(record, spec=spec_of(plan.lineage))
    save_order(context.paths, fitting)
    return fitting


class _OpenOrder:
    """The order on disk: the existing one if it matches the plan, else a new one."""

    def __init__(self, context: Context, plan: Plan, vault: Vault, account_url: str, *, only_continues: bool) -> None:
        self._context = context
        self._plan = plan
        self._vault = vault
        self._account_url = account_url
        self._record = self._found()
        self._key: PrivateKey | None = None
        try:
            self._key = self._found_key()
        except StoreCorrupt as exc:
            if only_continues:
                raise
            self._replace_damaged(exc)
        self.is_new = False
        """The CA created the order during this run."""
        if self._key is not None and self._is_stored(self._key):
            # An earlier run was killed between storing the certificate and deleting its order.
            delete_order(context.paths, plan.name)
            self._record = self._key = None

    @property
    def url(self) -> str | None:
        return self._record.order_url if self._record else None

    @property
    def key(self) -> PrivateKey:
        """The private key of the certificate: that of the open order if there is one, else a new one."""
        if self._key is None:
            self._key = generate_key(self._plan.key_type)
        return self._key

    def csr(self) -> bytes:
        """Return the CSR (DER) after storing its key, so that what the CA signs can always be used."""
        if self._key is None:  # an earlier release stored the order without a key
            save_order_key(self._context.paths, self._vault, self._plan.name, self.key.to_pem())
        self._context.narrator.tell(KeyUsed(key=f"order/{self._plan.name}", purpose="sign the request"))
        return csr.build_csr(self.key, self._plan.names, common_name=self._plan.common_name)

    def keep(self, order: Order) -> None:
        """Store an order that the CA has just created (or returned again)."""
        if self._record is not None and self._record.order_url == order.url:
            return
        plan = self._plan
        self.is_new = True
        if self._waited_for_somebody:
            self._context.narrator.tell(
                Warned(
                    code="order-replaced",
                    what="The order that waited for DNS records has ended at the CA. A new order replaces it.",
                    fix="Replace the records: the new order has new values.",
                )
            )
        delete_order(self._context.paths, plan.name)
        self._key = generate_key(plan.key_type)
        self._record = OrderRecord(
            name=plan.name,
            issuer=plan.issuer.name,
            directory=plan.issuer.directory or "",
            account_url=self._account_url,
            identifiers=plan.names,
            created=self._context.env.clock.now(),
            order_url=order.url,
            profile=plan.profile,
            challenge=plan.challenge,
            stage="pending",
            expires=order.expires,
            spec=spec_of(plan.lineage),
            request={"key_type": plan.key_type},
        )
        begin_order(self._context.paths, self._vault, self._record, self._key.to_pem())

    def forget(self) -> None:
        """Delete the order, so that the next run places a new one."""
        delete_order(self._context.paths, self._plan.name)

    def _found(self) -> OrderRecord | None:
        plan = self._plan
        record = load_order(self._context.paths, plan.name)
        self._waited_for_somebody = record is not None and bool(record.records)
        if record is None:
            return None
        is_ours = record.was_asked(plan.issuer.directory, self._account_url, like=plan)
        return with_current_settings(self._context, record, plan) if is_ours else None

    def _is_stored(self, key: PrivateKey) -> bool:
        paths, name = self._context.paths, self._plan.name
        for version in versions(paths, name):
            # A damaged version says nothing about the order.
            with suppress(StoreCorrupt, NotFound, MalformedCertificate):
                if parse_pem(read_public(paths, name, version)[0])[0].public_key_spki == key.spki:
                    return True
        return False

    def _replace_damaged(self, exc: StoreCorrupt) -> None:
        fix = "Replace the DNS records: the new order has new values." if self._waited_for_somebody else ""
        self._context.narrator.tell(Warned(code="order-replaced", what=f"{exc.what} A new order replaces it.", fix=fix))
        self._waited_for_somebody = False  # it has been told
        self._record = self._key = None

    def _found_key(self) -> PrivateKey | None:
        if self._record is None:
            return None
        pem = load_order_key(self._context.paths, self._vault, self._plan.name)
        return load_key(pem) if pem else None
