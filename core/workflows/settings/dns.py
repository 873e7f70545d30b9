"""Lists, checks, adds and removes DNS provider entries. Settings are in the configuration, secrets in the vault."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

from msgspec.structs import replace

from core.config.edit import remove_table, set_dns_provider
from core.config.model import DnsProviderConfig
from core.config.rules import NAME, NAME_FIX
from core.dns.catalogue import all_kinds, kind_named
from core.dns.names import plain_name
from core.dns.provider import ENDPOINT, Access, EntryField, ProviderKind
from core.errors import InUse, NotFound, StoreCorrupt, UsageError
from core.events import Changed
from core.fields import missing_or_wrong, unknown_keys
from core.identifiers import parse_identifier
from core.operations import DnsKind, DnsProviderInfo
from core.store.index import facts_of_all
from core.store.orders import list_orders, load_order
from core.store.vault import Vault
from core.workflows.context import Context
from core.workflows.settings.entries import DNS, missing_fields, secret_text, without_blanks
from core.workflows.settings.providers import require_entry

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def kinds() -> tuple[DnsKind, ...]:
    """Return the built-in kinds."""
    return tuple(map(_shown, all_kinds()))


def kind(name: str) -> DnsKind:
    """Return one kind. Raises NotFound."""
    return _shown(kind_named(name))


def lexicon_providers() -> tuple[str, ...]:
    """Return the names of dns-lexicon's providers. Empty if it is not installed."""
    from core.dns.providers.lexicon import lexicon_names

    return lexicon_names()


def providers(context: Context) -> tuple[DnsProviderInfo, ...]:
    """Return the entries, sorted by name. Opens no secret."""
    vault = context.vault
    users = dict(_users(context))
    return tuple(
        _info(entry, vault, tuple(sorted(name for name, dns in users.items() if dns == entry.name)))
        for _, entry in sorted(context.config.dns_providers.items())
    )


def problems(context: Context, config: DnsProviderConfig, secrets: Mapping[str, bytes]) -> dict[str, str]:
    """Return the problems of an entry as sentences, by field, without network access. Raises NotFound for an unknown kind."""
    wanted = kind_named(config.kind)
    found: dict[str, str] = {}
    if not NAME.fullmatch(config.name):
        found["name"] = NAME_FIX
    for zone in config.zones:
        if problem := _zone_problem(zone):
            found["zones"] = problem
    for domain, target in config.delegations.items():
        if problem := _zone_problem(domain) or _zone_problem(target):
            found["delegations"] = problem
    for key in ("name", "kind", "zones", "delegations"):
        if key in config.settings:
            found[key] = "This is not a setting of the provider; it belongs to the entry itself."
    there = DNS.kept_secrets(context.vault, config, context.config.dns_providers.get(config.name))
    given = {key: secret_text(value) for key, value in secrets.items()}
    found |= missing_or_wrong(wanted.fields, config.settings, given, there)
    if wanted.takes_any:
        known = {field.key for field in wanted.fields}
        extra = {key: value for key, value in config.settings.items() if key not in known}
        extra |= {key: value for key, value in given.items() if key not in known}
        for key, value in extra.items():
            if problem := _variable_problem(key, value, is_secret=key in secrets):
                found.setdefault(key, problem)
    else:
        found |= unknown_keys(wanted.title, wanted.fields, config.settings, secrets)
    return found


def add_provider(
    context: Context, config: DnsProviderConfig, secrets: Mapping[str, bytes], *, replace: bool
) -> DnsProviderInfo:
    """Save an entry. `replace`: change an existing one.

    Raises NotFound for an unknown kind; UsageError with `details["problems"]` by field, or for an existing entry without
    `replace`; DnsProviderError if the provider cannot register an account.
    """
    config, secrets = _tidy(config), {key: value.strip() for key, value in secrets.items()}
    existing = context.config.dns_providers.get(config.name)
    if not replace:
        DNS.refuse_existing(existing)
    wanted = kind_named(config.kind)
    account = _account_to_make(context, wanted, config, secrets)
    wrong = {key: problem for key, problem in problems(context, config, secrets).items() if key not in account}
    DNS.refuse_wrong(config, wanted, wrong)
    if account:
        config, secrets = _registered(context, wanted, config, secrets)
    vault = context.vault
    DNS.put_secrets(vault, config.name, secrets)
    set_dns_provider(context.paths, config)
    if existing is None or existing.kind != config.kind:
        # Also for a new entry: one that was removed from the configuration by hand has left its secrets.
        DNS.forget_secrets(vault, config.name, keep=secrets)
    context.narrator.tell(Changed(what=f"DNS provider {config.name} ({wanted.title})"))
    return _info(config, vault, tuple(sorted(name for name, dns in _users(context) if dns == config.name)))


