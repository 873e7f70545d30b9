"""Dynu (SO-25, SO-26): a strict double of its API v2 with a domain full of records of others."""

from __future__ import annotations

import pytest

from core.dns.names import zone_among
from core.dns.provider import TxtRecord
from core.dns.providers.dynu import KIND, Dynu
from core.errors import DnsProviderError
from core.ports import TransportFailure
from tests.support.clock import FakeClock
from tests.support.dns_access import access, naps_of
from tests.support.transport import reply
from tests.support.vendors.dynu import CLIENT_ID, SECRET, DynuVendor
from tests.support.vendors.zone import CHALLENGE, OTHERS_VALUE, ZONE, Foreign

ONE = TxtRecord(name=CHALLENGE, value="one-" + "A" * 39)
TWO = TxtRecord(name=CHALLENGE, value="two-" + "B" * 39)
BELOW = TxtRecord(name=f"_acme-challenge.a.b.{ZONE}", value="three-" + "C" * 37)
TOP = TxtRecord(name=ZONE, value="google-site-verification=x")


def dynu(vendor: DynuVendor, *, secret: str = SECRET, clock: FakeClock | None = None) -> Dynu:
    return Dynu(access(KIND, vendor, settings={"client_id": CLIENT_ID}, secrets={"client_secret": secret}, clock=clock))


def failure(vendor: DynuVendor, *, provider: Dynu | None = None, zone: str = ZONE) -> DnsProviderError:
    """Return the error of adding a record."""
    with pytest.raises(DnsProviderError) as caught:
        (provider or dynu(vendor)).change(zone, add=[TxtRecord(name=f"_acme-challenge.{zone}", value="v")])
    assert SECRET not in f"{caught.value} {caught.value.details}"
    return caught.value


def test_a_sub_domain_that_is_a_domain_of_its_own() -> None:
    """A record goes to the longest domain of the account that it is in, which Dynu's own lookup gets wrong."""
    vendor = DynuVendor()
    before = vendor.snapshot()
    provider = dynu(vendor)
    record = TxtRecord(name=f"_acme-challenge.www.sub.{ZONE}", value="v")
    zone = zone_among(record.name, provider.zones())
    assert zone == f"sub.{ZONE}"
    provider.change(zone, add=[record])
    assert vendor.values_at(record.name, zone) == {"v"}
    assert not any("getroot" in asked.url for asked in vendor.asked)
    provider.change(zone, remove=[record])
    assert vendor.snapshot() == before


@pytest.mark.parametrize("expires_in", [28_800, "28800"])
def test_one_access_token_until_its_end(expires_in: object) -> None:
    """An access token is used for as long as it is good, and a new one asked for before its end."""
    vendor, clock = DynuVendor(), FakeClock()
    vendor.expires_in = expires_in
    provider = dynu(vendor, clock=clock)
    provider.change(ZONE, add=[ONE])
    provider.change(ZONE, remove=[ONE])
    clock.advance(seconds=28_000)
    provider.zones()
    assert vendor.sign_ins == 1
    clock.advance(seconds=600)
    provider.zones()
    assert vendor.sign_ins == 2


@pytest.mark.parametrize("expires_in", [None, "soon", -5, 3])
def test_a_token_that_does_not_say_how_long(expires_in: object) -> None:
    """A token whose end is not told, or near, is used for a minute: not asked for with every request."""
    vendor = DynuVendor()
    vendor.expires_in = expires_in
    provider = dynu(vendor)
    provider.change(ZONE, add=[ONE])
    assert vendor.sign_ins == 1


def test_a_token_that_dynu_has_forgotten() -> None:
    """A token that stops working before its time is replaced once."""
    vendor = DynuVendor()
    provider = dynu(vendor)
    provider.zones()
    vendor.tokens.clear()
    provider.change(ZONE, add=[ONE])
    assert vendor.values_at(CHALLENGE) == {OTHERS_VALUE, ONE.value}
    assert vendor.sign_ins == 2


