"""What another client's certificate needs on this box: issuer, account key, DNS provider, HTTP-01 settings, target.

Everything is decided first, with a description, and saved afterwards. So a dry run shows exactly what would be done. Each step can
be repeated.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct, field
from msgspec.structs import replace

from core.adopt.dns_access import kind_of
from core.adopt.found import rebased
from core.adopt.reading import read_within
from core.adopt.reloads import Reload, reload_of
from core.adopt.ways import Hook
from core.config.edit import set_issuer, set_target, set_values
from core.config.model import Config, DnsProviderConfig, Http01, IssuerConfig, LineageConfig, TargetConfig
from core.errors import CertdeckError
from core.registered_domain import registered_domain
from core.store.accounts import AccountRecord, load_account, save_account
from core.store.index import facts_of_all
from core.text import visible
from core.workflows.adopting.accounts import Accounts
from core.workflows.adopting.look import Sight
from core.workflows.context import Context
from core.workflows.issuing.method import UPLOAD

Step = Callable[[Context], None]


class Kept(Struct, kw_only=True):
    """What will be saved, as sentences (`steps`) and as functions (`deeds`), and sentences about what will not (`left`)."""

    steps: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    deeds: list[Step] = field(default_factory=list)
    issuers: dict[str, IssuerConfig] = field(default_factory=dict)
    dns: str | None = None
    targets: tuple[str, ...] = ()
    http01: Http01 | None = None
    providers: dict[str, DnsProviderConfig] = field(default_factory=dict)
    services: dict[str, TargetConfig] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Kept({self.steps})"

    def config(self, context: Context) -> Config:
        """Return the configuration as it will be after saving."""
        had = context.config
        return replace(
            had,
            issuers={**had.issuers, **self.issuers},
            http01=self.http01 or had.http01,
            dns_providers={**had.dns_providers, **self.providers},
            targets={**had.targets, **self.services},
        )

    def keep(self, context: Context) -> None:
        """Save everything. Raises ConfigError, VaultError, StoreError."""
        for deed in self.deeds:
            deed(context)


class Planned(Struct, kw_only=True):
    """The decision for one certificate."""

    settings: LineageConfig
    kept: Kept

    def __repr__(self) -> str:
        return f"Planned({self.settings.name})"


def needs_of(
    context: Context,
    sight: Sight,
    settings: LineageConfig,
    root: Path,
    passphrase: bytes | None,
    accounts: Accounts,
    planned: Sequence[Planned] = (),
) -> Kept:
    """Decide what to save for a certificate that will be renewed with `settings`. Raises Cancelled.

    Args:
        root: for absolute paths in the client's settings.
        passphrase: of an encrypted account key.
        accounts: asks CAs for the account of a key.
        planned: earlier decisions of the same dry run, for other certificates.
    """
    kept = Kept()
    if settings.issuer != UPLOAD:
        _issuer(sight, settings, kept)
        _account(context, sight, settings, kept, passphrase, accounts)
        if settings.challenge == "dns-01":
            _dns(context, sight, kept, planned)
        else:
            _http(context, sight, kept, planned)
    _hooks(context, sight, kept, root)
    return kept


def _issuer(sight: Sight, settings: LineageConfig, kept: Kept) -> None:
    name = settings.issuer or ""
    if not sight.shown.is_new_issuer or name != sight.shown.issuer:
        return
    directory = sight.way.directory
    entry = IssuerConfig(directory=directory, title=urlsplit(directory).hostname)
    kept.issuers[name] = entry
    kept.steps.append(f"The issuer {name} was added: {directory}")
    kept.left.append(
        f"If {name} is a private CA, set its root: certdeck issuer add {name} --directory {directory} --ca-bundle FILE"
    )
    kept.deeds.append(lambda context: set_issuer(context.paths, name, entry))


def _account(
    context: Context,
    sight: Sight,
    settings: LineageConfig,
    kept: Kept,
    passphrase: bytes | None,
    accounts: Accounts,
) -> None:
    """Save the account key if this box has no account at the CA, and the CA still has an account for the key."""
    from core.acme.imported_key import parse_account_key

    issuer, place = settings.issuer or "", sight.way.account_key
    directory = sight.shown.directory or _directory(context, issuer)
    if place is None or not directory:
        kept.left.append(
            f"Its account at {issuer} was not found. The next order uses the account here, or creates one."
        )
        return
    try:
        text = read_within(sight.found.base, place)
        key = parse_account_key(text, passphrase or _stored_passphrase(sight))
    except OSError as exc:
        kept.left.append(f"Its account key cannot be read: {visible(exc.strerror or str(exc))}.")
        return
    except CertdeckError as exc:
        kept.left.append(f"Its account key was not imported. {exc.why} {exc.fix}")
        return
    had = load_account(context.paths, issuer, directory)
    if had is not None and had.has_account:
        if had.thumbprint != key.thumbprint:
            kept.left.append(
                f"This box already has an account at {issuer}, which stays in use. To use the other client's account: "
                f"certdeck account import {issuer} --key {visible(shlex.quote(str(place)), 500)} --replace"
            )
        return
    there = accounts.of(replace(context, config=kept.config(context)), issuer, key)
    if there.gone:
        kept.left.append(
            f"Its account key at {issuer} was not imported. {there.gone} The next order creates a new account. Accept its terms "
            f"with: certdeck issuer agree {issuer}"
        )
        return
    if there.trouble:
        kept.left.append(f"{issuer} could not be queried about its account. {there.trouble}")

    def keep(context: Context) -> None:
        record = had or AccountRecord.new(issuer, directory, contact=None, created=context.env.clock.now())
        context.vault.put(record.key_record, key.to_pem())
        record = record.with_key(key.kind, key.thumbprint)
        # Without a URL, the next use asks the CA for the account of the key. The URL in the client's files is only shown.
        save_account(context.paths, record.registered(there.account.url, there.terms) if there.account else record)

    account_url = there.account.url if there.account else sight.shown.account_url
    url = f" ({visible(account_url)})" if account_url else ""
    kept.steps.append(f"Its account key at {issuer} is stored in the vault{url}.")
    kept.deeds.append(keep)


def _stored_passphrase(sight: Sight) -> bytes | None:
    """Return the passphrase that the client stores next to its encrypted account key (mod_md). None: there is none."""
    place = sight.way.account_passphrase
    if place is None:
        return None
    try:
        value = json.loads(read_within(sight.found.base, place))["key"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return value.encode() if isinstance(value, str) else None


def _directory(context: Context, issuer: str) -> str:
    from core.workflows.issuing.plan import issuer_named

    return issuer_named(context.config, issuer).directory or ""


def _dns(context: Context, sight: Sight, kept: Kept, planned: Sequence[Planned]) -> None:
    """Save the DNS provider's credentials as an entry named after its kind, or use an entry that already has them."""
    from core.workflows.settings.dns import add_provider, problems
    from core.workflows.settings.entries import DNS
    from core.workflows.settings.providers import entry_serving

    access = sight.way.dns
    if access is None:
        kept.dns = entry_serving(context.config, sight.shown.names)
        if kept.dns is not None:
            kept.steps.append(f"Its DNS records are set through the DNS provider {kept.dns}, which serves its zone.")
            return
        kept.left += _without_access(sight)
        return
    secrets = {key: value.encode() for key, value in access.secrets.items()}
    name, number = access.kind, 2
    while (entry := context.config.dns_providers.get(name)) is not None:
        same = entry.kind == access.kind and dict(entry.settings) == dict(access.settings)
        is_planned = any(name in each.kept.providers for each in planned)
        if same and (
            is_planned or all(context.vault.find(DNS.secret_name(name, key)) == value for key, value in secrets.items())
        ):
            kept.dns = name
            kept.steps.append(f"The DNS provider {name} already has its credentials.")
            return
        name, number = f"{access.kind}-{number}", number + 1
    config = DnsProviderConfig(name=name, kind=access.kind, settings=access.settings)
    wrong = problems(context, config, secrets)
    if wrong:
        kept.left.append(f"Its credentials for {access.kind} are not valid: {'; '.join(wrong.values())}.")
        return
    kept.dns = name
    kept.providers[name] = config
    kept.steps.append(f"The DNS provider {name} was added. Its secrets are in the vault: {', '.join(secrets)}.")

    def keep(context: Context) -> None:
        add_provider(context, config, secrets, replace=True)

    kept.deeds.append(keep)


