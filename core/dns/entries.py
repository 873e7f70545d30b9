"""The entries of the configuration at work: each one spoken to by one thread at a time, opened for one thing and closed again."""

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
    """All DNS provider entries. Thread-safe."""

    def __init__(self, configured: Mapping[str, DnsProviderConfig], connect: Connect) -> None:
        self.configured = configured
        self._connect = connect
        self._lock = threading.Lock()
        self._at_work: dict[str, threading.Lock] = {}

    def kind(self, name: str) -> Kind:
        """Return the kind of an entry. Raises NotFound."""
        return kind_named(self.configured[name].kind)

    @contextmanager
    def use(self, name: str, cancel: CancelToken) -> Iterator[DnsProvider]:
        """Open an entry for as long as the context lasts. Raises NotFound, UsageError, VaultError."""
        with self._lock:
            mine = self._at_work.setdefault(name, threading.Lock())
        with mine:
            opened = self._connect(self.configured[name], cancel)
            try:
                yield opened
            finally:
                opened.close()