def test_somebody_faster_is_no_failure() -> None:
    """A value that somebody else adds between our look and our write is there; that is all we want."""
    vendor = DynuVendor()

    def faster() -> None:
        vendor.before_write = lambda: None
        vendor.put(Foreign(CHALLENGE, "TXT", 90, ONE.value))

    vendor.before_write = faster
    dynu(vendor).change(ZONE, add=[ONE, TWO])
    assert vendor.values_at(CHALLENGE) == {OTHERS_VALUE, ONE.value, TWO.value}


def test_a_bad_moment_is_waited_out() -> None:
    """A 502 without Dynu's words, and a broken connection, are asked again; slowness is given 40 seconds."""
    vendor = DynuVendor()
    vendor.faults = [reply(502, "<html>Bad Gateway</html>"), TransportFailure("unreachable", "It broke."), None]
    provider = dynu(vendor)
    provider.change(ZONE, add=[ONE])
    assert len(naps_of(provider._access)) == 2
    assert vendor.values_at(CHALLENGE) == {OTHERS_VALUE, ONE.value}


def test_a_full_plan() -> None:
    """The limit of a free membership, which Dynu sends as 503, is told at once and not asked again for a minute."""
    vendor = DynuVendor()
    vendor.most_records = 4
    clock = FakeClock()
    error = failure(vendor, provider=dynu(vendor, clock=clock))
    assert error.details["reason"] == "no-api-access"
    assert "four records" in error.fix
    assert clock.naps == []


@pytest.mark.parametrize("status", [200, 501])
def test_a_refusal_is_in_dynus_words(status: int) -> None:
    """A refusal in the body counts, whatever the status of the reply; it is tried again only to see whether it is done."""
    vendor = DynuVendor()
    refusal = reply(status, {"statusCode": 501, "type": "Argument Exception", "message": "Invalid text."})
    vendor.faults = [None, None, None, refusal, None, refusal, None, refusal]
    error = failure(vendor)
    assert "Argument Exception: Invalid text." in error.why
    assert error.details["status"] == 501


def test_a_domain_that_is_not_there() -> None:
    """A domain out of the account is named, with those that it has."""
    error = failure(DynuVendor(), zone="nowhere.example")
    assert error.details["reason"] == "zone"
    assert "other.example.net" in error.why
    assert "no domains" in failure(Empty(), zone="nowhere.example").why


class Empty(DynuVendor):
    """An account without a domain."""

    def __init__(self) -> None:
        super().__init__("x.example")
        self.ids.clear()


def test_bad_credentials() -> None:
    """Credentials that are not accepted: where the right ones are found, and that the API Key is not one of them (ST-24)."""
    vendor = DynuVendor()
    error = failure(vendor, provider=dynu(vendor, secret="other"))
    assert error.details["reason"] == "credentials"
    assert "Authentication Exception" in error.why
    assert "API Credentials" in error.fix


def test_what_it_says_back_is_concealed() -> None:
    """An access token that Dynu says back does not get into the error."""
    vendor = DynuVendor()
    said = reply(403, {"statusCode": 403, "type": "Exception", "message": f"bad bearer-token-number-1 of {SECRET}"})
    vendor.faults = [None, said]
    error = failure(vendor)
    assert "bearer-token-number-1" not in str(error)
    assert "bad …" in error.why


@pytest.mark.parametrize(
    "body", ["<html>Log in</html>", "[]", '{"statusCode": 200}', '{"statusCode": 200, "domains": [1]}']
)
@pytest.mark.parametrize("before", [0, 1])
def test_something_else_that_answers(body: str, before: int) -> None:
    """A login page, or other JSON, is recognised as not Dynu, at the sign-in and after it."""
    vendor = DynuVendor()
    vendor.faults = [*[None] * before, reply(200, body)]
    assert "not the API of Dynu" in failure(vendor).what
