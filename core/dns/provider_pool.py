"""The configured provider entries, opened on first use; each is used by one thread at a time.

A response of an API may contain anything. If one makes a provider's adapter fail in an unforeseen way, that is a failure of this
provider like any other: clean-up runs before every order, and one entry must not stop all the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from core.config.model import DnsProviderConfig
from core.dns.catalogue import kind_named
from core.dns.provider import DnsProvider, ProviderKind
from core.errors import CertdeckError, DnsProviderError
from core.ports import CancelToken, Clock

Connect = Callable[[DnsProviderConfig, CancelToken], DnsProvider]
"""Opens an entry: reads its secrets from the vault and prepares its API."""
LAST_SECONDS = 3.0
"""For clean-up after a user has cancelled and waits for it. What remains is recorded for the next run."""


class DeadlineToken(CancelToken):
    """A token that cancels automatically after `seconds`."""

    __slots__ = ("_clock", "_until")

    def __init__(self, clock: Clock, seconds: float = LAST_SECONDS) -> None:
        super().__init__()
        self._clock = clock
        self._until = clock.monotonic() + seconds

    @property
    def is_cancelled(self) -> bool:
        if self._clock.monotonic() >= self._until:
            self.cancel()
        return super().is_cancelled

    def check(self) -> None:
        if self.is_cancelled:
            super().check()

    def wait(self, seconds: float) -> None:
        super().wait(min(seconds, self._until - self._clock.monotonic()))
        self.check()


class ProviderPool:
    """All DNS provider entries of one operation. Thread-safe. A context manager: leaving it closes what was opened."""

    def __init__(
        self, configured: Mapping[str, DnsProviderConfig], connect: Connect, clock: Clock, cancel: CancelToken
    ) -> None:
        self.configured = configured
        self._connect = connect
        self._clock = clock
        self._cancel = cancel
        self._last_try: DeadlineToken | None = None
        self._lock = threading.Lock()
        self._at_work: dict[str, threading.Lock] = {}
        self._opened: dict[str, DnsProvider] = {}

    def __enter__(self) -> ProviderPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all opened providers."""
        for provider in self._opened.values():
            provider.close()
        self._opened.clear()

    def kind(self, name: str) -> ProviderKind:
        """Return the kind of an entry. Raises NotFound."""
        return kind_named(self.configured[name].kind)

    @contextmanager
    def use(self, name: str, *, also_cancelled: bool = False) -> Iterator[DnsProvider]:
        """Hold an entry, opened once for the whole operation: some providers sign in first, and all look up their zones.

        Args:
            also_cancelled: for clean-up after the user has cancelled; LAST_SECONDS for all of it together.

        Raises NotFound, UsageError, VaultError; DnsProviderError if what is done with the entry fails in an unforeseen way.
        """
        with self._lock:
            mine = self._at_work.setdefault(name, threading.Lock())
        with mine, _as_its_failure(self.configured[name]):
            if also_cancelled and self._cancel.is_cancelled:
                last = self._connect(self.configured[name], self._last())
                try:
                    yield last
                finally:
                    last.close()
                return
            if name not in self._opened:
                self._opened[name] = self._connect(self.configured[name], self._cancel)
            yield self._opened[name]

    def _last(self) -> DeadlineToken:
        with self._lock:
            if self._last_try is None:
                self._last_try = DeadlineToken(self._clock)
            return self._last_try


@contextmanager
def _as_its_failure(entry: DnsProviderConfig) -> Iterator[None]:
    """Turn an adapter's exception that is not a CertdeckError into a failure of its provider."""
    try:
        yield
    except CertdeckError:
        raise
    except Exception as exc:
        import logging
        from traceback import format_tb

        # Without the exception's own message: text from an API may repeat a secret.
        where = "".join(format_tb(exc.__traceback__))
        logging.getLogger(__name__).error("the DNS provider %s failed: %s\n%s", entry.name, type(exc).__name__, where)
        raise DnsProviderError(
            f"The DNS provider {entry.name} returned a response that certdeck cannot process.",
            f"Parsing it failed: {type(exc).__name__}.",
            f"Check `endpoint`, make sure that no proxy alters the traffic, and run `certdeck dns test "
            f"{entry.name}`. If the response is valid, this is a bug in certdeck; please report it.",
            details={"provider": entry.name, "kind": entry.kind, "reason": "refused"},
        ) from exc
