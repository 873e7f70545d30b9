"""A device checks, stores and deploys a certificate that a hub published for it, in the same way as a local certificate.

Nothing in etcd is trusted: the device checks chain, names and key, and rejects a weaker key policy unless a hub allowed it.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from core.config.model import LineageConfig, TargetConfig
from core.errors import CertdeckError, NotFound, UsageError
from core.events import Warned
from core.fleet.values import BACK, DEVICE, POLICIES, Delivery
from core.store import lineages
from core.store.fleet import Identity, save_identity
from core.store.had_with import settings_of
from core.targets.resolved import resolved
from core.targets.service import check_commands
from core.workflows.context import Context
from core.workflows.deploying.transaction import deploy_version
from core.workflows.fleet.device_keys import forget_request, key_of, unfit
from core.workflows.issuing.method import FLEET
from core.workflows.new_version import NewVersion, store
from core.x509 import chain


class Accepting:
    """Accepts deliveries, one after the other. Updates `identity` with their key policies."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity

    def stage(self, context: Context, delivery: Delivery) -> None:
        """Store a version without deploying it, after every check that is possible at this point.

        Raises InputRejected, NotFound, UsageError, VaultError, StoreError.
        """
        spec = _spec(context, delivery)
        self._refuse_weaker(context, delivery)
        leaf = chain.split_fullchain(delivery.fullchain.encode())[0]
        check_commands(context.env, tuple(resolved(target) for target in _targets(context, spec.targets)))
        if _stored(context, delivery.name, leaf.sha256) is None:
            self._store(context, delivery, spec)

    def deploy(self, context: Context, delivery: Delivery) -> bool:
        """Store and deploy a delivery, unless it is already live. Returns whether anything changed.

        Raises what `stage` raises, and what `deploy_version` raises.
        """
        name = delivery.name
        spec = _spec(context, delivery)
        self._refuse_weaker(context, delivery)
        leaf = chain.split_fullchain(delivery.fullchain.encode())[0]
        version = _stored(context, name, leaf.sha256)
        live = lineages.live_version(context.paths, name)
        if version is not None and version == live and settings_of(context.paths, name).targets == spec.targets:
            return False
        if delivery.phase == BACK:
            version = _kept(context, name, leaf.sha256)
            lineages.unseal_key(context.paths, context.vault, name, version)
        elif version is None:
            version = self._store(context, delivery, spec)
        deploy_version(context, name, version, _targets(context, spec.targets), spec=spec)
        policies = {**self.identity.policies, name: delivery.policy}
        if policies != self.identity.policies:
            self.identity = replace(self.identity, policies=policies)
            save_identity(context.paths, self.identity)
        if delivery.policy == DEVICE:
            forget_request(context, delivery)
        return True

    def _refuse_weaker(self, context: Context, delivery: Delivery) -> None:
        """Raise InputRejected if the key policy is weaker than before and no hub allowed that."""
        if delivery.policy not in POLICIES:
            raise unfit(delivery.name, f"Its key policy {delivery.policy!r} is not supported here.")
        had = self.identity.policies.get(delivery.name, POLICIES[0])
        if POLICIES.index(delivery.policy) >= POLICIES.index(had):
            return
        if not delivery.weakened:
            raise unfit(delivery.name, f"Its key policy was {had} and is now {delivery.policy}, which is weaker.")
        context.narrator.tell(
            Warned(
                code="key-policy-weakened",
                what=f"The key policy of {delivery.name} was weakened from {had} to {delivery.policy} on a hub.",
                fix="No action is needed if this was intended.",
            )
        )

    def _store(self, context: Context, delivery: Delivery, spec: LineageConfig) -> int:
        key = key_of(context, self.identity, delivery)
        fullchain = delivery.fullchain.encode()
        problem = chain.issued_pair_problem(fullchain, key.spki, spec.domains, context.env.clock.now())
        if problem is not None:
            raise unfit(delivery.name, problem)
        new = NewVersion(fullchain=fullchain, key=key.to_pem(), method=FLEET, ca=delivery.ca or None)
        return store(context, spec, new)


def _spec(context: Context, delivery: Delivery) -> LineageConfig:
    """Return the settings of the certificate on this box. Raises UsageError if a local certificate has the same name."""
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
        had, domains=tuple(each for each in leaf.names if each), issuer=FLEET, targets=_chosen(context, delivery)
    )


def _chosen(context: Context, delivery: Delivery) -> tuple[str, ...]:
    """Return the targets on this box: those that the hub names, else those of `[fleet]`, else all that no other fleet
    certificate uses. Raises NotFound for targets that do not exist here."""
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


def _targets(context: Context, names: Sequence[str]) -> list[TargetConfig]:
    return [context.config.targets[name] for name in names]


def _kept(context: Context, name: str, sha256: str) -> int:
    """Return the stored version to serve again. Raises InputRejected if this box does not have it."""
    for version in reversed(lineages.versions(context.paths, name)):
        if lineages.read_version(context.paths, name, version).certificate.sha256 == sha256:
            return version
    raise unfit(name, "The previous version is not available on this box.")


def _stored(context: Context, name: str, sha256: str) -> int | None:
    """Return the live or waiting version that is this certificate. None: neither is."""
    for version in (lineages.waiting_version(context.paths, name), lineages.live_version(context.paths, name)):
        if version is None:
            continue
        try:
            if lineages.read_version(context.paths, name, version).certificate.sha256 == sha256:
                return version
        except CertdeckError:
            continue
    return None
