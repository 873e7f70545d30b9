"""Namecheap: a strict double of its XML interface, which replaces whole domains, with a domain full of other records."""

from __future__ import annotations

import pytest

from core.dns.provider import TxtRecord
from core.dns.providers.namecheap import KIND, Namecheap
from core.errors import DnsProviderError
from tests.support.dns_access import access, naps_of
from tests.support.transport import reply
from tests.support.vendor import form_of
from tests.support.vendors.namecheap import ADDRESS, KEY, SECRETS, SETTINGS, Domain, NamecheapVendor, request_for
from tests.support.vendors.zone import CHALLENGE, ZONE

ONE = TxtRecord(name=CHALLENGE, value="one-" + "A" * 39)
TWO = TxtRecord(name=CHALLENGE, value="two-" + "B" * 39)
BELOW = TxtRecord(name=f"_acme-challenge.a.b.{ZONE}", value="three-" + "C" * 37)
TOP = TxtRecord(name=ZONE, value="google-site-verification=x&y<z>")


def namecheap(vendor: NamecheapVendor, **given: str) -> Namecheap:
    return Namecheap(access(KIND, vendor, settings={**SETTINGS, **given}, secrets=SECRETS))


def failure(vendor: NamecheapVendor, *, provider: Namecheap | None = None, zone: str = ZONE) -> DnsProviderError:
    """Return the error of adding a record; the domain is as it was."""
    before = vendor.snapshot()
    with pytest.raises(DnsProviderError) as caught:
        (provider or namecheap(vendor)).change(zone, add=[TxtRecord(name=f"_acme-challenge.{zone}", value="v" * 43)])
    assert KEY not in f"{caught.value} {caught.value.details}"
    assert vendor.snapshot() == before
    return caught.value


@pytest.mark.parametrize("email_type", ["NONE", "FWD", "OX", "GMAIL", "MX"])
def test_mail_stays_as_it_is(email_type: str) -> None:
    """Every kind of mail is written back, also with mail servers of the mail product in the list."""
    vendor = NamecheapVendor()
    vendor.domains[ZONE].email_type = email_type
    before = vendor.snapshot()
    namecheap(vendor).change(ZONE, add=[ONE])
    namecheap(vendor).change(ZONE, remove=[ONE])
    assert vendor.snapshot() == before


def test_the_empty_domain() -> None:
    """A domain without any host is written to, and is empty again afterwards."""
    vendor = NamecheapVendor("empty.example")
    name = TxtRecord(name="_acme-challenge.empty.example", value="v" * 43)
    namecheap(vendor).change("empty.example", add=[name])
    assert vendor.values_at(name.name, "empty.example") == {name.value}
    namecheap(vendor).change("empty.example", remove=[name])
    assert vendor.domains["empty.example"] == Domain()


@pytest.mark.parametrize(
    ("zone", "parts"),
    [
        ("example.com", ("example", "com")),
        ("example.co.uk", ("example", "co.uk")),
        ("sub.example.co.uk", ("sub.example", "co.uk")),
        ("free.dns.org", ("free", "dns.org")),
    ],
)
def test_the_two_parts_of_a_domain(zone: str, parts: tuple[str, str]) -> None:
    """A domain is split as the account's own list says, also a zone below one, and at its first dot where it is not in the list."""
    vendor = NamecheapVendor(
        "example.com", "a.example", "b.example", "example.co.uk", "sub.example.co.uk", "free.dns.org"
    )
    vendor.domains["sub.example.co.uk"].is_registered = False
    vendor.domains["free.dns.org"].is_registered = False
    record = TxtRecord(name=f"_acme-challenge.{zone}", value="v" * 43)
    namecheap(vendor).change(zone, add=[record])
    assert record.value in vendor.values_at(record.name, zone)
    form = form_of(vendor.asked[-1])
    assert (form["SLD"], form["TLD"]) == parts


def test_all_domains_on_all_pages() -> None:
    """Every page of domains is read; those that other name servers serve are no zones here."""
    names = [f"d{number}.example" for number in range(8)]
    vendor = NamecheapVendor(*names)
    vendor.domains["d5.example"].is_using_our_dns = False
    assert namecheap(vendor).zones() == tuple(name for name in names if name != "d5.example")


