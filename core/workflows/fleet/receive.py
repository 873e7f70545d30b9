"""A device receives the certificates that hubs published for it, and deploys them like local ones: test, reload, probe, rollback.

Every sync reads the device's whole prefix. So a device misses nothing while it is away, however long, and does not depend on
history that etcd may have compacted. A certificate that the device rejects is reported, and the current one stays in service.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from core.errors import Cancelled, CertdeckError
from core.events import DEVICE_FAILED, Failed, Warned
from core.fleet import layout
from core.fleet.etcd import Etcd, KeyValue
from core.fleet.sealing import verify
from core.fleet.values import STAGE, Delivery, Request, Seen, Signed, Told, Wanted, decoded, encoded, unb64
from core.fleet_errors import FleetError
from core.fleet_status import Received
from core.identifiers import check_lineage_name
from core.store import lineages
from core.store.fleet import Identity, load_identity
from core.workflows.context import Context
from core.workflows.fleet import access
from core.workflows.fleet.accept import Accepting
from core.workflows.fleet.connection import connected, read_fleet, require_fleet, same_fleet
from core.workflows.fleet.device_keys import make_request, unfit
from core.workflows.fleet.members import take_welcome
from core.x509 import chain

T = TypeVar("T", bound=Struct)


def sync(context: Context) -> Received:
    """Read once what this device should serve, and deploy it.

    Raises UsageError, NotFound, FleetError. Failures of single certificates are in the result.
    """
    require_fleet(context)
    identity = load_identity(context.paths)
    if identity is None:
        raise FleetError(
            "This box has not asked to join the fleet yet.", "No hub has a request from it.", "Run: certdeck fleet join"
        )
    if not identity.fleet:
        with connected(context, login=access.ticket_login(context)) as etcd:
            taken = take_welcome(context, etcd, read_fleet(etcd))
        if taken is None:
            return Received(state="waiting")
        identity = taken
    with connected(context) as etcd:
        return take(context, etcd, identity)


def take(context: Context, etcd: Etcd, identity: Identity) -> Received:
    """Do what `sync` does for an approved device, over an open connection. Raises FleetError."""
    same_fleet(identity, read_fleet(etcd))
    found, revision = etcd.range(layout.device(identity.box))
    outcome = Received(state="approved", revision=revision)
    device = _Device(context, etcd, identity)
    for entry in found:
        outcome = device.take(entry, outcome)
    etcd.put(layout.seen(identity.box), encoded(Seen(at=context.env.clock.now())))
    return outcome


def is_welcome(context: Context, identity: Identity) -> bool:
    """Tell, without a lock, whether a hub has approved this box. Raises FleetError."""
    with connected(context, login=access.ticket_login(context)) as etcd:
        return etcd.get(layout.WELCOME + identity.box) is not None


def has_news(context: Context, etcd: Etcd, identity: Identity) -> tuple[bool, int]:
    """Tell, without a lock, whether `take` would have something to do. Also returns the revision of etcd that was read.

    Raises FleetError.
    """
    same_fleet(identity, read_fleet(etcd))
    found, revision = etcd.range(layout.device(identity.box))
    device = _Device(context, etcd, identity)
    return any(device.is_news(entry) for entry in found), revision


class _Device:
    """One sync: handles each entry and reports the result."""

    def __init__(self, context: Context, etcd: Etcd, identity: Identity) -> None:
        self._context = context
        self._etcd = etcd
        self._identity = identity
        self._accepting = Accepting(identity)

    def take(self, entry: KeyValue, outcome: Received) -> Received:
        kind, _, name = entry.key.removeprefix(layout.device(self._identity.box)).partition("/")
        context = self._context
        try:
            check_lineage_name(name)
            context = context.about(name)
            if kind == "wanted":
                made = make_request(context, self._etcd, self._identity.box, self._signed(Wanted, entry))
                return replace(outcome, requested=(*outcome.requested, name)) if made else outcome
            if kind != "certs":
                return outcome
            delivery = self._signed(Delivery, entry)
            if delivery.name != name:
                raise unfit(name, "It is for another certificate.")
        except CertdeckError as exc:
            if isinstance(exc, Cancelled):
                raise
            return self._failed(context, name, 0, exc, outcome)
        try:
            if delivery.phase == STAGE:
                self._accepting.stage(context, delivery)
                self._tell(Told(name=name, version=delivery.version, state="staged", at=self._now))
                return replace(outcome, staged=(*outcome.staged, name))
            is_new = self._accepting.deploy(context, delivery)
        except CertdeckError as exc:
            if isinstance(exc, Cancelled):
                raise
            return self._failed(context, name, delivery.version, exc, outcome)
        leaf = chain.split_fullchain(delivery.fullchain.encode())[0]
        self._tell(Told(name=name, version=delivery.version, state="deployed", at=self._now, sha256=leaf.sha256))
        if is_new:
            return replace(outcome, deployed=(*outcome.deployed, name))
        return replace(outcome, unchanged=(*outcome.unchanged, name))

    def is_news(self, entry: KeyValue) -> bool:
        """Tell whether an entry may need work. An unreadable entry does."""
        kind, _, name = entry.key.removeprefix(layout.device(self._identity.box)).partition("/")
        try:
            if kind != "certs":
                asked = self._signed(Wanted, entry)
                made = self._etcd.get(layout.request(self._identity.box, name))
                return made is None or decoded(Request, made.value, made.key).version != asked.version
            delivery = self._signed(Delivery, entry)
            if delivery.phase == STAGE:
                told = self._etcd.get(layout.report(self._identity.box, name))
                said = None if told is None else decoded(Told, told.value, told.key)
                return said is None or (said.version, said.state) != (delivery.version, "staged")
            live = lineages.live_version(self._context.paths, name)
            if live is None:
                return True
            has = lineages.read_version(self._context.paths, name, live).certificate.sha256
            told = self._etcd.get(layout.report(self._identity.box, name))
            is_told = told is not None and decoded(Told, told.value, told.key).version == delivery.version
            return not is_told or has != chain.split_fullchain(delivery.fullchain.encode())[0].sha256
        except CertdeckError:
            return True

    @property
    def _now(self) -> datetime:
        return self._context.env.clock.now()

    def _failed(self, context: Context, name: str, version: int, exc: CertdeckError, outcome: Received) -> Received:
        context.narrator.tell(Failed(code=exc.code, what=exc.what, why=exc.why, fix=exc.fix))
        error = {"code": exc.code, "what": exc.what, "why": exc.why, "fix": exc.fix}
        self._tell(Told(name=name, version=version, state="failed", at=self._now, error=error))
        return replace(outcome, failed=(*outcome.failed, (name, exc)))

    def _tell(self, told: Told) -> None:
        """Write a report to etcd, unless the existing one says the same."""
        place = layout.report(self._identity.box, told.name)
        found = self._etcd.get(place)
        if found is not None:
            try:
                had = decoded(Told, found.value, place)
            except CertdeckError:
                had = None
            if had is not None and replace(had, at=told.at) == told:
                return
        self._etcd.put(place, encoded(told))

    def _signed(self, kind: type[T], entry: KeyValue) -> T:
        """Check the hubs' signature of an entry, and return its value. Raises FleetForged, FleetTooNew."""
        outer = decoded(Signed, entry.value, entry.key)
        text = outer.text.encode()
        try:
            signature, public = unb64(outer.signature), unb64(self._identity.verifying)
        except ValueError:
            signature, public = b"", b"\0" * 32
        verify(public, text, signature, layout.signed_for(self._identity.fleet, entry.key))
        return decoded(kind, text, entry.key)


def sync_own(context: Context) -> None:
    """Deploy published certificates on a hub that is also a device. A failed certificate is only a warning here."""
    if not context.config.fleet.is_device:
        return
    for name, exc in sync(context).failed:
        context.about(name).narrator.tell(
            Warned(code=DEVICE_FAILED, what=f"This box did not accept {name}: {exc.what} {exc.why}", fix=exc.fix)
        )
