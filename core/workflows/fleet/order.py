"""One order for the fleet: placed or resumed, with its state in etcd and every write guarded by the lease.

Order and key are in etcd before the CA can use them. So if a hub dies at any step, another continues with the same order and the
same key. A hub that was disconnected or suspended is refused at its next write, which comes before its next step.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from core.acme.issuance import Obtained
from core.acme.order import Order
from core.acme.problem_type import ProblemType
from core.concealed import Concealed
from core.errors import CertificateUnusable, IssuerError, UsageError
from core.events import CertificateIssued, KeyUsed
from core.fleet import layout
from core.fleet.election import Leadership
from core.fleet.http01 import FleetResponder
from core.fleet.values import Certificate, SharedOrder, decoded, encoded
from core.operations import IssueRequest
from core.store.lineages import lineage_of, spec_of
from core.store.orders import OrderRecord
from core.store.records import from_json, to_json
from core.workflows import appliance_ca
from core.workflows.fleet.connection import Hub
from core.workflows.fleet.sharing import give_account, share_account, share_root
from core.workflows.issuing.acquire import looked_at, warn_of_clock
from core.workflows.issuing.placing import place_order
from core.workflows.issuing.plan import Plan, plan
from core.workflows.issuing.sessions import Sessions
from core.x509 import chain, csr
from core.x509.csr import SigningRequest
from core.x509.key import PrivateKey, generate_key
from core.x509.key_reader import load_key


class OrderRun(Struct, frozen=True, kw_only=True):
    """What an order needs: the leading hub, its leadership, and the CA sessions of its run."""

    hub: Hub
    lead: Leadership
    sessions: Sessions


class OfDevice(Struct, frozen=True, kw_only=True):
    """A signing request, and the id of the device that created it and has the key."""

    device: str
    request: SigningRequest


class Made(Concealed, Struct, frozen=True, kw_only=True):
    """An issued certificate."""

    fullchain: bytes
    key: PrivateKey | None
    """None: the device has the key."""
    place: str
    """The etcd key of its order."""
    plan: Plan


def planned(hub: Hub, wanted: Certificate, request: IssueRequest | None = None) -> Plan:
    """Return the plan for a certificate. `request`: of an interactive command, with an email address and consent to the terms.

    Raises UsageError, NotFound.
    """
    chosen = plan(hub.context.config, lineage_of(wanted.spec, wanted.name))
    return chosen if request is None else replace(chosen, email=request.email, agree_tos=request.agree_tos)


def order(
    run: OrderRun, wanted: Certificate, chosen: Plan, *, of: OfDevice | None = None, replaces: str | None = None
) -> Made:
    """Order a certificate for the fleet. Does not publish it.

    Args:
        of: the signing request of a device that has the key. None: this hub creates the key.
        replaces: ARI id (RFC 9773) of the certificate that this one replaces.

    Raises NotLeading (`not-leading`), IssuerError, ChallengeError, FleetError, UsageError.
    """
    context = run.hub.context
    if chosen.is_manual:
        raise UsageError(
            "A certificate of the fleet renews automatically.",
            "This is not possible with manual DNS records.",
            "Use --dns with a provider entry, or --challenge http-01.",
            lineage=wanted.name,
        )
    if any(_is_renewed(chosen, facts) for facts in wanted.made.values()):
        run.sessions.limits.ledger.has_issued(chosen.issuer, chosen.names)
    place = layout.order(wanted.name, of.device if of else "")
    request = of.request if of else None
    if chosen.issuer.kind == "acme":
        made = _from_ca(run, chosen, place, request, replaces)
    else:
        made = _from_own_ca(run, chosen, place, request)
    leaf = chain.split_fullchain(made.fullchain)[0]
    context.narrator.tell(
        CertificateIssued(issuer=chosen.issuer.name, names=leaf.names, not_after=leaf.not_after, sha256=leaf.sha256)
    )
    return made


def _is_renewed(chosen: Plan, had: Mapping[str, object]) -> bool:
    """Tell whether an existing certificate of the fleet has exactly the ordered names and is from the same CA."""
    names = had.get("names")
    return had.get("directory") == chosen.issuer.directory and isinstance(names, list) and set(names) == {*chosen.names}


def _from_own_ca(run: OrderRun, chosen: Plan, place: str, request: SigningRequest | None) -> Made:
    if chosen.issuer.kind != "private-ca":
        raise UsageError(
            "The boxes of a fleet cannot share a self-signed certificate.",
            "Each box has its own for its first boot.",
            "Use --issuer appliance-ca, the private CA that the hubs share, or an ACME CA.",
            lineage=chosen.name,
        )
    context = run.hub.context
    share_root(run.hub, run.lead)
    own = None if request else generate_key(chosen.key_type)
    part = request or own
    assert part is not None
    leaf, root = appliance_ca.sign(context, context.vault, part, chosen.names)
    return Made(fullchain=leaf + root, key=own, place=place, plan=chosen)


def _from_ca(run: OrderRun, chosen: Plan, place: str, request: SigningRequest | None, replaces: str | None) -> Made:
    hub, lead, sessions = run.hub, run.lead, run.sessions
    context = hub.context
    share_account(hub, lead, chosen.issuer)
    session = sessions.session(chosen.issuer, email=chosen.email, agree_tos=chosen.agree_tos)
    give_account(hub, lead, chosen.issuer)
    warn_of_clock(context, session)
    open_order = _OpenOrder(run, chosen, place, session.kid or "", request)
    own = sessions.solver(chosen, is_new=lambda: open_order.is_new)
    solver = FleetResponder(hub.etcd, lead, own, context.env.clock) if chosen.challenge == "http-01" else own

    def once() -> Obtained:
        return place_order(context, chosen, sessions, session, open_order, solver, replaces=replaces)

    try:
        got = once()
    except IssuerError as exc:
        if ProblemType.of_error(exc) is not ProblemType.ACCOUNT_DOES_NOT_EXIST:
            raise
        session = sessions.register_again(chosen.issuer, email=chosen.email, agree_tos=chosen.agree_tos)
        give_account(hub, lead, chosen.issuer)
        got = once()
    try:
        fullchain = looked_at(context, chosen, got.fullchain_pem, open_order.spki)
    except CertificateUnusable:
        open_order.forget()
        raise
    return Made(fullchain=fullchain, key=open_order.key, place=place, plan=chosen)


class _OpenOrder:
    """The order in etcd: the existing one if it matches the plan, else a new one."""

    def __init__(
        self, run: OrderRun, chosen: Plan, place: str, account_url: str, request: SigningRequest | None
    ) -> None:
        self._hub = run.hub
        self._lead = run.lead
        self._plan = chosen
        self._place = place
        self._account_url = account_url
        self._request = request
        self.is_new = False
        """The CA created the order during this run."""
        self._record, self.key = self._found()

    @property
    def url(self) -> str | None:
        return self._record.order_url if self._record else None

    @property
    def spki(self) -> bytes:
        part = self._request or self.key
        assert part is not None, "a certificate has a key"
        return part.spki

    def csr(self) -> bytes:
        """Return the CSR (DER) after writing its key to etcd, so that any hub can use what the CA signs."""
        if self._request is not None:
            self._keep()
            return self._request.der
        if self.key is None:
            self.key = generate_key(self._plan.key_type)
        self._keep()
        self._hub.context.narrator.tell(KeyUsed(key=self._place, purpose="sign the request"))
        return csr.build_csr(self.key, self._plan.names, common_name=self._plan.common_name)

    def keep(self, made: Order) -> None:
        """Store an order that the CA has just created, before anything else happens with it."""
        chosen = self._plan
        self.is_new = True
        self.key = None
        self._record = OrderRecord(
            name=chosen.name,
            issuer=chosen.issuer.name,
            directory=chosen.issuer.directory or "",
            account_url=self._account_url,
            identifiers=chosen.names,
            created=self._hub.context.env.clock.now(),
            order_url=made.url,
            profile=chosen.profile,
            challenge=chosen.challenge,
            stage="pending",
            expires=made.expires,
            spec=spec_of(chosen.lineage),
            request={"key_type": chosen.key_type, "key": self._key_named()},
        )
        self._keep()

    def forget(self) -> None:
        self._hub.etcd.commit({}, [self._place], [self._lead.guard()])
        self._record = self.key = None

    def _keep(self) -> None:
        """Write the order, guarded by the lease, even if it is unchanged: the write shows whether this hub still leads."""
        assert self._record is not None
        key = "" if self.key is None else self.key.to_pem().decode()
        shared = SharedOrder(record=to_json(self._record).decode(), key=key)
        sealed = self._hub.master.seal(encoded(shared), self._place, self._hub.context.env.random)
        self._hub.etcd.commit({self._place: sealed}, guards=[self._lead.guard()])

    def _key_named(self) -> str:
        """Return what distinguishes the device's key in this order from its next key: the SPKI in hex. Empty: not a device's."""
        return "" if self._request is None else self._request.spki.hex()

    def _found(self) -> tuple[OrderRecord | None, PrivateKey | None]:
        there = self._hub.etcd.get(self._place)
        if there is None:
            return None, None
        shared = decoded(SharedOrder, self._hub.master.open(there.value, self._place), self._place)
        record = from_json(OrderRecord, shared.record.encode(), self._place)
        chosen = self._plan
        is_ours = record.was_asked(chosen.issuer.directory, self._account_url, like=chosen)
        if not is_ours or record.request.get("key", "") != self._key_named():
            return None, None
        return record, load_key(shared.key.encode()) if shared.key else None
