"""Cloudflare (ST-19): a strict double of API v4 with a zone full of records of others."""

from __future__ import annotations

import json

import pytest

from core.dns.provider import TxtRecord
from core.dns.providers.cloudflare import KIND, Cloudflare
from core.errors import DnsProviderError
from core.ports import Response
from tests.support.dns_access import access
from tests.support.transport import Asked, reply
from tests.support.vendor import json_of
from tests.support.vendors.cloudflare import TOKEN, CloudflareVendor
from tests.support.vendors.zone import CHALLENGE, OTHERS_VALUE, ZONE, Foreign

ONE = TxtRecord(name=CHALLENGE, value="one-" + "A" * 39)
TWO = TxtRecord(name=CHALLENGE, value="two-" + "B" * 39)
BELOW = TxtRecord(name=f"_acme-challenge.a.b.{ZONE}", value="three-" + "C" * 37)


class Contrary(CloudflareVendor):
    """Somebody else adds our value before each write and removes it before each look."""

    def answer(self, asked: Asked) -> Response:
        records = self.records[self.id_of()]
        for id in [id for id, each in records.items() if ONE.value in each["content"]]:
            del records[id]
        if asked.method == "POST":
            self.put(Foreign(CHALLENGE, "TXT", 60, ONE.value))
        return super().answer(asked)


def cloudflare(vendor: CloudflareVendor, **settings: str) -> Cloudflare:
    return Cloudflare(access(KIND, vendor, settings=settings, secrets={"api_token": TOKEN}))


def failure(vendor: CloudflareVendor, provider: Cloudflare | None = None, zone: str = ZONE) -> DnsProviderError:
    """Return the error of adding a record."""
    with pytest.raises(DnsProviderError) as caught:
        (provider or cloudflare(vendor)).change(zone, add=[ONE])
    error = caught.value
    assert TOKEN not in f"{error} {error.details}"
    assert error.details["kind"] == "cloudflare"
    return error


def test_one_call_takes_one_batch() -> None:
    """A hundred names are read together and written in one request."""
    vendor = CloudflareVendor()
    before = vendor.snapshot()
    records = [TxtRecord(name=f"_acme-challenge.n{number}.{ZONE}", value="v" * 43) for number in range(100)]
    provider = cloudflare(vendor)
    provider.change(ZONE, add=records)
    assert [asked.method for asked in vendor.asked].count("POST") == 1
    assert all(vendor.values_at(record.name) == {record.value} for record in records)
    provider.change(ZONE, remove=records)
    assert vendor.snapshot() == before


def test_batches_keep_to_the_smallest_plan() -> None:
    """More changes than one batch may hold go in several."""
    vendor = CloudflareVendor()
    records = [TxtRecord(name=f"n{number}.{ZONE}", value="v") for number in range(250)]
    cloudflare(vendor).change(ZONE, add=records)
    assert all(vendor.values_at(record.name) == {"v"} for record in records)


def test_old_answers_without_quotes_are_known() -> None:
    """A value that was stored without quotes is neither added again nor left behind."""
    vendor = CloudflareVendor()
    before = vendor.snapshot()
    vendor.put(Foreign(CHALLENGE, "TXT", 60, ""), content=ONE.value)
    provider = cloudflare(vendor)
    provider.change(ZONE, add=[ONE])
    assert [asked.method for asked in vendor.asked].count("POST") == 0
    provider.change(ZONE, remove=[ONE])
    assert vendor.snapshot() == before


def test_somebody_faster_is_no_failure() -> None:
    """A value added, or a record removed, by somebody else between reading and writing is looked at again."""
    vendor = CloudflareVendor()
    provider = cloudflare(vendor)

    def faster() -> None:
        vendor.before_batch = lambda: None
        vendor.put(Foreign(CHALLENGE, "TXT", 60, ONE.value))

    vendor.before_batch = faster
    provider.change(ZONE, add=[ONE, TWO])
    assert vendor.values_at(CHALLENGE) == {OTHERS_VALUE, ONE.value, TWO.value}

    def gone() -> None:
        vendor.before_batch = lambda: None
        records = vendor.records[vendor.id_of()]
        records.pop(next(id for id, each in records.items() if ONE.value in each["content"]))

    vendor.before_batch = gone
    provider.change(ZONE, remove=[ONE, TWO])
    assert vendor.values_at(CHALLENGE) == {OTHERS_VALUE}


