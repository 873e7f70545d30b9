"""Opens DNS provider entries for orders: loads their secrets from the vault and connects to their APIs."""

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
    """Return an entry of the configuration. Raises NotFound (`not-found`), which suggests the closest name."""
    return DNS.require(config.dns_providers, name)


def entry_serving(config: Config, names: tuple[str, ...]) -> str | None:
    """Return the entry whose zones contain all these names (ST-25); of several, that with the most specific zones. None: none."""
    found = []
    for entry in config.dns_providers.values():
        zones = [zone_among(name.removeprefix("*."), map(plain_name, entry.zones)) for name in names]
        if all(zones):
            found.append((sum(len(zone or "") for zone in zones), entry.name))
    return max(found)[1] if found else None


def entries_of(context: Context, vault: Vault) -> ProviderPool:
    """Return a pool of the configured entries, which opens each on first use."""

    def connect(entry: DnsProviderConfig, cancel: CancelToken) -> DnsProvider:
        return opened(context, vault, entry, cancel)

    return ProviderPool(context.config.dns_providers, connect, context.env.clock, context.cancel)


def zones_at(entries: ProviderPool, name: str) -> tuple[str, ...]:
    """Ask an entry's provider for its zones, which also tests the credentials.

    Empty if the API lists no zones, or does not let credentials that may write also list: then the entry names its zones.

    Raises DnsProviderError, NotFound, UsageError, VaultError.
    """
    with entries.use(name) as provider:
        try:
            return provider.zones()
        except DnsProviderError as exc:
            reason = exc.details.get("reason")
            # A refusal without a status does not come from the API, but from a login page or another program.
            is_answer = reason == "zone" or (reason == "refused" and "status" in exc.details)
            if entries.configured[name].zones and is_answer:
                return ()
            raise


def opened(context: Context, vault: Vault, entry: DnsProviderConfig, cancel: CancelToken) -> DnsProvider:
    """Load an entry with its secrets. Sends no request.

    Raises NotFound for an unknown kind; UsageError (`usage`) if a field has no value or an invalid one; VaultError.
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
