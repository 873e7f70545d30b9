"""GoDaddy (ST-21): a strict double of its API v1 with a domain full of records of others."""

from __future__ import annotations

from functools import partial

import pytest

from core.dns.provider import TxtRecord
from core.dns.providers.godaddy import KIND, GoDaddy
from core.errors import DnsProviderError
from core.ports import Response
from tests.support.dns_access import access, naps_of
from tests.support.transport import Asked, reply
from tests.support.vendors.godaddy import KEY, SECRET, GoDaddyVendor
from tests.support.vendors.zone import CHALLENGE, OTHERS_VALUE, ZONE, Foreign

ONE = TxtRecord(name=CHALLENGE, value="one-" + "A" * 39)
TWO = TxtRecord(name=CHALLENGE, value="two-" + "B" * 39)
BELOW = TxtRecord(name=f"_acme-challenge.a.b.{ZONE}", value="three-" + "C" * 37)
TOP = TxtRecord(name=ZONE, value="google-site-verification=x")


def godaddy(vendor: GoDaddyVendor, secret: str = SECRET) -> GoDaddy:
    return GoDaddy(access(KIND, vendor, secrets={"api_key": KEY, "api_secret": secret}))


def methods(vendor: GoDaddyVendor) -> list[str]:
    return [asked.method for asked in vendor.asked if asked.method != "GET"]


def failure(vendor: GoDaddyVendor, *, provider: GoDaddy | None = None, zone: str = ZONE) -> DnsProviderError:
    """Return the error of adding a record."""
    with pytest.raises(DnsProviderError) as caught:
        (provider or godaddy(vendor)).change(zone, add=[TxtRecord(name=f"_acme-challenge.{zone}", value="v")])
    assert SECRET not in f"{caught.value} {caught.value.details}"
    return caught.value


def test_everything_is_added_in_one_request() -> None:
    """Values at several names are added together; a name is then replaced or, where nothing is left, deleted."""
    vendor = GoDaddyVendor()
    provider = godaddy(vendor)
    provider.change(ZONE, add=[ONE, TWO, BELOW])
    assert methods(vendor) == ["PATCH"]
    provider.change(ZONE, remove=[ONE, TWO, BELOW])
    assert methods(vendor) == ["PATCH", "PUT", "DELETE"]


def test_many_names_are_added_in_one_request() -> None:
    """A hundred names are read together and added together: GoDaddy counts 60 requests a minute."""
    vendor = GoDaddyVendor()
    before = vendor.snapshot()
    records = [TxtRecord(name=f"_acme-challenge.n{number}.{ZONE}", value="v" * 43) for number in range(100)]
    provider = godaddy(vendor)
    provider.change(ZONE, add=records)
    assert len(vendor.asked) == 3
    vendor.requests, vendor.requests_a_minute = 0, 60
    provider.change(ZONE, remove=records)
    assert vendor.snapshot() == before
    assert naps_of(provider._access) == [23.0] * 3


def test_a_list_that_leaves_out_some_harms_nothing() -> None:
    """Where the list of all records leaves out some, the names are read one by one."""
    vendor = GoDaddyVendor()
    vendor.shows_all = False
    records = [TxtRecord(name=f"_acme-challenge.n{number}.{ZONE}", value="v" * 43) for number in range(5)]
    provider = godaddy(vendor)
    provider.change(ZONE, add=[*records, ONE])
    assert all(record.value in vendor.values_at(record.name) for record in [*records, ONE])
    provider.change(ZONE, remove=[ONE])
    assert vendor.values_at(CHALLENGE) == {OTHERS_VALUE}


def test_all_domains_on_all_pages() -> None:
    """Every page of domains is read, after the last name of the one before."""
    names = [f"d{number}.example" for number in range(7)]
    assert godaddy(GoDaddyVendor(*names)).zones() == tuple(names)


