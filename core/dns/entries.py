"""The entries of the configuration at work: opened when first needed, each spoken to by one thread at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from core.config.model import DnsProviderConfig
from core.dns.catalogue import kind_named
from core.dns.provider import DnsProvider, Kind
from core.ports import CancelToken

Connect = Callable[[DnsProviderConfig, CancelToken], DnsProvider]
"""Opens an entry: its secrets from the vault, its interface ready."""


class Entries:
    """All DNS provider entries of one operation. Thread-safe. Use as a context manager: leaving it closes what was opened."""

    def __init__(self, configured: Mapping[str, DnsProviderConfig], connect: Connect, cancel: CancelToken) -> None:
        self.configured = configured
        self._connect = connect
        self._cancel = cancel
        self._lock = threading.Lock()
        self._at_work: dict[str, threading.Lock] = {}
        self._opened: dict[str, DnsProvider] = {}

    def __enter__(self) -> Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened."""
        for provider in self._opened.values():
            provider.close()
        self._opened.clear()

    def kind(self, name: str) -> Kind:
        """Return the kind of an entry. Raises NotFound."""
        return kind_named(self.configured[name].kind)

    @contextmanager
    def use(self, name: str, *, also_cancelled: bool = False) -> Iterator[DnsProvider]:
        """Hold an entry, opened once for the whole operation: some sign in first, and all look up their zones.

        Args:
            also_cancelled: for cleaning up after somebody who has cancelled.

        Raises NotFound, UsageError, VaultError.
        """
        with self._lock:
            mine = self._at_work.setdefault(name, threading.Lock())
        with mine:
            if also_cancelled and self._cancel.is_cancelled:
                last = self._connect(self.configured[name], CancelToken())
                try:
                    yield last
                finally:
                    last.close()
                return
            if name not in self._opened:
                self._opened[name] = self._connect(self.configured[name], self._cancel)
            yield self._opened[name]
