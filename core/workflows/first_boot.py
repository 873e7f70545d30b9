"""HTTPS at once: a self-signed certificate for a box that has none (ST-02, SF-09), and again when its name or address changes.

Idempotent: a lineage `default` that somebody else's certificate has taken over is left alone. When the names change, the key
stays and only the certificate is renewed, so that clients that pinned the key keep working; the new fingerprint is
announced. The life is finite and the timer renews it. `not_before` lies a day back against clocks that are late, and a clock
that stands before the build date is said and not believed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec.structs import replace

from core.config.model import Config, LineageConfig
from core.dates import day_shown
from core.errors import CertdeckError, StoreCorrupt, UsageError
from core.events import Warned
from core.operations import FirstBoot
from core.version import BUILT
from core.workflows.context import Context

if TYPE_CHECKING:
    from core.lineage_status import LineageStatus
    from core.store.index import Facts
    from core.workflows.issuing.plan import Plan

NAME = "default"
ISSUER = "self-signed"
_EXPIRED = "it had expired"
_NOT_YET_VALID = "it was not valid yet: the clock was wrong when it was created"
_MOST_BYTES = 1_000_000
"""Of a certificate with its chain."""


def names_of(config: Config, hostname: str, addresses: Sequence[str]) -> tuple[str, ...]:
    """Return the SANs in order: localhost, host name, external URL's host (ST-06), then the addresses of the box."""
    from core.identifiers import BadIdentifier, parse_identifier

    names: dict[str, None] = {"localhost": None}
    if config.appliance.hostname:
        names[parse_identifier(config.appliance.hostname).value] = None
    else:
        # A machine may be called my_box; that must not keep it from HTTPS.
        with suppress(BadIdentifier):
            names[parse_identifier(hostname).value] = None
    if config.appliance.external_url:
        names[parse_identifier(external_host(config.appliance.external_url)).value] = None
    for address in ("127.0.0.1", "::1", *addresses):
        names[str(ipaddress.ip_address(address))] = None
    return tuple(names)


