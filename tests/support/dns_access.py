"""What a DNS provider works with in a test: a vendor in memory as its transport, and time and chance that the test holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.dns.catalogue import kind_named
from core.dns.provider import Access, ProviderKind
from core.ports import CancelToken, Clock, Environment, Random, Resolver, Runner, Transport
from tests.support.clock import FakeClock, FakeRandom


class _Absent:
    """A port that this provider must not use: using it fails the test."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a DNS provider used {name} of a port that the test did not give it")


def access(
    kind: str | ProviderKind,
    vendor: Transport | None = None,
    *,
    settings: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    zones: Sequence[str] = (),
    name: str = "office-dns",
    clock: Clock | None = None,
    random: Random | None = None,
    resolver: Resolver | None = None,
    runner: Runner | None = None,
    cancel: CancelToken | None = None,
) -> Access:
    """Return what one entry of the configuration gives a provider; declared defaults are filled in, as certdeck does.

    Args:
        vendor: answers every request; None: there is no HTTP.
        clock, random: handed out as they are, so that several accesses can share them; read again from `.env.clock`.
    """
    declared = kind if isinstance(kind, ProviderKind) else kind_named(kind)
    given = settings or {}
    absent: Any = _Absent()
    return Access(
        name=name,
        kind=declared.name,
        settings={**{field.key: field.default for field in declared.settings if field.default}, **given},
        secrets=secrets or {},
        zones=tuple(zones),
        env=Environment(
            clock=clock or FakeClock(),
            random=random or FakeRandom(),
            transport=absent if vendor is None else lambda _bundle: vendor,
            runner=runner or absent,
            prober=absent,
            listener=absent,
            host=absent,
            resolver=resolver or absent,
        ),
        cancel=cancel or CancelToken(),
    )


def naps_of(access: Access) -> list[float]:
    """Return every wait so far, in seconds."""
    clock = access.env.clock
    assert isinstance(clock, FakeClock)
    return clock.naps