def _without_access(sight: Sight) -> Iterator[str]:
    """Yield what is missing for DNS-01, and the commands that add it."""
    from core.dns.catalogue import kind_named

    plugin = sight.shown.dns_name
    kind = kind_of(plugin)
    yield (
        f"The credentials of {plugin} were not found, or have a form that certdeck cannot import."
        if plugin
        else "Its client's files do not contain the DNS provider or its credentials."
    ) + " Until you add a provider, its records must be set manually."
    zone = registered_domain(sight.shown.names[0].removeprefix("*.")) if sight.shown.names else "ZONE"
    words = ["certdeck", "dns", "add", kind or "NAME", "--kind", kind or "KIND", "--zone", zone]
    if kind:
        fields = [each for each in kind_named(kind).fields if each.required and not each.default]
        for flag, value, chosen in (("--set", "VALUE", False), ("--secret", "FILE", True)):
            own = [f"{each.key}={value}" for each in fields if each.secret == chosen]
            words += [flag, *own] if own else []
    names = shlex.join(sight.shown.names)
    kinds = "" if kind else "; `certdeck dns kinds` lists the kinds"
    yield f"Set a provider: {visible(shlex.join(words), 500)}{kinds}"
    yield f"Then use it: certdeck issue -d {visible(names, 500)} --name {sight.shown.name} --dns {kind or 'NAME'}"


