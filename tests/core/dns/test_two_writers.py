"""Two certdecks at one zone, each vendor: no value of the other is lost, and nothing that is of neither (ST-18)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.dns.provider import TxtRecord
from core.dns.providers import cloudflare, desec, dynu, godaddy
from core.ports import Response
from tests.support.clock import FakeRandom
from tests.support.dns_access import access
from tests.support.dns_race import FarTransport, Race
from tests.support.vendors.cloudflare import TOKEN as CLOUDFLARE_TOKEN
from tests.support.vendors.cloudflare import CloudflareVendor
from tests.support.vendors.desec import TOKEN as DESEC_TOKEN
from tests.support.vendors.desec import DesecVendor
from tests.support.vendors.dynu import CLIENT_ID, DynuVendor
from tests.support.vendors.dynu import SECRET as DYNU_SECRET
from tests.support.vendors.godaddy import KEY as GODADDY_KEY
from tests.support.vendors.godaddy import SECRET as GODADDY_SECRET
from tests.support.vendors.godaddy import GoDaddyVendor
from tests.support.vendors.zone import CHALLENGE, ZONE

ELSEWHERE = f"_acme-challenge.www.{ZONE}"
"""A name at which nobody has a value before."""


class Zoned(Protocol):
    """What the vendors of this test have in common."""

    def values_at(self, name: str) -> set[str]: ...
    def snapshot(self) -> object: ...
    def request(self, method: str, url: str, **rest: Any) -> Response: ...
    def close(self) -> None: ...


def desec_without_limits() -> DesecVendor:
    vendor = DesecVendor()
    vendor.writes_a_minute = 1000
    return vendor


def throttled_godaddy() -> GoDaddyVendor:
    vendor = GoDaddyVendor()
    vendor.requests_a_minute = 9
    return vendor


VENDORS: dict[str, tuple[Callable[[], Any], Any, dict[str, str], dict[str, str]]] = {
    "cloudflare": (CloudflareVendor, cloudflare.KIND, {}, {"api_token": CLOUDFLARE_TOKEN}),
    "desec": (desec_without_limits, desec.KIND, {}, {"api_token": DESEC_TOKEN}),
    "desec-throttled": (DesecVendor, desec.KIND, {}, {"api_token": DESEC_TOKEN}),
    "dynu": (DynuVendor, dynu.KIND, {"client_id": CLIENT_ID}, {"client_secret": DYNU_SECRET}),
    "godaddy": (GoDaddyVendor, godaddy.KIND, {}, {"api_key": GODADDY_KEY, "api_secret": GODADDY_SECRET}),
    "godaddy-throttled": (throttled_godaddy, godaddy.KIND, {}, {"api_key": GODADDY_KEY, "api_secret": GODADDY_SECRET}),
}


@pytest.mark.parametrize("name", VENDORS)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_two_writers_keep_each_others_values(name: str, seed: int) -> None:
    """However the requests of two writers mix, what one has written stands until it removes it, and in the end all is as before."""
    make, kind, chosen, secrets = VENDORS[name]
    vendor: Zoned = make()
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
            provider = kind.connect(
                access(kind, far, settings=chosen, secrets=secrets, clock=race, random=FakeRandom(seed + number))
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