def external_host(url: str) -> str:
    """Return the host of an external URL.

    Raises UsageError (`usage`) when it is none.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host, parts = None, None
    if not host or parts is None or parts.scheme not in ("http", "https"):
        raise UsageError(
            f"{url!r} is not a valid URL.",
            "The external URL is the address of this appliance in a browser.",
            "Include the scheme, for example https://box.example.com:8443.",
        )
    return host


def warn_of_clock(context: Context) -> None:
    """Say so when the clock stands before the day this program was built."""
    now = context.env.clock.now()
    if now < BUILT:
        context.narrator.tell(
            Warned(
                code="clock-before-build",
                what=f"The clock of this box shows {day_shown(now)}, which is before this release was built.",
                fix="Set the date, or turn time synchronization on: with a wrong clock, valid certificates appear invalid.",
            )
        )


def first_boot(context: Context, *, hostname: str | None = None, external_url: str | None = None) -> FirstBoot:
    """Carry out the first boot. `hostname` and `external_url` are kept in the configuration when given.

    Raises:
        UsageError, ConfigError: a wrong name or URL; nothing was made.
        TargetError: the certificate exists, a service did not take it and was put back; the other ones show it.
    """
    from core.identifiers import parse_identifier
    from core.workflows.settings.schedule import note_packaged_timer
    from core.workflows.status import status_of

    if external_url is not None:
        external_host(external_url)
    appliance = replace(
        context.config.appliance,
        hostname=parse_identifier(hostname).value if hostname else context.config.appliance.hostname,
        external_url=external_url or context.config.appliance.external_url,
    )
    if appliance != context.config.appliance:
        _keep(context, hostname=appliance.hostname, external_url=appliance.external_url)
        context = replace(context, config=replace(context.config, appliance=appliance))
    context = context.about(NAME)
    warn_of_clock(context)
    context.vault.create()
    note_packaged_timer(context)
    facts = _facts(context)
    if facts is not None and facts.issuer != ISSUER:
        return FirstBoot(
            status=status_of(context, NAME), created=False, remade=False, why="another certificate is in place"
        )
    spec = _spec(context, facts)
    names = _names(context)
    if facts is not None and facts.version is not None and facts.waiting_version is None:
        now = context.env.clock.now().timestamp()
        same = set(facts.names) == set(names) and facts.not_before <= now < facts.not_after
        missing = _without_it(facts, spec)
        if same and not missing:
            return FirstBoot(status=status_of(context, NAME), created=False, remade=False)
        if same:
            return FirstBoot(
                status=_deploy(context, facts.version, spec, missing),
                created=False,
                remade=False,
                why="deployed to a new target",
                new_targets=tuple(target for target in spec.targets if target not in facts.targets),
            )
    created = facts is None or facts.version is None
    version = _waiting(context, facts, names)
    status = _deploy(context, _make(context, spec, names) if version is None else version, spec)
    if not created:
        context.narrator.tell(
            Warned(
                code="new-fingerprint",
                what=f"The self-signed certificate was renewed with the same key. SHA-256: {status.sha256}",
                fix="Compare it with the fingerprint that your browser shows, and accept it there again.",
            )
        )
    same = facts is not None and set(facts.names) == set(names)
    why = (
        ""
        if created
        else "it waited for its services"
        if version is not None
        else "the names had changed"
        if not same
        else _NOT_YET_VALID
        if facts is not None and facts.not_before > context.env.clock.now().timestamp()
        else _EXPIRED
    )
    return FirstBoot(status=status, created=created, remade=not created, why=why)


def _facts(context: Context) -> Facts | None:
    """Return what there is; a live version that is damaged or gone counts as none, so that it is made again."""
    from core.store.index import facts_of, facts_without_live

    if not (context.paths.certificates / f"{NAME}.toml").exists():
        return None
    try:
        return facts_of(context.paths, NAME)
    except StoreCorrupt:
        return facts_without_live(context.paths, NAME)


def _waiting(context: Context, facts: Facts | None, names: tuple[str, ...]) -> int | None:
    """Return the version that a service refused at an earlier boot, when it is still the right one."""
    from core.store.lineages import read_version

    if facts is None or facts.waiting_version is None:
        return None
    had = read_version(context.paths, NAME, facts.waiting_version).certificate
    fits = set(had.names) == set(names) and had.not_before <= context.env.clock.now() < had.not_after
    return facts.waiting_version if fits else None


def remake(context: Context, plan: Plan) -> int:
    """Store a fresh self-signed certificate for a lineage that has one, with the key it has; returns the version."""
    names = _names(context) if plan.name == NAME else plan.names
    return _make(context, plan.lineage, names)


def _make(context: Context, spec: LineageConfig, names: tuple[str, ...]) -> int:
    from core.store.lineages import live_version, read_pair
    from core.workflows.issuing.acquire import Acquired, store
    from core.workflows.issuing.plan import self_signed_plan
    from core.workflows.issuing.self_sign import self_sign
    from core.x509 import key
    from core.x509.key_reader import MalformedKey, load_key

    live = live_version(context.paths, spec.name)
    key_type = spec.key_type or "ec-256"
    kept = None
    if live is not None:
        with suppress(CertdeckError, MalformedKey):  # what cannot be read cannot be used again
            kept = load_key(read_pair(context.paths, spec.name, live).privkey)
    leaf_key = kept if kept is not None and kept.key_type == key_type else key.generate_key(key_type)
    return store(
        context, self_signed_plan(replace(spec, domains=names)), Acquired(self_sign(context, names, leaf_key), leaf_key)
    )


def _without_it(facts: Facts, spec: LineageConfig) -> tuple[str, ...]:
    """Return the targets that are new, or did not take the certificate at an earlier boot."""
    return tuple(
        target
        for target in spec.targets
        if target not in facts.targets or facts.target_outcomes.get(target, {}).get("state") == "failed"
    )


def _deploy(context: Context, version: int, spec: LineageConfig, targets: Sequence[str] | None = None) -> LineageStatus:
    """Deploy to `targets`, or to all. Raises TargetError for one that does not take it; the others do then."""
    from core.workflows.deploying.afterwards import status_after
    from core.workflows.deploying.each import deploy_to_each, partly
    from core.workflows.renewing.outcome import target_configs

    spec = replace(spec, domains=_names(context))
    chosen = target_configs(context, spec.targets if targets is None else targets)
    seen, failed = deploy_to_each(context, spec.name, version, chosen, spec=spec)
    if failed:
        raise partly(failed, seen, "certdeck first-boot")
    return status_after(context, spec, seen)


def _names(context: Context) -> tuple[str, ...]:
    return names_of(context.config, context.env.host.name(), context.env.host.addresses())


def _spec(context: Context, facts: Facts | None) -> LineageConfig:
    """Return the settings: what the lineage has, and every configured target that no other lineage holds.

    A target that shows a valid certificate of some CA keeps it: it was just taken over, or somebody else looks after it.
    """
    from core.config.load import load_lineage
    from core.store.index import facts_of_all

    spec = (
        load_lineage(context.paths, NAME)
        if facts is not None
        else LineageConfig(name=NAME, issuer=ISSUER, key_type="ec-256")
    )
    taken = {target for other in facts_of_all(context.paths)[0] if other.name != NAME for target in other.targets}
    new = [name for name in context.config.targets if name not in taken and name not in spec.targets]
    free = [name for name in new if not _has_a_valid_one(context, name)]
    return replace(spec, issuer=ISSUER, targets=tuple(dict.fromkeys((*spec.targets, *free))))


def _has_a_valid_one(context: Context, target: str) -> bool:
    """Tell whether a target shows a certificate that is valid and not self-signed, and say that it keeps it."""
    from pathlib import Path

    from core.regular import read_regular
    from core.x509.certificate import parse_pem

    now = context.env.clock.now()
    try:
        leaf = parse_pem(read_regular(Path(context.config.targets[target].certificate), _MOST_BYTES))[0]
    except (OSError, ValueError, IndexError):
        return False
    if leaf.self_signed or not leaf.not_before <= now < leaf.not_after:
        return False
    context.narrator.tell(
        Warned(
            code="target-left-alone",
            what=f"The target {target} has a certificate that is valid until {day_shown(leaf.not_after)}, and keeps it.",
            fix=f"To replace it anyway: certdeck deploy {NAME} --target {target}",
        )
    )
    return True


def _keep(context: Context, *, hostname: str | None, external_url: str | None) -> None:
    from core.config.edit import set_values

    values = {"appliance.hostname": hostname, "appliance.external_url": external_url}
    set_values(context.paths, {key: value for key, value in values.items() if value is not None})