def test_endless_interference_ends() -> None:
    """When somebody else is faster every time, it ends with words about that."""
    vendor = Contrary()
    assert failure(vendor).details["reason"] == "conflict"
    assert [asked.method for asked in vendor.asked].count("POST") == 5


def test_all_zones_on_all_pages() -> None:
    """Every page of zones is read; an active zone wins over a pending one of the same name (CC-04)."""
    vendor = CloudflareVendor("a.example", "b.example", ZONE, "c.example", "d.example")
    stale = vendor.add_zone("e.example", status="moved")
    real = vendor.add_zone("e.example")
    vendor.add_zone("e.example", status="pending")
    provider = cloudflare(vendor)
    assert provider.zones() == ("a.example", "b.example", "c.example", "d.example", "e.example", ZONE)
    provider.change("e.example", add=[TxtRecord(name="x.e.example", value="v")])
    assert vendor.records[real]
    assert not vendor.records[stale]


def test_zone_id_spares_reading_zones() -> None:
    """With zone_id a token that may only edit DNS is enough (CC-04)."""
    vendor = CloudflareVendor()
    assert cloudflare(vendor, zone_id=vendor.id_of()).zones() == (ZONE,)
    vendor.may_read_zones = False
    provider = Cloudflare(
        access(KIND, vendor, settings={"zone_id": vendor.id_of()}, secrets={"api_token": TOKEN}, zones=[ZONE])
    )
    assert provider.zones() == (ZONE,)
    provider.change(ZONE, add=[ONE])
    assert vendor.values_at(CHALLENGE) == {OTHERS_VALUE, ONE.value}


def test_a_wrong_zone_id_leaves_no_record() -> None:
    """A record that Cloudflare puts below another zone, because zone_id is of that one, is taken back and the mistake named."""
    vendor = CloudflareVendor()
    before = vendor.snapshot()
    error = failure(vendor, cloudflare(vendor, zone_id=vendor.id_of("other.example.net")))
    assert error.details["reason"] == "zone"
    assert f"{CHALLENGE}.other.example.net" in error.why
    assert vendor.snapshot() == before


def test_an_unknown_zone_id_is_named() -> None:
    """A zone_id that Cloudflare does not know is said so."""
    vendor = CloudflareVendor()
    error = failure(vendor, cloudflare(vendor, zone_id="f" * 32))
    assert error.details["reason"] == "zone"
    assert "zone_id" in error.fix
    with pytest.raises(DnsProviderError, match="no zone with this ID"):
        cloudflare(vendor, zone_id="f" * 32).zones()


@pytest.mark.parametrize(("readable", "seen"), [(True, "other.example.net"), (False, "access to no zone")])
def test_a_zone_that_the_token_does_not_see(readable: bool, seen: str) -> None:
    """A zone out of the token's reach is named with what it does see, and both permissions that it takes (ST-24)."""
    vendor = CloudflareVendor()
    vendor.may_read_zones = readable
    error = failure(vendor, zone="nowhere.example")
    assert error.details["reason"] == "zone"
    assert seen in error.why
    assert "Zone: DNS: Edit" in error.fix
    assert "Zone: Zone: Read" in error.fix


def test_a_missing_permission_is_named() -> None:
    """A valid token without the permission is told from a bad token, though Cloudflare says the same of both (ST-24)."""
    vendor = CloudflareVendor()
    vendor.may_edit = False
    error = failure(vendor)
    assert error.details["reason"] == "permission"
    assert "valid" in error.what
    assert ZONE in error.what
    assert "Zone: DNS: Edit" in error.fix


@pytest.mark.parametrize(
    ("status", "words"), [("expired", "expired"), ("disabled", "disabled"), ("unknown", "Invalid API Token")]
)
def test_a_token_that_is_no_good(status: str, words: str) -> None:
    """A token that has expired, is disabled or unknown is said to be just that."""
    vendor = CloudflareVendor()
    vendor.token_status = status
    error = failure(vendor)
    assert error.details["reason"] == "credentials"
    assert words in error.why
    assert "API Tokens" in error.fix


def test_a_mangled_token() -> None:
    """What is no token at all is refused with Cloudflare's own words, in one sentence."""
    vendor = CloudflareVendor()
    provider = Cloudflare(access(KIND, vendor, secrets={"api_token": "nonsense"}))
    error = failure(vendor, provider)
    assert error.details["reason"] == "credentials"
    assert error.why == "It says: Invalid request headers; Invalid format for Authorization header."


