"""DNS providers, and records that a person sets manually."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.config.model import DnsProviderConfig
from core.engine.base import EngineBase, ignore

if TYPE_CHECKING:
    from core.events import Reporter
    from core.operations import DnsKind, DnsProviderInfo, DnsTest, OpenOrder, RecordView
    from core.ports import CancelToken


class DnsProviders(EngineBase):
    """DNS validation: provider entries with their secrets, and a check of which servers have which records."""

    def dns_kinds(self) -> tuple[DnsKind, ...]:
        """Return the built-in kinds of providers, in the order in which they are offered."""
        from core.workflows.settings.dns import kinds

        return kinds()

    def dns_kind(self, name: str) -> DnsKind:
        """Return one kind, also `lexicon:PROVIDER`. Raises NotFound (`not-found`)."""
        from core.workflows.settings.dns import kind

        return kind(name)

    def lexicon_providers(self) -> tuple[str, ...]:
        """Return the providers of dns-lexicon, sorted; empty if it is not installed. Takes 0.3 s the first time."""
        from core.workflows.settings.dns import lexicon_providers

        return lexicon_providers()

    def dns_providers(self) -> tuple[DnsProviderInfo, ...]:
        """Return the entries of `[dns_providers]`, sorted. Decrypts no secret."""
        from core.workflows.settings.dns import providers

        return providers(self._reading())

    def check_dns_provider(self, config: DnsProviderConfig, secrets: Mapping[str, bytes]) -> Mapping[str, str]:
        """Return the problems of a new entry, by field (`name`, `zones`, a setting, a secret). Works offline.

        Secrets that an existing entry with this name already has need not be given again.
        """
        from core.workflows.settings.dns import problems

        return problems(self._reading(), config, secrets)

    def add_dns_provider(
        self,
        config: DnsProviderConfig,
        secrets: Mapping[str, bytes],
        *,
        replace: bool = False,
        report: Reporter = ignore,
    ) -> DnsProviderInfo:
        """Store an entry: its settings in `certdeck.toml`, its secrets in the vault. The provider is not contacted.

        Args:
            secrets: by key; with `replace`, those not given are kept.
            replace: allow replacing an existing entry with this name.

        Raises UsageError (`usage`), with `details["problems"]` by field; NotFound for an unknown kind.
        """
        from core.workflows.settings.dns import add_provider

        with self._writing("dns add", report) as context:
            return add_provider(context, config, secrets, replace=replace)

    def remove_dns_provider(self, name: str, *, report: Reporter = ignore) -> None:
        """Delete an entry and its secrets. Raises UsageError while a lineage or an open order uses it; NotFound."""
        from core.workflows.settings.dns import remove_provider

        with self._writing("dns remove", report) as context:
            remove_provider(context, name)

    def test_dns_provider(
        self,
        name: str,
        *,
        domain: str | None = None,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> DnsTest:
        """Test an entry completely (ST-24): credentials, zone, a random TXT record, its propagation, its removal.

        A step that fails is part of the result, not an exception. `domain`: by default, the entry's first zone. Takes seconds to
        minutes; reports `ProviderTested` at the end of each step.

        Raises NotFound; UsageError if no domain is known; LockHeld.
        """
        from core.workflows.settings.connection_test import test_provider

        with self._writing("dns test", report, cancel) as context:
            return test_provider(context, name, domain)

    # -- manual records ------------------------------------------------------------------------------------------------

    def open_order(self, name: str) -> OpenOrder:
        """Return the stored open order of a lineage. Raises NotFound (`not-found`)."""
        from core.workflows.issuing.manual import open_order

        return open_order(self._reading(), name)

    def look_at_records(self, name: str, *, cancel: CancelToken | None = None) -> tuple[RecordView, ...]:
        """Query which of the zones' name servers have which records of an open order.

        Changes nothing and needs no lock. Takes some seconds at most.
        Raises NotFound, Cancelled.
        """
        from core.workflows.issuing.manual import look

        return look(self._reading(cancel), name)

    def give_up(self, name: str, *, report: Reporter = ignore) -> None:
        """Delete the open order of a lineage; its records are no longer needed. Raises NotFound."""
        from core.workflows.issuing.manual import give_up

        with self._writing("give up", report, None, name) as context:
            give_up(context, name)
