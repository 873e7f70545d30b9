"""acme-dns: two values of an account, its registration, and what it cannot do, in words (ST-18)."""

from __future__ import annotations

from typing import Any

import pytest

from core.dns.provider import Access, TxtRecord
from core.dns.providers.acme_dns import KIND, AcmeDns, register
from core.errors import DnsProviderError
from tests.support.dns_access import access
from tests.support.transport import reply
from tests.support.vendors.acme_dns import DOMAIN, AcmeDnsVendor

VALUES = tuple(letter * 43 for letter in "abc")
ENDPOINT = "https://auth.example.org"


def entry(vendor: AcmeDnsVendor, **changed: str) -> Access:
    """Return the access of an entry whose account has just been registered."""
    settings, secrets = register(access(KIND, vendor, settings={"endpoint": ENDPOINT}))
    given = {"endpoint": ENDPOINT, **settings, **changed}
    return access(
        KIND, vendor, settings=given, secrets={**secrets, **({"password": "x"} if "username" in changed else {})}
    )


def records(made: Access, *values: str, name: str | None = None) -> list[TxtRecord]:
    return [TxtRecord(name=name or made.settings["fulldomain"], value=value) for value in values]


def test_registration_makes_an_account_that_works() -> None:
    """The endpoint alone is enough: a registration brings settings and secret, and says where the CNAME has to lead."""
    vendor = AcmeDnsVendor()
    made = entry(vendor)
    assert made.settings["fulldomain"] == f"{made.settings['subdomain']}.{DOMAIN}"
    assert {*made.secrets} == {"password"}
    AcmeDns(made).change("", add=records(made, *VALUES[:2]))
    assert vendor.values[made.settings["subdomain"]] == [*VALUES[:2]]


def test_a_domain_and_its_wildcard_stand_together() -> None:
    """Two values are kept, doing it again changes nothing, and removing leaves them for the next two to push out."""
    vendor = AcmeDnsVendor()
    made = entry(vendor)
    provider = AcmeDns(made)
    for _ in range(2):
        provider.change("", add=records(made, *VALUES[:2]))
    provider.change("", remove=records(made, *VALUES[:2]))
    assert vendor.values[made.settings["subdomain"]] == [*VALUES[:2]]
    assert provider.zones() == ()
    provider.close()


def test_a_third_value_is_refused_before_it_pushes_one_out() -> None:
    """Three values at once would lose one, so none is sent."""
    vendor = AcmeDnsVendor()
    made = entry(vendor)
    with pytest.raises(DnsProviderError, match="3 values"):
        AcmeDns(made).change("", add=records(made, *VALUES))
    assert vendor.values[made.settings["subdomain"]] == ["", ""]
    assert KIND.most_values == 2


def test_a_missing_cname_is_told_with_what_it_has_to_be() -> None:
    """A name that does not lead to the account is not written for nothing: the error says which CNAME to make."""
    vendor = AcmeDnsVendor()
    made = entry(vendor)
    with pytest.raises(DnsProviderError) as caught:
        AcmeDns(made).change("", add=records(made, VALUES[0], name="_acme-challenge.shop.example.com"))
    assert caught.value.details["reason"] == "zone"
    assert f"from _acme-challenge.shop.example.com to {made.settings['fulldomain']}" in caught.value.fix
    assert vendor.values[made.settings["subdomain"]] == ["", ""]


def test_other_values_are_told_from_proofs() -> None:
    """A value of dns-persist-01 is longer than acme-dns takes; that is said before anything is sent."""
    vendor = AcmeDnsVendor()
    made = entry(vendor)
    with pytest.raises(DnsProviderError, match="43 characters"):
        AcmeDns(made).change("", add=records(made, "ca.example.net; accounturi=https://ca.example.net/acct/1"))


def test_allowed_networks_reach_the_server() -> None:
    """`allow_from` limits the account; an address outside of it is one of the causes that the refusal names."""
    vendor = AcmeDnsVendor()
    asked = access(KIND, vendor, settings={"endpoint": ENDPOINT, "allow_from": "198.51.100.0/24, 2001:db8::/32"})
    settings, secrets = register(asked)
    assert next(iter(vendor.accounts.values()))[2] == ["198.51.100.0/24", "2001:db8::/32"]
    made = access(KIND, vendor, settings={"endpoint": ENDPOINT, **settings}, secrets=secrets)
    with pytest.raises(DnsProviderError) as caught:
        AcmeDns(made).change("", add=records(made, VALUES[0]))
    assert caught.value.details["reason"] == "credentials"
    assert "networks" in caught.value.fix


def test_wrong_credentials_come_in_words() -> None:
    """An account that the server does not know: which three fields to check, and the password nowhere."""
    vendor = AcmeDnsVendor()
    made = entry(vendor, username="00000000-0000-4000-8000-00000000ffff")
    with pytest.raises(DnsProviderError) as caught:
        AcmeDns(made).change("", add=records(made, VALUES[0]))
    assert caught.value.details["reason"] == "credentials"
    assert "forbidden" in caught.value.why


def test_a_server_that_registers_nobody() -> None:
    """Where registration is switched off, the error says to ask for an account."""
    vendor = AcmeDnsVendor()
    vendor.is_closed = True
    with pytest.raises(DnsProviderError) as caught:
        register(access(KIND, vendor, settings={"endpoint": ENDPOINT}))
    assert caught.value.details["reason"] == "permission"


@pytest.mark.parametrize(
    "said",
    [
        reply(200, b"<html>login</html>"),
        reply(201, {"username": "u", "password": "p", "subdomain": 7, "fulldomain": "x"}),
        reply(400, {"error": "invalid_allowfrom_cidr"}),
        reply(418, "teapot"),
    ],
)
def test_nonsense_is_no_account(said: Any) -> None:
    """What is not an account is not kept as one."""
    vendor = AcmeDnsVendor()
    vendor.faults = [said]
    with pytest.raises(DnsProviderError) as caught:
        register(access(KIND, vendor, settings={"endpoint": ENDPOINT}))
    assert caught.value.details["reason"] == "refused"


@pytest.mark.parametrize(
    "said", [reply(200, b"OK"), reply(200, {"txt": "other"}), reply(400, {"error": "bad_subdomain"})]
)
def test_an_update_has_to_be_confirmed(said: Any) -> None:
    """Only the server's own confirmation of the value counts."""
    vendor = AcmeDnsVendor()
    made = entry(vendor)
    vendor.faults = [said]
    with pytest.raises(DnsProviderError) as caught:
        AcmeDns(made).change("", add=records(made, VALUES[0]))
    assert caught.value.details["reason"] == "refused"
    assert made.secrets["password"] not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "is_good"),
    [
        ("endpoint", "https://auth.example.org", True),
        ("endpoint", "auth.example.org", False),
        ("endpoint", "https://[", False),
        ("allow_from", "192.0.2.0/24, 2001:db8::/32", True),
        ("allow_from", "my office", False),
    ],
)
def test_fields_are_checked(key: str, value: str, is_good: bool) -> None:
    """The form says what cannot be right."""
    check = next(field.check for field in KIND.fields if field.key == key)
    assert check is not None
    assert (check(value) is None) == is_good
