"""A device takes what the hubs have published for it, and deploys it as a box of its own does: test, reload, probe, rollback.

Every sync looks at the device's whole prefix. So nothing is lost by having been away, however long, and nothing depends on a
history that etcd has compacted meanwhile. What cannot be taken is reported, and what is served stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from core.config.model import LineageConfig, TargetConfig
from core.errors import Cancelled, CertdeckError, FleetError, InputRejected, NotFound, UsageError
from core.events import DEVICE_FAILED, Changed, Failed, KeyUsed, Warned
from core.fleet import layout
from core.fleet.etcd import Etcd, KeyValue
from core.fleet.sealing import open_with, verify
from core.fleet.values import (
    BACK,
    DEVICE,
    POLICIES,
    STAGE,
    Delivery,
    Request,
    Seen,
    Signed,
    Told,
    Wanted,
    b64,
    decoded,
    encoded,
    unb64,
)
from core.fleet_status import Received
from core.identifiers import check_lineage_name
from core.key_types import KEY_TYPES
from core.store import lineages
from core.store.fleet import BOX_KEY, Identity, load_identity, save_identity
from core.store.had_with import settings_of
from core.targets.resolved import resolved
from core.targets.service import check_commands
from core.workflows.context import Context
from core.workflows.deploying.transaction import deploy_version
from core.workflows.fleet import access
from core.workflows.fleet.connection import connected, read_fleet, require_fleet, same_fleet
from core.workflows.fleet.members import own_key, take_welcome
from core.workflows.issuing.method import FLEET
from core.workflows.new_version import NewVersion, store
from core.x509 import chain, csr
from core.x509.key import PrivateKey, generate_key
from core.x509.key_reader import load_key

T = TypeVar("T", bound=Struct)


def sync(context: Context) -> Received:
    """Look once at what this device should serve, and take it.

    Raises UsageError, NotFound, FleetError; failures of single certificates are in the result.
    """
    require_fleet(context)
    identity = load_identity(context.paths)
    if identity is None:
        raise FleetError(
            "This box has not asked to join the fleet yet.",
            "No hub has a request from it.",
            "Run: certdeck fleet join",
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
    """Look once, over an open connection, at what a device that was let in should serve, and take it. Raises FleetError."""
    same_fleet(identity, read_fleet(etcd))
    found, revision = etcd.range(layout.device(identity.box))
    outcome = Received(state="approved", revision=revision)
    device = _Device(context, etcd, identity)
    for entry in found:
        outcome = device.take(entry, outcome)
    etcd.put(layout.seen(identity.box), encoded(Seen(at=context.env.clock.now())))
    return outcome


def is_welcome(context: Context, identity: Identity) -> bool:
    """Tell, without a lock, whether a hub has answered a box that asked to be let in. Raises FleetError."""
    with connected(context, login=access.ticket_login(context)) as etcd:
        return etcd.get(layout.WELCOME + identity.box) is not None


def has_news(context: Context, etcd: Etcd, identity: Identity) -> tuple[bool, int]:
    """Tell, without a lock, whether `take` would find something to do, and the revision of etcd that this is of.

    Raises FleetError.
    """
    same_fleet(identity, read_fleet(etcd))
    found, revision = etcd.range(layout.device(identity.box))
    device = _Device(context, etcd, identity)
    return any(device.is_news(entry) for entry in found), revision


class _Device:
    """One sync."""

    def __init__(self, context: Context, etcd: Etcd, identity: Identity) -> None:
        self._context = context
        self._etcd = etcd
        self._identity = identity

    def take(self, entry: KeyValue, outcome: Received) -> Received:
        kind, _, name = entry.key.removeprefix(layout.device(self._identity.box)).partition("/")
        context = self._context
        try:
            check_lineage_name(name)
            context = context.about(name)
            if kind == "wanted":
                made = self._request(context, self._signed(Wanted, entry))
                return replace(outcome, requested=(*outcome.requested, name)) if made else outcome
            if kind != "certs":
                return outcome
            delivery = self._signed(Delivery, entry)
            if delivery.name != name:
                raise _unfit(name, "It is for another certificate.")
        except CertdeckError as exc:
            if isinstance(exc, Cancelled):
                raise
            return self._failed(context, name, 0, exc, outcome)
        try:
            if delivery.phase == STAGE:
                self._stage(context, delivery)
                self._tell(Told(name=name, version=delivery.version, state="staged", at=self._now))
                return replace(outcome, staged=(*outcome.staged, name))
            is_new = self._deploy(context, delivery)
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
        """Tell whether an entry may need something to be done. What cannot be read does."""
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
        """Report, where that is news: an entry that says the same is not written again."""
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
        """Return what a hub has written, once its signature is checked."""
        outer = decoded(Signed, entry.value, entry.key)
        text = outer.text.encode()
        try:
            signature, public = unb64(outer.signature), unb64(self._identity.verifying)
        except ValueError:
            signature, public = b"", b"\0" * 32
        verify(public, text, signature, f"{self._identity.fleet}/{entry.key}")
        return decoded(kind, text, entry.key)

    def _stage(self, context: Context, delivery: Delivery) -> None:
        """Keep a version ready; whatever can be found wrong without switching is found now."""
        spec = self._spec(context, delivery)
        self._refuse_weaker(context, delivery)
        leaf = chain.split_fullchain(delivery.fullchain.encode())[0]
        check_commands(context.env, tuple(resolved(target) for target in self._targets(context, spec.targets)))
        if self._stored(context, delivery.name, leaf.sha256) is None:
            self._store(context, delivery, spec)

    # -- a delivery ----------------------------------------------------------------------------------------------------

    def _deploy(self, context: Context, delivery: Delivery) -> bool:
        """Store and deploy a delivery, unless it is what is live. Returns whether anything was done."""
        name = delivery.name
        spec = self._spec(context, delivery)
        self._refuse_weaker(context, delivery)
        leaf = chain.split_fullchain(delivery.fullchain.encode())[0]
        version = self._stored(context, name, leaf.sha256)
        live = lineages.live_version(context.paths, name)
        if version is not None and version == live and settings_of(context.paths, name).targets == spec.targets:
            return False
        if delivery.phase == BACK:
            version = self._kept(context, name, leaf.sha256)
            lineages.unseal_key(context.paths, context.vault, name, version)
        elif version is None:
            version = self._store(context, delivery, spec)
        deploy_version(context, name, version, self._targets(context, spec.targets), spec=spec)
        policies = {**self._identity.policies, name: delivery.policy}
        if policies != self._identity.policies:
            self._identity = replace(self._identity, policies=policies)
            save_identity(context.paths, self._identity)
        if delivery.policy == DEVICE:
            context.vault.delete(_request_key(name, delivery.version))
        return True

    def _spec(self, context: Context, delivery: Delivery) -> LineageConfig:
        """Return the settings that the certificate gets here. Raises UsageError where one of this box's own has the name."""
        name = delivery.name
        leaf = chain.split_fullchain(delivery.fullchain.encode())[0]
        try:
            had = settings_of(context.paths, name)
        except NotFound:
            had = LineageConfig(name=name)
        else:
            if had.issuer != FLEET:
                raise UsageError(
                    f"This box has its own certificate {name}.",
                    "The fleet's certificate would replace it.",
                    f"Issue the fleet's certificate with another --name, or remove the local one: certdeck delete {name}",
                    lineage=name,
                )
        return replace(
            had,
            domains=tuple(each for each in leaf.names if each),
            issuer=FLEET,
            targets=self._chosen(context, delivery),
        )

    def _chosen(self, context: Context, delivery: Delivery) -> tuple[str, ...]:
        """Return the targets of this box: those that the hub names, else those of `[fleet]`, else all that nobody else has."""
        configured = context.config.targets
        if delivery.targets:
            here = tuple(each for each in delivery.targets if each in configured)
            if not here:
                raise NotFound(
                    f"This box has none of the targets of {delivery.name}.",
                    f"The hub lists {', '.join(delivery.targets)}. Configured here: {', '.join(sorted(configured)) or 'none'}.",
                    "Add the target on this box: certdeck target add",
                    lineage=delivery.name,
                )
            return here
        for each in context.config.fleet.targets:
            if each not in configured:
                raise NotFound(
                    f"The target {each!r} does not exist.",
                    "[fleet] targets lists it.",
                    "Add it with `certdeck target add`, or correct [fleet] targets.",
                    lineage=delivery.name,
                )
        if context.config.fleet.targets:
            return context.config.fleet.targets
        taken: set[str] = set()
        for other in lineages.names(context.paths):
            if other != delivery.name:
                try:
                    settings = settings_of(context.paths, other)
                except CertdeckError:
                    continue
                if settings.issuer == FLEET:
                    taken |= set(settings.targets)
        return tuple(sorted(set(configured) - taken))

    @staticmethod
    def _targets(context: Context, names: Sequence[str]) -> list[TargetConfig]:
        return [context.config.targets[name] for name in names]

    def _refuse_weaker(self, context: Context, delivery: Delivery) -> None:
        if delivery.policy not in POLICIES:
            raise _unfit(delivery.name, f"Its key policy {delivery.policy!r} is not supported here.")
        had = self._identity.policies.get(delivery.name, POLICIES[0])
        if POLICIES.index(delivery.policy) >= POLICIES.index(had):
            return
        if not delivery.weakened:
            raise _unfit(delivery.name, f"Its key policy was {had} and is now {delivery.policy}, which is weaker.")
        context.narrator.tell(
            Warned(
                code="key-policy-weakened",
                what=f"The key policy of {delivery.name} was weakened from {had} to {delivery.policy} on a hub.",
                fix="No action is needed if this was intended.",
            )
        )

    @staticmethod
    def _kept(context: Context, name: str, sha256: str) -> int:
        """Return the version here that is to be served again. Raises InputRejected where this box never had it."""
        for version in reversed(lineages.versions(context.paths, name)):
            if lineages.read_version(context.paths, name, version).certificate.sha256 == sha256:
                return version
        raise _unfit(name, "The previous version is not available on this box.")

    @staticmethod
    def _stored(context: Context, name: str, sha256: str) -> int | None:
        """Return the version here that already is this certificate, live or waiting."""
        for version in (lineages.waiting_version(context.paths, name), lineages.live_version(context.paths, name)):
            if version is None:
                continue
            try:
                if lineages.read_version(context.paths, name, version).certificate.sha256 == sha256:
                    return version
            except CertdeckError:
                continue
        return None

    def _store(self, context: Context, delivery: Delivery, spec: LineageConfig) -> int:
        key = self._key(context, delivery)
        fullchain = delivery.fullchain.encode()
        problem = chain.issued_pair_problem(fullchain, key.spki, spec.domains, context.env.clock.now())
        if problem is not None:
            raise _unfit(delivery.name, problem)
        new = NewVersion(fullchain=fullchain, key=key.to_pem(), method=FLEET, ca=delivery.ca or None)
        return store(context, spec, new)

    def _key(self, context: Context, delivery: Delivery) -> PrivateKey:
        name, version = delivery.name, delivery.version
        if delivery.policy == DEVICE:
            pem = context.vault.find(_request_key(name, version))
            if pem is None:
                raise _unfit(name, "Its key should be on this box, but is missing.")
            context.narrator.tell(KeyUsed(key=_request_key(name, version), purpose="use it for the new version"))
            return load_key(pem)
        context.narrator.tell(KeyUsed(key=BOX_KEY, purpose=f"open the key of {name}, version {version}"))
        try:
            sealed = unb64(delivery.sealed)
        except ValueError as exc:
            raise _unfit(name, "Its key cannot be read.") from exc
        place = f"{self._identity.fleet}/{self._identity.box}/{name}/{version}"
        try:
            return load_key(open_with(own_key(context), sealed, place))
        except ValueError as exc:
            raise _unfit(name, "The encrypted content is not a private key.") from exc

    # -- a signing request ---------------------------------------------------------------------------------------------

    def _request(self, context: Context, wanted: Wanted) -> bool:
        """Make the key that a hub asks for, and its signing request; only that leaves this box. False: it was made before."""
        name, version = wanted.name, wanted.version
        check_lineage_name(name)
        if wanted.key_type not in KEY_TYPES:
            raise _unfit(name, f"The key type {wanted.key_type!r} is not supported here.")
        place = layout.request(self._identity.box, name)
        found = self._etcd.get(place)
        record = _request_key(name, version)
        pem = context.vault.find(record)
        if found is not None and pem is not None:
            try:
                if decoded(Request, found.value, place).version == version:
                    return False
            except CertdeckError:
                pass
        key = generate_key(wanted.key_type) if pem is None else load_key(pem)
        if pem is None:
            context.vault.put(record, key.to_pem())
        context.narrator.tell(KeyUsed(key=record, purpose="sign the request"))
        der = csr.build_csr(key, wanted.names, common_name=wanted.common_name)
        self._etcd.put(place, encoded(Request(name=name, version=version, csr=b64(der))))
        context.narrator.tell(Changed(what=f"created a key and a signing request for {name}, version {version}"))
        return True


def _request_key(name: str, version: int) -> str:
    return f"fleet/request/{name}/{version}"


def _unfit(name: str, why: str) -> InputRejected:
    return InputRejected(
        f"The fleet's certificate {name} was rejected. The live certificate is unchanged.",
        why,
        f"Check the published version with `certdeck fleet status`. To publish a new one, run `certdeck renew "
        f"{name} --force` on a hub.",
        lineage=name,
    )


def sync_own(context: Context) -> None:
    """Take what was published on a hub that is a device too. A failure here does not undo what the other devices get."""
    if not context.config.fleet.is_device:
        return
    for name, exc in sync(context).failed:
        context.about(name).narrator.tell(
            Warned(code=DEVICE_FAILED, what=f"This box did not accept {name}: {exc.what} {exc.why}", fix=exc.fix)
        )
