"""Two certdecks and somebody at the provider's page, all at one zone: nobody's records are lost (ST-18).

For Namecheap the user only works while no certdeck is between its read and its write: what is added in that very moment is
lost there, since its interface replaces whole domains and knows no condition.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.dns.catalogue import kind_named
from core.dns.provider import TxtRecord
from core.ports import Response
from tests.support.clock import FakeRandom
from tests.support.dns_access import access
from tests.support.dns_battery import VENDORS
from tests.support.dns_race import FarTransport, Race
from tests.support.vendors.zone import CHALLENGE, ZONE, Foreign

ELSEWHERE = f"_acme-challenge.www.{ZONE}"
"""A name at which nobody has a value before."""


class Attentive(FarTransport):
    """Knows whether a writer has read a whole domain and not yet written it."""

    def __init__(self, race: Race, vendor: Any, after: Callable[[], None], reading: set[int], number: int) -> None:
        super().__init__(race, vendor, after)
        self._reading = reading
        self._number = number

    def request(self, method: str, url: str, **rest: Any) -> Response:
        is_read = b"getHosts" in (rest.get("body") or b"")
        if is_read:
            self._reading.add(self._number)
        try:
            return super().request(method, url, **rest)
        finally:
            if not is_read:
                self._reading.discard(self._number)


@pytest.mark.parametrize("name", ["aliyun", "namecheap", "route53"])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_nobody_loses_a_record(name: str, seed: int) -> None:
    """However requests mix, what a writer or a user has written stands until that one removes it; in the end all is as before."""
    account, vendor = VENDORS[name].account, VENDORS[name].make()
    before = vendor.snapshot()
    race = Race(seed)
    standing: set[tuple[str, str]] = set()
    reading: set[int] = set()

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
            far = Attentive(race, vendor, look, reading, number)
            random = FakeRandom(seed + number)
            provider = kind_named(name).connect(
                access(name, far, settings=account.SETTINGS, secrets=account.SECRETS, clock=race, random=random)
            )
            race.wait(race.random.uniform(0, 2))
            for _ in range(2):
                provider.change(ZONE, add=mine)
                reading.discard(number)
                standing.update((each.name, each.value) for each in mine)
                look()
                race.wait(race.random.uniform(1, 4))  # the CA looks
                standing.difference_update((each.name, each.value) for each in mine)
                provider.change(ZONE, remove=mine)
                reading.discard(number)
                race.wait(race.random.uniform(1, 4))

        return work

    def user() -> None:
        for number in range(6):
            race.wait(race.random.uniform(0, 3))
            while name == "namecheap" and reading:
                race.wait(0.05)
            value = f"user-{number}"
            at = CHALLENGE if number % 2 else f"user{number}.{ZONE}"
            vendor.put(Foreign(at, "TXT", 1234, value))
            standing.add((at, value))
            look()

    race.run(writer(1), writer(2), user)
    look()
    assert _without_the_user(vendor, name) == before


def _without_the_user(vendor: Any, name: str) -> object:
    """Return what there is once the user's records are taken away."""
    if name == "aliyun":
        records = vendor.domains[ZONE]
        vendor.domains[ZONE] = {id: each for id, each in records.items() if not each["Value"].startswith("user-")}
    elif name == "namecheap":
        rows = vendor.domains[ZONE].rows
        vendor.domains[ZONE].rows = [row for row in rows if not row[2].startswith("user-")]
    else:
        sets = vendor.sets[vendor.id_of()]
        kept = {key: (ttl, tuple(text for text in texts if '"user-' not in text)) for key, (ttl, texts) in sets.items()}
        vendor.sets[vendor.id_of()] = {key: each for key, each in kept.items() if each[1]}
    return vendor.snapshot()
