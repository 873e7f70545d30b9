"""The DNS provider entries at work: secrets out of the vault, interfaces opened, ready for the orders of a run."""

from __future__ import annotations

from core.config.model import Config, DnsProviderConfig
from core.dns.catalogue import kind_named
from core.dns.names import plain_name, zone_among
from core.dns.provider import Access, DnsProvider
from core.dns.provider_pool import ProviderPool
from core.errors import DnsProviderError
from core.events import KeyUsed
from core.ports import CancelToken
from core.store.vault import Vault
from core.workflows.context import Context
from core.workflows.settings.entries import DNS


def require_entry(config: Config, name: str) -> DnsProviderConfig:
    """Return an entry of the configuration. Raises NotFound (`not-found`) that names the nearest one."""
    return DNS.require(config.dns_providers, name)


def entry_serving(config: Config, names: tuple[str, ...]) -> str | None:
    """Return the entry whose zones hold all these names (ST-25), the one with the closest zones; None when there is none."""
    found = []
    for entry in config.dns_providers.values():
        zones = [zone_among(name.removeprefix("*."), map(plain_name, entry.zones)) for name in names]
        if all(zones):
            found.append((sum(len(zone or "") for zone in zones), entry.name))
    return max(found)[1] if found else None


def entries_of(context: Context, vault: Vault) -> ProviderPool:
    """Return the entries of the configuration, ready to be opened one by one."""

    def connect(entry: DnsProviderConfig, cancel: CancelToken) -> DnsProvider:
        return opened(context, vault, entry, cancel)

    return ProviderPool(context.config.dns_providers, connect, context.env.clock, context.cancel)


def zones_at(entries: ProviderPool, name: str) -> tuple[str, ...]:
    """Ask an entry for its zones, which tries its credentials, too.

    Empty where the interface lists none, or lets nobody list who may write: then the entry itself says where to.

    Raises DnsProviderError, NotFound, UsageError, VaultError.
    """
    with entries.use(name) as provider:
        try:
            return provider.zones()
        except DnsProviderError as exc:
            reason = exc.details.get("reason")
            # What is refused without a status has not come from the interface: a login page, or another program.
            is_answer = reason == "zone" or (reason == "refused" and "status" in exc.details)
            if entries.configured[name].zones and is_answer:
                return ()
            raise


def opened(context: Context, vault: Vault, entry: DnsProviderConfig, cancel: CancelToken) -> DnsProvider:
    """Open an entry with its secrets. Nothing is asked of the network yet.

    Raises NotFound for a kind that is not known here; UsageError (`usage`) where a required field has no value; VaultError.
    """
    kind = kind_named(entry.kind)
    settings = DNS.settings_of(entry, kind)
    wanted = [field.key for field in kind.secrets]
    wanted += [key for key in DNS.secret_keys(vault, entry.name) if kind.takes_any and key not in wanted]
    secrets = DNS.open_secrets(vault, entry, wanted)
    DNS.refuse_unusable(entry, kind, settings, secrets)
    if secrets:
        context.narrator.tell(KeyUsed(key=DNS.secret_name(entry.name, "*"), purpose=f"connect to {kind.title}"))
    return kind.connect(
        Access(
            name=entry.name,
            kind=entry.kind,
            settings=settings,
            secrets=secrets,
            zones=tuple(map(plain_name, entry.zones)),
            env=context.env,
            cancel=cancel,
        )
    )
