"""DNS challenges of one run: writes and checks records, and removes those that a killed run left in the zones.

Everything is created on first use: a run that validates by http-01 loads no provider and queries no name server.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from core.challenges import Solver
from core.store.dns_records import kept_records
from core.store.vault import Vault
from core.workflows.clock import removal_waits
from core.workflows.context import Context

if TYPE_CHECKING:
    from core.dns.authority import Authority
    from core.dns.placement import Placement
    from core.dns.propagation import Propagation
    from core.dns.provider_pool import ProviderPool
    from core.dns.writer import RecordWriter


class DnsProofs:
    """Shared by all orders of a run. Thread-safe."""

    def __init__(self, context: Context, vault: Vault) -> None:
        self._context = context
        self._vault = vault
        self._lock = threading.Lock()
        self._made: tuple[Placement, RecordWriter] | None = None
        self._entries: ProviderPool | None = None

    def solver(self, challenge: str, entry: str | None, *, is_new: Callable[[], bool], anyway: bool) -> Solver:
        """Return the solver of a DNS challenge. `entry`: a provider's; None: manual records. Raises NotFound."""
        from core.dns.names import DNS_PERSIST01
        from core.workflows.settings.providers import require_entry

        context = self._context
        timeout = float(context.config.dns01.timeout_seconds)
        authority, propagation = self._looking()
        if entry is not None:
            require_entry(context.config, entry)
        if challenge == DNS_PERSIST01:
            from core.challenges.dns_persist01 import Persistent

            return Persistent(
                authority,
                propagation,
                context.env.clock,
                timeout_seconds=timeout,
                is_new=is_new,
                through=None if entry is None else (entry, *self._writing()),
                anyway=anyway,
            )
        if entry is None:
            from core.challenges.manual import ManualSolver

            return ManualSolver(
                challenge, authority, propagation, is_new=is_new, timeout_seconds=timeout, anyway=anyway
            )
        from core.challenges.dns01 import DnsSolver

        return DnsSolver(challenge, entry, *self._writing(), propagation, timeout_seconds=timeout)

    def clean_up(self) -> None:
        """Remove the records that a killed run left behind. Costs one directory listing if there are none. Raises StoreError."""
        if kept_records(self._context.paths):
            self._writing()[1].clean_up(
                self._context.narrator,
                lambda: not removal_waits(self._context, "The removal of old DNS records from the list"),
            )

    def close(self) -> None:
        """Close the connections to providers."""
        if self._entries is not None:
            self._entries.close()

    def _looking(self) -> tuple[Authority, Propagation]:
        from core.dns.authority import Authority
        from core.dns.propagation import Propagation

        env, dns01 = self._context.env, self._context.config.dns01
        authority = Authority(env.resolver, dns01.resolvers, self._context.cancel)
        return authority, Propagation(env.resolver, env.clock, dns01.resolvers)

    def _writing(self) -> tuple[Placement, RecordWriter]:
        with self._lock:
            if self._made is None:
                from core.dns.placement import Placement
                from core.dns.writer import RecordWriter
                from core.workflows.settings.providers import entries_of

                context = self._context
                self._entries = entries_of(context, self._vault)
                writer = RecordWriter(context.paths, context.env, self._entries)
                self._made = Placement(self._entries, self._looking()[0]), writer
            return self._made