def remove_provider(context: Context, name: str) -> None:
    """Remove an entry and its secrets. Raises NotFound; InUse (`in-use`) if a certificate or an open order uses it."""
    require_entry(context.config, name)
    users = sorted({user for user, dns in _users(context) if dns == name})
    if users:
        raise InUse(
            f"The DNS provider {name} is in use.",
            f"These certificates use it for validation: {', '.join(users[:10])}{' …' if len(users) > 10 else ''}.",
            "Issue them with another provider or challenge first, or delete them.",
            details={"lineages": users},
        )
    remove_table(context.paths, ("dns_providers", name))
    DNS.forget_secrets(context.vault, name)
    context.narrator.tell(Changed(what=f"DNS provider {name} removed"))


def _account_to_make(
    context: Context, kind: ProviderKind, config: DnsProviderConfig, secrets: Mapping[str, bytes]
) -> frozenset[str]:
    """Return the fields that a registration fills (acme-dns). Empty if an account is given or already exists."""
    had = context.config.dns_providers.get(config.name)
    is_there = had is not None and had.kind == kind.name and bool(DNS.secret_keys(context.vault, config.name))
    if kind.register is None or is_there or not config.settings.get(ENDPOINT.key):
        return frozenset()
    keys = {field.key for field in kind.fields if field.required and not field.default} - {ENDPOINT.key}
    return frozenset() if keys & {*config.settings, *secrets} else frozenset(keys)


def _registered(
    context: Context, kind: ProviderKind, config: DnsProviderConfig, secrets: Mapping[str, bytes]
) -> tuple[DnsProviderConfig, dict[str, bytes]]:
    """Register an account with the provider. Raises DnsProviderError, Cancelled."""
    assert kind.register is not None
    access = Access(
        name=config.name,
        kind=config.kind,
        settings=config.settings,
        secrets={},
        zones=config.zones,
        env=context.env,
        cancel=context.cancel,
    )
    settings, made = kind.register(access)
    return (
        replace(config, settings={**config.settings, **settings}),
        {**secrets, **{key: value.encode() for key, value in made.items()}},
    )


def _users(context: Context) -> Iterator[tuple[str, str]]:
    """Yield (name, entry) for each lineage and each open order that uses an entry."""
    for facts in facts_of_all(context.paths)[0]:
        if facts.dns:
            yield facts.name, facts.dns
    for each in list_orders(context.paths):
        with suppress(StoreCorrupt):
            order = load_order(context.paths, each)
            if order is not None and isinstance(dns := order.spec.get("dns"), str):
                yield each, dns


def _info(entry: DnsProviderConfig, vault: Vault, users: tuple[str, ...]) -> DnsProviderInfo:
    there = DNS.secret_keys(vault, entry.name)
    try:
        kind = kind_named(entry.kind)
    except NotFound:
        kind = None
    keys = [field.key for field in kind.secrets] if kind is not None else []
    return DnsProviderInfo(
        name=entry.name,
        kind=entry.kind,
        title=entry.kind if kind is None else kind.title,
        zones=entry.zones,
        # Do not show a secret that was written into the configuration by hand.
        settings={key: value for key, value in entry.settings.items() if key not in keys},
        secrets={key: key in there for key in dict.fromkeys((*keys, *there))},
        lineages=users,
        delegations=entry.delegations,
        missing=("kind",) if kind is None else missing_fields(kind.fields, entry.settings, there),
    )


def _tidy(config: DnsProviderConfig) -> DnsProviderConfig:
    return replace(
        config,
        zones=tuple(dict.fromkeys(_plain_zone(zone) for zone in config.zones)),
        settings=without_blanks(config.settings),
        delegations={_plain_zone(domain): _plain_zone(target) for domain, target in config.delegations.items()},
    )


def _plain_zone(zone: str) -> str:
    """Return a zone as A-labels. An invalid name stays as it is, and the check reports it."""
    try:
        return parse_identifier(plain_name(zone)).value
    except UsageError:
        return plain_name(zone)


def _zone_problem(zone: str) -> str | None:
    from core.config.rules import zones

    broken = zones((_plain_zone(zone),))
    return None if broken is None else f"{broken[0]}. {broken[1]}"


def _variable_problem(key: str, value: str, *, is_secret: bool) -> str | None:
    """Return why an extra setting, outside the fields of its kind, cannot become an environment variable. None: it can."""
    if not _VARIABLE.fullmatch(key):
        return "it becomes an environment variable: use letters, digits and _, and do not start with a digit"
    return EntryField(key=key, label=key, secret=is_secret, required=False).problem(value)


def _shown(kind: ProviderKind) -> DnsKind:
    return DnsKind(
        name=kind.name,
        title=kind.title,
        fields=kind.fields,
        help=kind.help,
        notes=kind.notes,
        has_zones=kind.has_zones,
        takes_any=kind.takes_any,
    )
