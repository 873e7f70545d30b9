"""Two certdecks at one zone, each vendor: no value of the other is lost, and nothing that is of neither (ST-18)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.dns.catalogue import kind_named
from core.dns.provider import TxtRecord
from tests.support.clock import FakeRandom
from tests.support.dns_access import access
from tests.support.dns_battery import VENDORS
from tests.support.dns_race import FarTransport, Race
from tests.support.vendors.desec import DesecVendor
from tests.support.vendors.godaddy import GoDaddyVendor
from tests.support.vendors.zone import CHALLENGE, ZONE

ELSEWHERE = f"_acme-challenge.www.{ZONE}"
"""A name at which nobody has a value before."""


def desec_without_limits() -> DesecVendor:
    vendor = DesecVendor()
    vendor.writes_a_minute = 1000
    return vendor


def throttled_godaddy() -> GoDaddyVendor:
    vendor = GoDaddyVendor()
    vendor.requests_a_minute = 9
    return vendor


WRITERS: dict[str, tuple[str, Callable[[], Any]]] = {
    "cloudflare": ("cloudflare", VENDORS["cloudflare"].make),
    "desec": ("desec", desec_without_limits),
    "desec-throttled": ("desec", VENDORS["desec"].make),
    "dynu": ("dynu", VENDORS["dynu"].make),
    "godaddy": ("godaddy", VENDORS["godaddy"].make),
    "godaddy-throttled": ("godaddy", throttled_godaddy),
}
"""The kind, and what makes the vendor's double."""


@pytest.mark.parametrize("name", WRITERS)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_two_writers_keep_each_others_values(name: str, seed: int) -> None:
    """However the requests of two writers mix, what one has written stands until it removes it, and in the end all is as before."""
    kind, make = WRITERS[name]
    account, vendor = VENDORS[kind].account, make()
    before = vendor.snapshot()
    race = Race(seed)
    standing: set[tuple[str, str]] = set()

    def look() -> None:
        for at, value in standing:
            assert value in vendor.values_at(at), f"{value} was lost"

    def writer(number: int) -> Callable[[], None]:
        mine = [
            TxtRecord(name=at, value=f"writer-{number}-{what}")
            for at in (CHALLENGE, ELSEWHERE)
            for what in ("bare", "wildcard")
        ]

        def work() -> None:
            far = FarTransport(race, vendor, look)
            random = FakeRandom(seed + number)
            provider = kind_named(kind).connect(
                access(kind, far, settings=account.SETTINGS, secrets=account.SECRETS, clock=race, random=random)
            )
            race.wait(race.random.uniform(0, 2))
            for _ in range(2):
                provider.change(ZONE, add=mine)
                standing.update((each.name, each.value) for each in mine)
                look()
                race.wait(race.random.uniform(1, 4))  # the CA looks
                standing.difference_update((each.name, each.value) for each in mine)
                provider.change(ZONE, remove=mine)
                race.wait(race.random.uniform(1, 4))

        return work

    race.run(writer(1), writer(2))
    assert vendor.snapshot() == before
