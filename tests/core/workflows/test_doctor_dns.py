from __future__ import annotations

import pytest

from core.operations import Finding, IssueRequest
from tests.support.appliance import Appliance
from tests.support.dns_box import ENTRY, dns_box
from tests.support.vendors.cloudflare import CloudflareVendor

NAME = "example.com"


@pytest.fixture
def vendor(appliance: Appliance) -> CloudflareVendor:
    return dns_box(appliance)


def findings(box: Appliance, *domains: str, **given: object) -> dict[str, Finding]:
    request = IssueRequest(domains=domains or (NAME,), **{"dns": ENTRY, **given})  # type: ignore[arg-type]
    return {finding.id: finding for finding in box.engine.doctor(request)}


def test_a_good_entry_and_zone_pass_without_writing(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """The doctor asks for the zones and who serves them; it writes nothing, and port 80 is none of its business here."""
    found = findings(appliance)
    assert found["dns-provider"].status == "pass"
    assert found["dns-zone"].status == "pass"
    assert "name servers: 2" in found["dns-zone"].detail
    assert "http01-port" not in found
    assert not [asked for asked in vendor.asked if asked.method != "GET"]


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


def test_a_lasting_permission_is_looked_for(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """For dns-persist-01 the doctor says whether a permission stands, and when it has ended."""
    name = f"_validation-persist.{NAME}"
    assert findings(appliance, dns=None, challenge="dns-persist-01")["permission"].status == "warn"
    appliance.dns.set(name, "TXT", "ca.test; accounturi=https://ca.test/account/1; persistUntil=1")
    assert "ended" in findings(appliance, dns=None, challenge="dns-persist-01")["permission"].detail
    appliance.dns.set(name, "TXT", "ca.test; accounturi=https://ca.test/account/1")
    assert findings(appliance, dns=None, challenge="dns-persist-01")["permission"].status == "pass"


def test_a_broken_entry_is_told_as_a_finding(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """An entry without its secret fails its own line; the others are still there."""
    for path in appliance.paths.vault.glob("dns*"):
        path.unlink()
    found = findings(appliance)
    assert any(finding.status == "fail" and "API token" in finding.detail for finding in found.values())
    assert found["dns-zone"].status == "pass"