def _http(context: Context, sight: Sight, kept: Kept, planned: Sequence[Planned]) -> None:
    """Take over webroot or port if the box has no other setting or use: the setting applies to all certificates."""
    way, http = sight.way, context.config.http01
    if not way.webroots and not way.port:
        return
    if way.webroots:
        wanted = Http01(mode="webroot", webroot=way.webroots[0])
        words = f"the webroot {visible(way.webroots[0])}"
    else:
        wanted = Http01(address=way.address or http.address, port=way.port or http.port)
        words = f"port {wanted.port} at {visible(wanted.address)}"
    if wanted == http:
        return
    in_use = any(each.challenge == "http-01" for each in facts_of_all(context.paths)[0])
    in_use = in_use or any(each.settings.challenge == "http-01" for each in planned)
    if http != Http01() or in_use:
        kept.left.append(
            f"It was validated through {words}. certdeck has one HTTP-01 setting for all certificates, which is "
            "unchanged ([http01])."
        )
        return
    if way.webroots and not Path(way.webroots[0]).is_dir():
        kept.left.append(
            f"Its webroot {visible(way.webroots[0])} does not exist, so certdeck responds on port {http.port} itself."
        )
        return
    if len(way.webroots) > 1:
        kept.left.append(
            f"It has {len(way.webroots)} webroots; certdeck uses one. All its names must be served from {visible(way.webroots[0])}."
        )
    kept.steps.append(f"HTTP-01 now uses {words}.")
    kept.http01 = wanted
    values: dict[str | tuple[str, ...], object] = (
        {"http01.mode": "webroot", "http01.webroot": wanted.webroot}
        if way.webroots
        else {"http01.port": wanted.port, "http01.address": wanted.address}
    )
    kept.deeds.append(lambda context: set_values(context.paths, values))


def _hooks(context: Context, sight: Sight, kept: Kept, root: Path) -> None:
    """Create a target from the path that a service reads, with the reload of a known service. Other hooks are only listed."""
    place = sight.way.installed
    if place is not None and visible(str(rebased(root, place.certificate))) not in sight.shown.used_by:
        place = None  # another certificate is there
    reload = next(filter(None, map(_known, sight.way.hooks)), None)
    if place is not None:
        own = [(hook, known) for hook in sight.way.hooks if (known := _known(hook)) is not None]
        certificate, key = str(rebased(root, place.certificate)), str(rebased(root, place.key))
        name = next((each.name for each in context.config.targets.values() if each.certificate == certificate), None)
        if name is None:
            name = _target_name(context.config, reload.service if reload else sight.shown.name)
            target = TargetConfig(
                name=name,
                kind="nginx" if reload and reload.service == "nginx" else "files",
                certificate=certificate,
                key=key,
                chain=str(rebased(root, place.chain)) if place.chain else None,
                # The client's timer may still write these paths. Through a link it would overwrite our own files.
                mode="copy",
                reload=own[0][1].command if own else (),
            )
            kept.services[name] = target
            kept.deeds.append(lambda context: set_target(context.paths, target))
            after = f", then {' '.join(target.reload)}" if target.reload else ""
            kept.steps.append(f"The target {name} was added: {certificate}{after}.")
        kept.targets = (name,)
        kept.left.append(f"After turning its timer off, deploy certdeck's files: certdeck deploy {sight.shown.name}")
    for hook in sight.shown.hooks:
        if not hook.reload:
            kept.left.append(f"Its {hook.kind} hook was not taken over: {hook.text}")
        elif place is None:
            kept.left.append(
                f"Its {hook.kind} hook is `{hook.reload}`: add the service with certdeck target add, then run certdeck "
                f"deploy {sight.shown.name} --target NAME."
            )


def _known(hook: Hook) -> Reload | None:
    return reload_of(hook.text) if hook.kind in ("deploy", "reload", "post") else None


def _target_name(config: Config, wanted: str) -> str:
    name, number = wanted, 2
    while name in config.targets:
        name, number = f"{wanted}-{number}", number + 1
    return name
