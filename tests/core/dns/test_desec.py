"""deSEC: a strict double of API v1 with a domain full of records of others."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from core.dns.provider import TxtRecord
from core.dns.providers.desec import KIND, Desec
from core.errors import DnsProviderError
from core.ports import Response
from tests.support.clock import NOON, FakeClock
from tests.support.dns_access import access, naps_of
from tests.support.transport import Asked, reply
from tests.support.vendors.desec import TOKEN, DesecVendor
from tests.support.vendors.zone import CHALLENGE, OTHERS_VALUE, ZONE, Foreign

ONE = TxtRecord(name=CHALLENGE, value="one-" + "A" * 39)
TWO = TxtRecord(name=CHALLENGE, value="two-" + "B" * 39)
BELOW = TxtRecord(name=f"_acme-challenge.a.b.{ZONE}", value="three-" + "C" * 37)
TOP = TxtRecord(name=ZONE, value="google-site-verification=x")


def desec(vendor: DesecVendor, token: str = TOKEN) -> Desec:
    return Desec(access(KIND, vendor, secrets={"api_token": token}))


def failure(vendor: DesecVendor, *, provider: Desec | None = None, zone: str = ZONE) -> DnsProviderError:
    """Return the error of adding a record."""
    with pytest.raises(DnsProviderError) as caught:
        (provider or desec(vendor)).change(zone, add=[BELOW])
    assert TOKEN not in f"{caught.value} {caught.value.details}"
    return caught.value


def test_a_name_of_our_own_is_done_at_once() -> None:
    """Where nobody else has a value, nothing is waited for."""
    vendor = DesecVendor()
    provider = desec(vendor)
    provider.change(ZONE, add=[BELOW])
    provider.change(ZONE, remove=[BELOW])
    assert naps_of(provider._access) == []


def test_the_ttl_of_others_stays() -> None:
    """A value that joins others leaves their TTL as it is."""
    vendor = DesecVendor()
    desec(vendor).change(ZONE, add=[ONE])
    assert vendor.sets[ZONE]["_acme-challenge", "TXT"][0] == 1234


@pytest.mark.parametrize("lowest", [60, 3600])
def test_the_lowest_ttl_of_the_domain(lowest: int) -> None:
    """New sets get the lowest TTL that the domain takes."""
    vendor = DesecVendor(minimum_ttl=lowest)
    desec(vendor).change(ZONE, add=[BELOW])
    assert vendor.sets[ZONE]["_acme-challenge.a.b", "TXT"][0] == lowest


def test_many_names_take_two_writes() -> None:
    """A hundred names are read page by page and written in one request, of which 15 a minute are allowed."""
    vendor = DesecVendor()
    before = vendor.snapshot()
    records = [TxtRecord(name=f"_acme-challenge.n{number}.{ZONE}", value="v" * 43) for number in range(100)]
    provider = desec(vendor)
    provider.change(ZONE, add=[*records, ONE])
    assert vendor.writes == 2
    assert all(vendor.values_at(record.name) == {record.value} for record in records)
    provider.change(ZONE, remove=[*records, ONE])
    assert vendor.snapshot() == before


def test_all_domains_on_all_pages() -> None:
    """Every page of domains is read; the token goes to no other host, whatever a link says."""
    names = [f"d{number}.example" for number in range(8)]
    vendor = DesecVendor(*names)
    vendor.link_host = "attacker.example"
    assert desec(vendor).zones() == tuple(names)
    assert {asked.url.split("/")[2] for asked in vendor.asked} == {"desec.io"}


def test_a_set_that_somebody_makes_first_is_kept() -> None:
    """When another client makes the set between our look and our POST, both values stand in the end."""
    vendor = DesecVendor()

    def faster() -> None:
        vendor.before_write = lambda: None
        vendor.put(Foreign(BELOW.name, "TXT", 3600, "theirs"))

    vendor.before_write = faster
    desec(vendor).change(ZONE, add=[BELOW])
    assert vendor.values_at(BELOW.name) == {BELOW.value, "theirs"}


def test_a_set_that_somebody_removes_first_does_not_come_back() -> None:
    """When another client removes its set between our look and our PATCH, its value stays gone."""
    vendor = DesecVendor()
    vendor.put(Foreign(BELOW.name, "TXT", 3600, "theirs"))

    def faster() -> None:
        vendor.before_write = lambda: None
        del vendor.sets[ZONE]["_acme-challenge.a.b", "TXT"]

    vendor.before_write = faster
    desec(vendor).change(ZONE, add=[BELOW])
    assert vendor.values_at(BELOW.name) == {BELOW.value}


class Overwriting(DesecVendor):
    """Another client that read before our write overwrites it right afterwards, `times` times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def answer(self, asked: Asked) -> Response:
        said = super().answer(asked)
        if asked.method == "PATCH" and self.times:
            self.times -= 1
            self.sets[ZONE]["_acme-challenge", "TXT"] = (1234, (f'"{OTHERS_VALUE}"', '"theirs"'))
        return said


