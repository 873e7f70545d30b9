from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.dns.authority import Authority
from core.operations import Finding, IssueRequest
from core.system.resolver import SystemResolver
from core.workflows.doctoring.naming import dnssec, inner_kind
from tests.support.appliance import Appliance
from tests.support.signed_zones import SignedZones

NAME = "shop.example.com"


def findings(box: Appliance, *domains: str, **given: object) -> list[Finding]:
    return list(box.engine.doctor(IssueRequest(domains=domains or (NAME,), **given)))


def one(found: list[Finding], id: str) -> Finding:
    (only,) = [each for each in found if each.id == id]
    return only


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("127.0.1.1", "localhost"),
        ("::1", "localhost"),
        ("192.168.1.4", "private"),
        ("fd12::4", "private"),
        ("172.31.0.1", "private"),
        ("100.64.9.9", "internal"),
        ("169.254.7.7", "link-local"),
        ("fe80::1", "link-local"),
        ("::ffff:10.0.0.1", "private"),
    ],
)
def test_addresses_that_a_public_ca_cannot_reach(address: str, words: str) -> None:
    """Loopback, private, shared and link-local addresses are told apart."""
    assert words in inner_kind(address)


@pytest.mark.parametrize("address", ["203.0.113.5", "192.0.2.10", "2001:db8::1", "172.32.0.1", "100.128.0.1"])
def test_addresses_that_it_can_reach(address: str) -> None:
    """Every other address counts as public."""
    assert inner_kind(address) == ""


@pytest.fixture
def zoned(appliance: Appliance) -> Appliance:
    """A box whose names stand in a zone, with the issuer named in CAA records."""
    appliance.dns.zone("example.com")
    return appliance


@pytest.mark.parametrize(
    ("a", "aaaa", "status", "words"),
    [
        (["127.0.1.1"], [], "fail", "localhost"),
        (["192.168.1.4"], [], "fail", "private network"),
        (["192.0.2.10"], ["fe80::1"], "warn", "link-local"),
        (["192.0.2.10"], [], "pass", "points to this box"),
        (["192.0.2.10"], ["2001:db8::77"], "warn", "2001:db8::77"),
    ],
)
def test_both_families_are_looked_at(zoned: Appliance, a: list[str], aaaa: list[str], status: str, words: str) -> None:
    """A and AAAA come from the DNS itself; what a public CA cannot reach, or what is not this box, is told."""
    zoned.dns.set(NAME, "A", *a)
    if aaaa:
        zoned.dns.set(NAME, "AAAA", *aaaa)
    found = one(findings(zoned, issuer="letsencrypt"), "dns")
    assert found.status == status
    assert words in found.detail


def test_a_name_from_the_hosts_file_is_not_in_the_dns(zoned: Appliance) -> None:
    """A name that /etc/hosts alone knows fails for a public CA, and the sentence says where it is known."""
    zoned.host.known[NAME] = ["127.0.1.1"]
    found = one(findings(zoned, issuer="letsencrypt"), "dns")
    assert found.status == "fail"
    assert "it resolves only on this box, to 127.0.1.1" in found.detail


def test_caa_that_names_another_ca(zoned: Appliance) -> None:
    """The records are compared with the directory's own caaIdentities, and the fix is the record to add (CL-20)."""
    zoned.ca.meta["caaIdentities"] = ["ca.test"]
    zoned.dns.set(NAME, "A", "192.0.2.10")
    zoned.dns.set("example.com", "CAA", '0 issue "other.test"')
    found = one(findings(zoned), "caa")
    assert found.status == "fail"
    assert "other.test" in found.detail
    assert found.fix == 'Add this record: example.com. CAA 0 issue "ca.test"'


def test_caa_for_the_wildcard_alone(zoned: Appliance) -> None:
    """A wildcard that issuewild forbids is named with its own record; the plain name is none of its business."""
    zoned.ca.meta["caaIdentities"] = ["ca.test"]
    zoned.dns.set("example.com", "CAA", '0 issue "ca.test"', '0 issuewild ";"')
    found = one(findings(zoned, "example.com", "*.example.com", manual=True), "caa")
    assert found.title == "*.example.com"
    assert found.fix == 'Add this record: example.com. CAA 0 issuewild "ca.test"'


def test_caa_binds_account_and_method(zoned: Appliance) -> None:
    """An accounturi is compared with the account here, and validationmethods with the challenge of the order (RFC 8657)."""
    zoned.ca.meta["caaIdentities"] = ["ca.test"]
    zoned.issue("other.example.com")
    (account,) = zoned.ca.accounts
    zoned.dns.set(NAME, "A", "192.0.2.10")
    zoned.dns.set("example.com", "CAA", f'0 issue "ca.test; accounturi={account}; validationmethods=http-01"')
    assert one(findings(zoned), "caa").status == "pass"
    zoned.dns.set("example.com", "CAA", '0 issue "ca.test; accounturi=https://ca.test/acct/999"')
    found = one(findings(zoned), "caa")
    assert f'"ca.test; accounturi={account}"' in found.fix
    zoned.dns.set("example.com", "CAA", '0 issue "ca.test; validationmethods=dns-01"')
    assert "validationmethods=dns-01,http-01" in one(findings(zoned), "caa").fix


def test_a_box_without_a_network(appliance: Appliance) -> None:
    """With no name server and no issuer, one finding says that there is no network; the box itself is still looked at."""
    from core.ports import TransportFailure

    appliance.dns.statuses["resolver"] = "UNREACHABLE"
    appliance.host.known[NAME] = []
    appliance.ca.fail("", TransportFailure("unreachable", "network is unreachable"), times=99)
    found = findings(appliance)
    assert [each.id for each in found if each.status == "fail"] == ["network"]
    assert one(found, "disk").status == "pass"


@pytest.fixture(scope="module")
def zones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignedZones]:
    started = SignedZones(tmp_path_factory.mktemp("signed"))
    started.start()
    yield started
    started.stop()


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("name", "type", "id", "status"),
    [
        ("plain.example.test", "A", "dnssec", "pass"),
        ("nothing.bare.test", "A", "dnssec", "skip"),
        ("www.broken.test", "A", "dnssec", "fail"),
        ("_acme-challenge.www.broken.test", "TXT", "dnssec", "fail"),
    ],
)
def test_dnssec_of_real_zones(zones: SignedZones, name: str, type: str, id: str, status: str) -> None:
    """A zone whose signatures do not verify is told from one that is signed well and one that is not signed."""
    (found,) = dnssec(Authority(SystemResolver(), [zones.resolver]), name, type)
    assert (found.id, found.status) == (id, status)


@pytest.mark.e2e
def test_a_server_that_fails_is_no_matter_of_dnssec(zones: SignedZones) -> None:
    """Where the answer fails without checks as well, the name servers are named and not DNSSEC."""
    (found,) = dnssec(Authority(SystemResolver(), [zones.resolver]), "www.unloaded.test", "A")
    assert (found.id, found.status) == ("dns-servers", "fail")
