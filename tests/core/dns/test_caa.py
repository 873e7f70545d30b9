from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from core.dns.caa import CaaRecord, parse_caa, refusal, relevant_set
from core.ports import DnsRecord, DnsResponse
from core.system.resolver import SystemResolver
from tests.support.signed_zones import SignedZones

ACCOUNT = "https://ca.test/acct/7"


def records(*texts: str) -> tuple[CaaRecord, ...]:
    return tuple(record for text in texts if (record := parse_caa(text)) is not None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('0 issue "ca.test"', CaaRecord(0, "issue", "ca.test")),
        ('128 IssueWild ";"', CaaRecord(128, "issuewild", ";")),
        ('0 iodef "mailto:a\\"b\\092@c.test"', CaaRecord(0, "iodef", 'mailto:a"b\\@c.test')),
        ("0 issue ca.test", CaaRecord(0, "issue", "ca.test")),
        ("nonsense", None),
    ],
)
def test_records_are_read(text: str, expected: CaaRecord | None) -> None:
    """A CAA record is read from its presentation form, escapes included."""
    assert parse_caa(text) == expected


@pytest.mark.parametrize(
    ("texts", "is_wildcard", "reason"),
    [
        (['0 issue "ca.test"'], False, None),
        (['0 issue "CA.test."'], False, None),
        (['0 issue "other.test"', '0 issue "ca.test; x=y"'], False, None),
        (['0 issue "other.test"'], False, "other-ca"),
        (['0 issue ";"'], False, "nobody"),
        (['0 issue "ca.test; nonsense"'], False, "other-ca"),
        (['0 issuewild "other.test"'], False, None),
        (['0 issuewild "other.test"', '0 issue "ca.test"'], True, "other-ca"),
        (['0 issue "other.test"', '0 issuewild "ca.test"'], True, None),
        (['0 issue "ca.test"'], True, None),
        (['0 iodef "mailto:a@b.test"'], False, None),
        (['128 tbs "x"', '0 issue "ca.test"'], False, "critical"),
        (['0 tbs "x"', '0 issue "ca.test"'], False, None),
        ([f'0 issue "ca.test; accounturi={ACCOUNT}"'], False, None),
        ([f'0 issue "ca.test; accounturi={ACCOUNT}0"'], False, "account"),
        ([f'0 issue "ca.test; accounturi={ACCOUNT}; accounturi={ACCOUNT}"'], False, "account"),
        (['0 issue "ca.test; validationmethods=dns-01"'], False, "method"),
        (['0 issue "ca.test; validationmethods=dns-01,http-01"'], False, None),
        ([f'0 issue "ca.test; validationmethods=http-01; accounturi={ACCOUNT}"'], False, None),
    ],
)
def test_what_records_permit(texts: list[str], is_wildcard: bool, reason: str | None) -> None:
    """Records are judged as RFC 8659 and RFC 8657 say: CA, wildcard, account, method, critical tags."""
    found = refusal(records(*texts), identities=["ca.test"], method="http-01", account=ACCOUNT, is_wildcard=is_wildcard)
    assert (found.reason if found else None) == reason


@pytest.mark.parametrize(
    ("text", "account", "record"),
    [
        ('0 issue "other.test"', ACCOUNT, "ca.test"),
        ('0 issue "ca.test; accounturi=https://ca.test/acct/1"', ACCOUNT, f"ca.test; accounturi={ACCOUNT}"),
        ('0 issue "ca.test; validationmethods=dns-01"', "", "ca.test; validationmethods=dns-01,http-01"),
    ],
)
def test_the_record_to_add_is_enough(text: str, account: str, record: str) -> None:
    """With the record that is proposed beside the old one the order goes through."""
    found = refusal(records(text), identities=["ca.test"], method="http-01", account=account, is_wildcard=False)
    assert found is not None
    assert found.record == record
    both = records(text, f'0 {found.tag} "{found.record}"')
    assert refusal(both, identities=["ca.test"], method="http-01", account=account, is_wildcard=False) is None


@pytest.fixture(scope="module")
def zones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignedZones]:
    started = SignedZones(tmp_path_factory.mktemp("signed"))
    started.start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def ask(zones: SignedZones) -> Callable[[str, str], DnsResponse]:
    return lambda name, type: SystemResolver().ask(name, type, server=zones.resolver)


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("name", "owner", "tags"),
    [
        ("deep.below.shop.example.test", "shop.example.test", ["issue"]),
        ("plain.example.test", "example.test", ["issue", "issuewild"]),
        ("alias.example.test", "target.other.test", ["issue"]),
        ("chain.example.test", "target.other.test", ["issue"]),
        ("bare-alias.example.test", "example.test", ["issue", "issuewild"]),
        ("nothing.bare.test", "", []),
    ],
)
def test_real_zones_are_climbed(ask: Callable[[str, str], DnsResponse], name: str, owner: str, tags: list[str]) -> None:
    """In real zones the closest records count; a CNAME is followed, and its target's parents are not climbed."""
    found = relevant_set(ask, name)
    assert (found.owner, sorted(each.tag for each in found.records), found.failure) == (owner, tags, "")


@pytest.mark.e2e
def test_a_server_that_follows_no_cname_is_no_hindrance(zones: SignedZones) -> None:
    """Asked of the zone's own server, which does not leave its zone, a CNAME is followed by asking again."""

    def ask_primary(name: str, type: str) -> DnsResponse:
        return SystemResolver().ask(name, type, server=zones.primary)

    assert relevant_set(ask_primary, "chain.example.test").owner == "target.other.test"


@pytest.mark.e2e
def test_servers_that_fail_are_told(ask: Callable[[str, str], DnsResponse]) -> None:
    """Where CAA cannot be asked, the status says so: a CA must not issue then."""
    assert relevant_set(ask, "www.broken.test").failure == "SERVFAIL"


def test_a_loop_of_cnames_ends() -> None:
    """Two names that lead to each other are asked a few times and no more."""

    def ask(name: str, type: str) -> DnsResponse:
        other = "b.test" if name == "a.test" else "a.test"
        answer = (DnsRecord(name=name, type="CNAME", value=other),) if name != "test" else ()
        return DnsResponse(status="NOERROR", answer=answer)

    assert relevant_set(ask, "a.test").records == ()