def test_a_list_that_is_too_short() -> None:
    """A list of domains that is shorter than it says is not taken for the whole."""
    vendor = NamecheapVendor()
    said = vendor.answer(request_for("domains.getList", Page="1", PageSize="100"))
    vendor.faults = [reply(200, said.body.replace(b"<TotalItems>2<", b"<TotalItems>9<"))] * 2
    with pytest.raises(DnsProviderError, match="shorter than it reports"):
        namecheap(vendor).zones()


@pytest.mark.parametrize(
    "endpoint", ["https://api.sandbox.namecheap.com", "https://api.sandbox.namecheap.com/xml.response"]
)
def test_the_sandbox(endpoint: str) -> None:
    """The sandbox is reached by its address, with or without the file that all requests go to."""
    vendor = NamecheapVendor()
    namecheap(vendor, endpoint=endpoint).zones()
    assert vendor.asked[0].url == "https://api.sandbox.namecheap.com/xml.response"


# -- failures in words -------------------------------------------------------------------------------------------------


def test_an_address_that_is_not_whitelisted() -> None:
    """The address to whitelist is the one that Namecheap names, and client_ip is said to differ (ST-22)."""
    vendor = NamecheapVendor()
    vendor.comes_from = "198.51.100.9"
    error = failure(vendor)
    assert error.details["reason"] == "address-not-allowed"
    assert error.details["address"] == "198.51.100.9"
    assert "add 198.51.100.9 to the Whitelisted IPs" in error.fix
    assert f"it is {ADDRESS} now" in error.fix


def test_an_address_that_namecheap_does_not_name() -> None:
    """Where Namecheap names no address, client_ip is shown (ST-22)."""
    error = failure(NamecheapVendor(), provider=namecheap(vendor := NamecheapVendor(), client_ip="198.51.100.8"))
    assert error.details["address"] == "198.51.100.8"
    assert "now" not in error.fix
    assert vendor.writes == 0


def test_a_bad_key() -> None:
    """A key that is not accepted, or an account without access: both ways out are said (ST-24)."""
    vendor = NamecheapVendor()
    provider = Namecheap(access(KIND, vendor, settings=SETTINGS, secrets={"api_key": "other"}))
    error = failure(vendor, provider=provider)
    assert error.details["reason"] == "credentials"
    assert "1011102" in error.why
    assert "20 domains" in error.fix


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (2019166, "zone"),
        (2016166, "zone"),
        (2030166, "zone"),
        (2030288, "zone"),
        (4011103, "permission"),
        (3013288, "refused"),
        (2050900, "refused"),
        (1017150, "address-not-allowed"),
        (1019103, "credentials"),
        (500000, "temporary"),
        (5050900, "temporary"),
    ],
)
def test_the_numbers_of_errors(number: int, reason: str) -> None:
    """Every number of an error becomes the right kind, in Namecheap's words where it has some."""
    vendor = NamecheapVendor()
    body = f'<ApiResponse Status="ERROR"><Errors><Error Number="{number}">Some words</Error></Errors></ApiResponse>'
    vendor.faults = [reply(200, body)] * 9
    error = failure(vendor)
    assert error.details["reason"] == reason
    assert reason == "temporary" or "Some words" in error.why


def test_too_many_requests() -> None:
    """Namecheap's status for too many requests is waited out, and told when it does not end."""
    vendor = NamecheapVendor()
    vendor.faults = [reply(405, "")]
    namecheap(vendor).change(ZONE, add=[BELOW])
    assert vendor.values_at(BELOW.name) == {BELOW.value}
    vendor.faults = [reply(405, "")] * 9
    provider = namecheap(vendor)
    error = failure(vendor, provider=provider)
    assert error.details["reason"] == "rate-limited"
    assert sum(naps_of(provider._access)) > 10


def test_a_write_that_does_not_succeed() -> None:
    """A write that says that it did not succeed is a failure."""
    vendor = NamecheapVendor()
    body = '<ApiResponse Status="OK"><CommandResponse><DomainDNSSetHostsResult IsSuccess="false" /></CommandResponse></ApiResponse>'
    vendor.faults = [None, reply(200, body)]
    assert "did not write" in failure(vendor).what


def test_fields_are_checked() -> None:
    """An address that is none, and a key in two words, are noticed before anything is asked."""
    checks = {field.key: field.check for field in KIND.fields if field.check}
    assert checks["client_ip"]("2001:db8::1") is not None
    assert checks["client_ip"](" 203.0.113.7 ") is None
    assert checks["api_key"]("two words") is not None
    assert checks["api_key"](KEY) is None