def test_an_address_that_is_not_allowed() -> None:
    """A token with an address filter gives the address to add (ST-24)."""
    vendor = CloudflareVendor()
    vendor.allowed_from = "203.0.113.7"
    error = failure(vendor)
    assert error.details["reason"] == "address-not-allowed"
    assert error.details["address"] == "203.0.113.7"
    assert "203.0.113.7" in error.fix


def test_a_full_zone() -> None:
    """The limit of records is named."""
    vendor = CloudflareVendor()
    vendor.most_records = len(vendor.records[vendor.id_of()])
    assert "full" in failure(vendor).what


@pytest.mark.parametrize(
    "body", ["<html>Log in</html>", "[]", '{"success": true, "result": {"no": "list"}}', '{"success": true}']
)
def test_something_else_that_answers(body: str) -> None:
    """A login page, or other JSON, is recognised as not Cloudflare."""
    vendor = CloudflareVendor()
    vendor.faults = [reply(200, body)]
    error = failure(vendor)
    assert error.details["reason"] == "refused"
    assert "not the API of Cloudflare" in error.what


def test_fields_are_checked_offline() -> None:
    """A Global API Key and a wrong Zone ID are recognised before anything is asked, without saying them back."""
    token, zone_id = KIND.secrets[0].check, KIND.settings[0].check
    assert token is not None
    assert zone_id is not None
    assert "Global API Key" in str(token("0123456789abcdef0123456789abcdef01234"))
    assert token("two words")
    assert token(f"{TOKEN}\n") is None
    assert zone_id("example.com")
    assert zone_id("0123456789ABCDEF0123456789abcdef") is None


class Older(CloudflareVendor):
    """A proxy in between that lets only the older calls through: no batches."""

    def answer(self, asked: Asked) -> Response:
        _, _, last = asked.url.partition("?")[0].rpartition("/")
        if last == "batch":
            return reply(404, "no such page")
        zone = self.id_of()
        if asked.method == "DELETE":
            return self._batch(zone, {"deletes": [{"id": last}]})
        if asked.method == "POST":
            said = self._batch(zone, {"posts": [json_of(asked)]})
            made = json.loads(said.body)
            return reply(200, {**made, "result": made["result"]["posts"][0]}) if said.status == 200 else said
        return super().answer(asked)


def test_without_batches_records_are_made_and_removed_one_by_one() -> None:
    """Where the batch call is not let through, the older calls do the same, and a repeated call changes nothing."""
    vendor = Older()
    before = vendor.snapshot()
    provider = cloudflare(vendor)
    for _ in range(2):
        provider.change(ZONE, add=[ONE, TWO, BELOW])
    assert vendor.values_at(CHALLENGE) == {OTHERS_VALUE, ONE.value, TWO.value}
    for _ in range(2):
        provider.change(ZONE, remove=[ONE, TWO, BELOW])
    assert vendor.snapshot() == before


@pytest.mark.parametrize("endpoint", ["https://proxy.test", "https://proxy.test/", "https://proxy.test/client/v4"])
def test_an_endpoint_with_or_without_the_path_of_the_interface(endpoint: str) -> None:
    """Both ways of writing an endpoint lead to the same calls."""
    vendor = CloudflareVendor()
    cloudflare(vendor, endpoint=endpoint).change(ZONE, add=[ONE])
    assert {asked.url.split("/client/v4/")[0] for asked in vendor.asked} == {"https://proxy.test"}


def test_an_endpoint_whose_paths_begin_at_its_top() -> None:
    """A server that answers without the interface's own path is found, too."""

    class Short(CloudflareVendor):
        def answer(self, asked: Asked) -> Response:
            if "/client/v4/" in asked.url:
                return reply(404, "not found")
            url = asked.url.replace("https://proxy.test", "https://proxy.test/client/v4")
            return super().answer(Asked(asked.method, url, asked.headers, asked.body))

    vendor = Short()
    cloudflare(vendor, endpoint="https://proxy.test").change(ZONE, add=[ONE])
    assert ONE.value in vendor.values_at(CHALLENGE)
    assert len([asked for asked in vendor.asked if "/client/v4/" in asked.url]) == 1
