"""Entries whose account the provider makes by itself (acme-dns), and orders that go through one."""

from __future__ import annotations

import pytest

from core.config.model import DnsProviderConfig
from core.errors import UsageError
from core.events import RecordAdded
from core.operations import IssueRequest
from tests.support.appliance import Appliance
from tests.support.dns_box import issue
from tests.support.vendors.acme_dns import DOMAIN, AcmeDnsVendor

NAME = "example.com"
TXT = f"_acme-challenge.{NAME}"
ENDPOINT = f"https://{DOMAIN}"


@pytest.fixture
def vendor(appliance: Appliance) -> AcmeDnsVendor:
    """A server that registers whoever asks, and whose values the name servers of its domain say."""
    made = AcmeDnsVendor()
    appliance.vendors[DOMAIN] = made
    appliance.dns.zone(NAME, "192.0.2.53")
    appliance.dns.zone(DOMAIN, "203.0.113.53")
    appliance.dns.sources.append(lambda name: made.values.get(name.removesuffix(f".{DOMAIN}"), ()))
    return made


def entry(name: str = "own", **settings: str) -> DnsProviderConfig:
    return DnsProviderConfig(name=name, kind="acme-dns", settings={"endpoint": ENDPOINT, **settings})


def test_the_endpoint_alone_makes_an_account(appliance: Appliance, vendor: AcmeDnsVendor) -> None:
    """The account's settings are kept in the configuration, its password in the vault, and it proves names from then on."""
    info = appliance.engine.add_dns_provider(entry(), {})
    (username,) = vendor.accounts
    password, subdomain, _ = vendor.accounts[username]
    assert info.settings == {
        "endpoint": ENDPOINT,
        "username": username,
        "subdomain": subdomain,
        "fulldomain": f"{subdomain}.{DOMAIN}",
    }
    assert info.secrets == {"password": True}
    assert password not in appliance.paths.config.read_text()
    appliance.dns.set(TXT, "CNAME", info.settings["fulldomain"])
    assert issue(appliance, NAME, f"*.{NAME}", dns="own").status.method == "dns-01"
    added = {event.name for event in appliance.of(RecordAdded) if isinstance(event, RecordAdded)}
    assert added == {info.settings["fulldomain"]}


def test_what_is_wrong_is_said_before_an_account_is_made(appliance: Appliance, vendor: AcmeDnsVendor) -> None:
    """A typing error does not leave an account behind at a stranger's server with each attempt."""
    with pytest.raises(UsageError) as caught:
        appliance.engine.add_dns_provider(entry(allow_from="everybody"), {})
    assert caught.value.details["problems"].keys() == {"allow_from"}
    with pytest.raises(UsageError):
        appliance.engine.add_dns_provider(entry(name="no/name"), {})
    assert vendor.asked == []


@pytest.mark.parametrize("given", [{"username": "3c5e"}, {"subdomain": "8e57"}])
def test_an_account_of_one_s_own_is_taken_as_it_is(
    appliance: Appliance, vendor: AcmeDnsVendor, given: dict[str, str]
) -> None:
    """Who gives a part of an account has one: the rest is asked for, and none is made."""
    with pytest.raises(UsageError) as caught:
        appliance.engine.add_dns_provider(entry(**given), {})
    assert {"username", "subdomain", "password"} - given.keys() == caught.value.details["problems"].keys()
    assert vendor.asked == []


def test_an_entry_that_is_changed_keeps_its_account(appliance: Appliance, vendor: AcmeDnsVendor) -> None:
    """A change of the entry's zones registers nobody again: the CNAME leads to the account that there is."""
    first = appliance.engine.add_dns_provider(entry(), {})
    changed = DnsProviderConfig(name="own", kind="acme-dns", settings=first.settings, zones=(NAME,))
    assert appliance.engine.add_dns_provider(changed, {}, replace=True).zones == (NAME,)
    assert len(vendor.accounts) == 1


def test_two_certificates_of_a_run_share_an_account(appliance: Appliance, vendor: AcmeDnsVendor) -> None:
    """Orders side by side need three values where two have room: they take turns, and none is validated without its own."""
    info = appliance.engine.add_dns_provider(entry(), {})
    appliance.dns.set(TXT, "CNAME", info.settings["fulldomain"])
    for name, domains in (("both", (NAME, f"*.{NAME}")), ("bare", (NAME,)), ("wild", (f"*.{NAME}",))):
        appliance.engine.issue(IssueRequest(domains=domains, name=name, dns="own"))
    appliance.told.clear()
    assert sorted(appliance.engine.renew(force=True, report=appliance.told.append).renewed) == ["bare", "both", "wild"]
    turns = [
        report.lineage for report in appliance.told if type(report.event).__name__ in ("RecordAdded", "RecordRemoved")
    ]
    assert turns[::2] == turns[1::2]
