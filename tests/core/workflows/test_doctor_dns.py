from __future__ import annotations

import pytest

from core.dns.names import validation_name
from core.operations import Finding, IssueRequest
from core.ports import Response, TransportFailure
from tests.support.appliance import Appliance
from tests.support.dns_box import ENTRY, HOST, dns_box, issue
from tests.support.transport import reply
from tests.support.vendors.cloudflare import CloudflareVendor

NAME = "example.com"


@pytest.fixture
def vendor(appliance: Appliance) -> CloudflareVendor:
    return dns_box(appliance)


def findings(box: Appliance, *domains: str, **given: object) -> dict[str, Finding]:
    request = IssueRequest(domains=domains or (NAME,), **{"dns": ENTRY, **given})
    return {finding.id: finding for finding in box.engine.doctor(request)}


def test_a_good_entry_and_zone_pass_without_writing(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """The doctor asks for the zones and who serves them (CC-02); it writes nothing, and port 80 is none of its business here."""
    found = findings(appliance)
    assert found["dns-provider"].status == "pass"
    assert found["dns-zone"].status == "pass"
    assert "name servers: 2" in found["dns-zone"].detail
    assert "http01-port" not in found
    assert not [asked for asked in vendor.asked if asked.method != "GET"]


def test_who_may_not_list_zones_may_still_be_good(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """The doctor and the connection test agree: an entry that names its zones needs no list of them."""
    refused = reply(400, {"success": False, "errors": [{"code": 9999, "message": "no listing"}], "result": None})
    appliance.vendors[HOST] = OnlyRefuses(refused)
    assert findings(appliance)["dns-provider"].status == "pass"
    assert appliance.engine.test_dns_provider(ENTRY).steps[0].status == "pass"


class OnlyRefuses:
    """A vendor that has one answer to everything."""

    def __init__(self, answer: Response) -> None:
        self._answer = answer

    def request(self, *_: object, **__: object) -> Response:
        return self._answer

    def close(self) -> None:
        """Be a `Transport`."""


def test_a_zone_that_nobody_serves_fails(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """A name that is not delegated is said before an order is spent."""
    found = findings(appliance, "www.example.org")
    assert found["dns-zone"].status == "fail"
    assert "resolvers" in found["dns-zone"].fix


def test_a_cname_astray_is_said(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """A CNAME into a zone without an entry is pointed out, and what will be tried instead."""
    appliance.dns.zone("other.example.net", "203.0.113.5")
    appliance.dns.set(f"_acme-challenge.{NAME}", "CNAME", "x.other.example.net")
    assert "other.example.net" in findings(appliance)["dns-cname"].detail


def test_records_by_hand_are_warned_of(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """By hand means no renewal by itself; the ways out are named (ST-17)."""
    found = findings(appliance, dns=None, manual=True)
    assert found["by-hand"].status == "warn"
    assert "CNAME" in found["by-hand"].fix
    assert "dns-persist-01" in found["by-hand"].fix


@pytest.mark.parametrize(
    ("value", "status", "words"),
    [
        ("", "warn", "no persistent record"),
        ("ca.test; accounturi={account}", "pass", "for this account"),
        ("ca.test; accounturi={account}; persistUntil=4000000000", "pass", "for this account"),
        ("ca.test; accounturi={account}; persistUntil=1", "warn", "has expired"),
        ("ca.test; accounturi={account}9", "warn", "not for this account"),
    ],
)
def test_a_lasting_permission_is_looked_for(
    appliance: Appliance, vendor: CloudflareVendor, value: str, status: str, words: str
) -> None:
    """For dns-persist-01 the doctor says whether a permission of our own account stands, and when it has ended."""
    issue(appliance, f"other.{NAME}")  # the account is there
    (account,) = appliance.ca.accounts
    appliance.dns.set(f"_validation-persist.{NAME}", "TXT", value.format(account=account))
    found = findings(appliance, dns=None, challenge="dns-persist-01")["permission"]
    assert found.status == status
    assert words in found.detail


def test_a_permission_without_the_wildcard_is_not_enough_for_it(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """Where the wildcard is to be ordered, the permission has to say so."""
    issue(appliance, f"other.{NAME}")
    (account,) = appliance.ca.accounts
    name = f"_validation-persist.{NAME}"
    for policy, status in (("", "warn"), ("; policy=wildcard", "pass")):
        appliance.dns.set(name, "TXT", f"ca.test; accounturi={account}{policy}")
        assert findings(appliance, f"*.{NAME}", dns=None, challenge="dns-persist-01")["permission"].status == status


def test_the_record_of_dns_account_01_is_the_account_s_own(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """The doctor follows the CNAME of the name at which this account's record will stand, not of another's."""
    issue(appliance, f"other.{NAME}")
    (account,) = appliance.ca.accounts
    appliance.dns.zone("other.example.net", "203.0.113.5")
    appliance.dns.set(validation_name("dns-account-01", NAME, account), "CNAME", "x.other.example.net")
    assert "other.example.net" in findings(appliance, challenge="dns-account-01")["dns-cname"].detail


def test_a_broken_entry_is_told_as_a_finding(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """An entry without its secret fails its own line; the others are still there."""
    for path in appliance.paths.vault.glob("dns*"):
        path.unlink()
    found = findings(appliance)
    assert any(finding.status == "fail" and "API token" in finding.sentences for finding in found.values())
    assert found["dns-zone"].status == "pass"


def test_an_entry_that_was_cut_out_by_hand_is_missed(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """Before the next renewal fails the doctor says which certificate has lost its provider."""
    issue(appliance, NAME)
    text = appliance.paths.config.read_text()
    appliance.paths.config.write_text(text[: text.index("[dns_providers.cf]")])
    (found,) = [each for each in appliance.reopened().doctor() if each.id == "dns-provider"]
    assert (found.status, found.title) == ("fail", NAME)
    assert "cf" in found.detail


def test_credentials_of_every_entry_are_tried(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """For the whole box each entry is tried; one whose provider cannot be reached is told with its reason."""
    found = {each.title: each for each in appliance.engine.doctor() if each.id == "dns-provider"}
    assert found["DNS provider"].status == "pass"
    appliance.vendors[HOST] = Unreachable(reply(500, {}))
    (bad,) = [each for each in appliance.engine.doctor() if each.id == "dns-provider"]
    assert bad.status == "fail"
    assert "network is unreachable" in bad.why


class Unreachable(OnlyRefuses):
    """A vendor to which there is no way."""

    def request(self, *_: object, **__: object) -> Response:
        raise TransportFailure("unreachable", "network is unreachable")