def test_a_put_that_had_to_wait_is_made_anew() -> None:
    """A value that somebody adds while a refused PUT waits for its turn is kept: the PUT is not repeated as it was."""
    vendor = GoDaddyVendor()
    provider = godaddy(vendor)
    provider.change(ZONE, add=[ONE])
    refused: list[bool] = []

    def busy(asked: Asked) -> Response:
        if asked.method == "PUT" and not refused:
            refused.append(True)
            vendor.put(Foreign(CHALLENGE, "TXT", 600, "theirs"))
            return reply(429, {"code": "TOO_MANY_REQUESTS", "message": "Too many requests", "retryAfterSec": 30})
        return GoDaddyVendor.answer(vendor, asked)

    vendor.answer = busy
    provider.change(ZONE, remove=[ONE])
    assert refused
    assert vendor.values_at(CHALLENGE) == {OTHERS_VALUE, "theirs"}


def test_somebody_faster_is_no_failure() -> None:
    """A value that somebody adds between our look and our write is left alone, and ours stands too."""
    vendor = GoDaddyVendor()

    def faster() -> None:
        vendor.before_write = lambda: None
        vendor.put(Foreign(CHALLENGE, "TXT", 600, ONE.value))

    vendor.before_write = faster
    godaddy(vendor).change(ZONE, add=[ONE, TWO])
    assert vendor.values_at(CHALLENGE) == {OTHERS_VALUE, ONE.value, TWO.value}


def test_a_domain_at_work_is_tried_again() -> None:
    """A 409, which GoDaddy gives while another change is under way, is tried again and in the end told as a conflict."""
    busy = reply(409, {"code": "CONFLICT", "message": "Another operation is in progress"})
    vendor = GoDaddyVendor()
    vendor.faults = [None, busy]
    godaddy(vendor).change(ZONE, add=[BELOW])
    assert vendor.values_at(BELOW.name) == {BELOW.value}
    vendor.faults = [None, None, busy]
    godaddy(vendor).change(ZONE, remove=[BELOW])
    assert vendor.values_at(BELOW.name) == set()
    vendor.faults = [None, busy, None, None, busy, None] * 9
    assert failure(vendor).details["reason"] == "conflict"


def test_the_access_rules_in_words() -> None:
    """ACCESS_DENIED for the whole account names GoDaddy's rules and the way out (pain point 15, ST-24)."""
    vendor = GoDaddyVendor()
    vendor.has_access = False
    provider = godaddy(vendor)
    for ask in (provider.zones, partial(provider.change, ZONE, add=[ONE])):
        with pytest.raises(DnsProviderError) as caught:
            ask()
        error = caught.value
        assert error.details["reason"] == "no-api-access"
        assert "10 domains" in error.why
        assert "ACCESS_DENIED" in error.why
        assert "CNAME" in error.fix


@pytest.mark.parametrize("zone", ["nowhere.example", "sub.nowhere.example"])
def test_a_domain_of_somebody_else(zone: str) -> None:
    """The same ACCESS_DENIED for a domain that is not in the account is told apart."""
    error = failure(GoDaddyVendor(), zone=zone)
    assert error.details["reason"] == "zone"
    assert zone in error.what


def test_bad_credentials() -> None:
    """Key and secret that are not accepted: the environment they have to be of is named (ST-24)."""
    vendor = GoDaddyVendor()
    error = failure(vendor, provider=godaddy(vendor, "other"))
    assert error.details["reason"] == "credentials"
    assert "UNABLE_TO_AUTHENTICATE" in error.why
    assert "Production" in error.fix


def test_any_other_refusal_is_in_its_words() -> None:
    """A refusal for another reason comes with GoDaddy's code and words, also those for single fields."""
    vendor = GoDaddyVendor()
    body = {"code": "INVALID_BODY", "message": "Bad body", "fields": [{"path": "data", "message": "is too long"}]}
    vendor.faults = [None, reply(422, body)]
    assert "INVALID_BODY: Bad body: is too long." in failure(vendor).why


@pytest.mark.parametrize(
    "said", [reply(200, "<html>Log in</html>"), reply(200, "{}"), reply(403, "<html>No</html>"), reply(200, "[1]")]
)
def test_something_else_that_answers(said: Response) -> None:
    """A login page, or other JSON, is recognised as not GoDaddy."""
    vendor = GoDaddyVendor()
    vendor.faults = [said]
    assert "not the API of GoDaddy" in failure(vendor).what


def test_the_rules_are_told_beforehand() -> None:
    """The form and `dns add` say who may use the API before anybody tries."""
    assert any("ACCESS_DENIED" in note for note in KIND.notes)