def test_an_overwritten_value_is_written_again() -> None:
    """A value that another writer has overwritten is noticed and written again, beside theirs."""
    vendor = Overwriting(2)
    desec(vendor).change(ZONE, add=[ONE])
    assert vendor.values_at(CHALLENGE) == {OTHERS_VALUE, "theirs", ONE.value}


def test_a_slow_writer_is_noticed_too() -> None:
    """A value that another writer overwrites two seconds after our write, from what it read before, is written again."""
    clock = FakeClock()
    vendor = Late(clock)
    Desec(access(KIND, vendor, secrets={"api_token": TOKEN}, clock=clock)).change(ZONE, add=[ONE])
    assert vendor.has_overwritten
    assert vendor.values_at(CHALLENGE) == {OTHERS_VALUE, "theirs", ONE.value}


class Late(DesecVendor):
    """Another client that read before our write overwrites it two seconds afterwards."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.clock = clock
        self.written_at: float | None = None
        self.has_overwritten = False

    def answer(self, asked: Asked) -> Response:
        now = self.clock.monotonic()
        if self.written_at is not None and not self.has_overwritten and now >= self.written_at + 2:
            self.has_overwritten = True
            self.sets[ZONE]["_acme-challenge", "TXT"] = (1234, (f'"{OTHERS_VALUE}"', '"theirs"'))
        said = super().answer(asked)
        if asked.method == "PATCH" and self.written_at is None:
            self.written_at = now
        return said


def test_a_patch_that_had_to_wait_is_made_anew() -> None:
    """A value that somebody adds while a throttled PATCH waits for its turn is kept: the PATCH is not repeated as it was."""
    vendor = DesecVendor()
    provider = desec(vendor)
    provider.change(ZONE, add=[ONE])
    vendor.writes = vendor.writes_a_minute
    throttled = len(vendor.asked) + 1  # the look; then the PATCH
    vendor.on_throttle = lambda: vendor.put(Foreign(CHALLENGE, "TXT", 1234, "theirs"))
    provider.change(ZONE, remove=[ONE])
    assert vendor.asked[throttled].method == "PATCH"
    assert vendor.values_at(CHALLENGE) == {OTHERS_VALUE, "theirs"}


def test_endless_overwriting_ends() -> None:
    """A value that never stands is reported as a conflict, not as success."""
    vendor = Overwriting(99)
    with pytest.raises(DnsProviderError) as caught:
        desec(vendor).change(ZONE, add=[ONE])
    assert caught.value.details["reason"] == "conflict"
    assert vendor.times == 99 - 5


def test_throttling_is_waited_out_or_told() -> None:
    """Retry-After is obeyed; one that is longer than a minute is told with the time, and not waited for."""
    vendor = DesecVendor()
    vendor.writes = vendor.writes_a_minute
    provider = desec(vendor)
    provider.change(ZONE, add=[BELOW])
    assert naps_of(provider._access) == [41]
    vendor.faults = [reply(429, {"detail": "Request was throttled."}, retry_after="7200")]
    error = failure(vendor)
    assert error.details["reason"] == "rate-limited"
    assert "2 hours" in error.why
    assert error.retry_at == NOON + timedelta(hours=2)


def test_a_bad_token() -> None:
    """A token that is not accepted: what may be wrong with one that worked before is said (ST-24)."""
    vendor = DesecVendor()
    error = failure(vendor, provider=desec(vendor, "other"))
    assert error.details["reason"] == "credentials"
    assert "allowed subnets" in error.fix


def test_a_token_without_the_permission() -> None:
    """A token whose policies do not allow the write: the policy to add is said (ST-24)."""
    vendor = DesecVendor()
    vendor.may_write = False
    error = failure(vendor)
    assert error.details["reason"] == "permission"
    assert "policy" in error.fix


def test_any_other_refusal_is_in_its_words() -> None:
    """A refusal for another reason comes with the field and deSEC's words."""
    vendor = DesecVendor()
    vendor.faults = [None, None, reply(400, [{}, {"subname": ["Ensure this field has no more than 178 characters."]}])]
    assert "subname: Ensure this field has no more than 178 characters." in failure(vendor).why


@pytest.mark.parametrize("body", ["<html>Log in</html>", "[3]", '{"records": 3}', '[{"name": 3}]'])
@pytest.mark.parametrize("before", [0, 1])
def test_something_else_that_answers(body: str, before: int) -> None:
    """A login page, or other JSON, is recognised as not deSEC."""
    vendor = DesecVendor()
    vendor.faults = [*[None] * before, reply(200, body)]
    provider = desec(vendor)
    ask = partial(provider.change, ZONE, add=[BELOW]) if before else provider.zones
    with pytest.raises(DnsProviderError, match="not the API of deSEC"):
        ask()
