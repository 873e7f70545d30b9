"""Route 53: a strict double that checks signatures, with a zone full of records of others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from core.dns.provider import Settle, TxtRecord
from core.dns.providers.route53 import KIND, Route53
from core.errors import DnsProviderError
from core.ports import Response
from tests.support.dns_access import access, naps_of
from tests.support.transport import reply
from tests.support.vendors.route53 import KEY_ID, SECRET, SECRETS, SETTINGS, Route53Vendor
from tests.support.vendors.zone import CHALLENGE, OTHERS_VALUE, ZONE, Foreign

ONE = TxtRecord(name=CHALLENGE, value="one-" + "A" * 39)
TWO = TxtRecord(name=CHALLENGE, value="two-" + "B" * 39)
BELOW = TxtRecord(name=f"_acme-challenge.a.b.{ZONE}", value="three-" + "C" * 37)
TOP = TxtRecord(name=ZONE, value="google-site-verification=x&y<z>")


def route53(vendor: Route53Vendor, *, secret: str = SECRET, zones: tuple[str, ...] = (), **settings: str) -> Route53:
    given = {**SETTINGS, **settings}
    return Route53(access(KIND, vendor, settings=given, secrets={"secret_access_key": secret}, zones=zones))


def failure(
    vendor: Route53Vendor, *, provider: Route53 | None = None, zone: str = ZONE, record: TxtRecord = BELOW
) -> DnsProviderError:
    """Return the error of adding a record; all is as it was."""
    before = vendor.snapshot()
    with pytest.raises(DnsProviderError) as caught:
        (provider or route53(vendor)).change(zone, add=[record])
    assert SECRET not in f"{caught.value} {caught.value.details}"
    assert vendor.snapshot() == before
    return caught.value


def error_reply(status: int, code: str, message: str = "Some words") -> Response:
    return reply(
        status, f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    )


def test_the_ttl_of_others_stays() -> None:
    """A value that joins others takes their TTL; a set of our own gets a short one, in the same batch."""
    vendor = Route53Vendor()
    route53(vendor).change(ZONE, add=[ONE, BELOW])
    assert vendor.sets[vendor.id_of()][CHALLENGE, "TXT", ""][0] == 1234
    assert vendor.sets[vendor.id_of()][BELOW.name, "TXT", ""][0] == 60
    assert vendor.batches == 1


def settled(settle: Settle | None) -> None:
    """Wait as the writer of records does."""
    if settle is not None:
        settle()


def test_it_waits_until_the_servers_have_it() -> None:
    """After adding, it is asked in small steps until Route 53 says INSYNC; after removing, nothing is waited for."""
    vendor = Route53Vendor()
    provider = route53(vendor)
    settled(provider.change(ZONE, add=[ONE]))
    assert naps_of(provider._access) == [1, 2]
    settled(provider.change(ZONE, remove=[ONE]))
    assert naps_of(provider._access) == [1, 2]


def test_the_waiting_ends() -> None:
    """A change that never is INSYNC is waited for two minutes, and then left to the look at the name servers."""
    vendor = Route53Vendor()
    vendor.looks_until_in_sync = 10_000
    provider = route53(vendor)
    settled(provider.change(ZONE, add=[ONE]))
    assert 120 <= sum(naps_of(provider._access)) <= 126
    assert vendor.values_at(CHALLENGE) == {OTHERS_VALUE, ONE.value}


def test_a_key_that_may_not_ask_for_changes() -> None:
    """Without the permission route53:GetChange nothing is waited for, and nothing fails."""
    vendor = Route53Vendor()
    vendor.denied = {"GetChange"}
    provider = route53(vendor)
    settled(provider.change(ZONE, add=[ONE]))
    assert naps_of(provider._access) == []


def test_many_names() -> None:
    """A hundred names are read page by page and written in one batch; thousands of characters in several."""
    vendor = Route53Vendor()
    before = vendor.snapshot()
    records = [TxtRecord(name=f"_acme-challenge.n{number}.{ZONE}", value="v" * 43) for number in range(100)]
    provider = route53(vendor)
    provider.change(ZONE, add=[*records, ONE])
    assert vendor.batches == 1
    assert all(vendor.values_at(record.name) == {record.value} for record in records)
    provider.change(ZONE, remove=[*records, ONE])
    assert vendor.snapshot() == before
    long = [TxtRecord(name=f"_validation-persist.n{number}.{ZONE}", value="v" * 600) for number in range(100)]
    batches = vendor.batches
    provider.change(ZONE, add=long)
    assert vendor.batches - batches == 3
    provider.change(ZONE, remove=long)
    assert vendor.snapshot() == before


def test_values_that_others_wrote_in_their_own_way_stay_so() -> None:
    """Values of others keep their escapes and their division into strings, also when ours is added beside them."""
    vendor = Route53Vendor()
    texts = ('"short" "strings"', '"\\344\\042 and \\\\"', f'"{OTHERS_VALUE}"')
    vendor.sets[vendor.id_of()][CHALLENGE, "TXT", ""] = (77, texts)
    provider = route53(vendor)
    provider.change(ZONE, add=[ONE])
    assert vendor.sets[vendor.id_of()][CHALLENGE, "TXT", ""] == (77, (*texts, f'"{ONE.value}"'))
    provider.change(ZONE, remove=[ONE, TxtRecord(name=CHALLENGE, value="shortstrings")])
    assert vendor.sets[vendor.id_of()][CHALLENGE, "TXT", ""] == (77, texts[1:])


# -- zones -------------------------------------------------------------------------------------------------------------


def test_all_public_zones_on_all_pages() -> None:
    """Every page of zones is read; private zones are left out."""
    vendor = Route53Vendor(*(f"d{number}.example" for number in range(7)))
    vendor.add_zone("inside.example", is_private=True)
    assert route53(vendor).zones() == tuple(f"d{number}.example" for number in range(7))


def test_a_private_zone_of_the_same_name() -> None:
    """The public zone is changed where there is a private one of the same name, in whatever order they are listed."""
    vendor = Route53Vendor("aaa.example", "zzz.example")
    privates = [vendor.add_zone(ZONE, is_private=True) for _ in range(3)]
    public = vendor.add_zone(ZONE)
    route53(vendor).change(ZONE, add=[ONE])
    assert (CHALLENGE, "TXT", "") in vendor.sets[public]
    assert all((CHALLENGE, "TXT", "") not in vendor.sets[each] for each in privates)


def test_two_public_zones_of_the_same_name() -> None:
    """Two public zones of one name are not guessed between: both ids are named."""
    vendor = Route53Vendor()
    second = vendor.add_zone(ZONE)
    error = failure(vendor)
    assert error.details["reason"] == "zone"
    assert second in error.why
    assert vendor.id_of() in error.why
    assert "hosted_zone_id" in error.fix


@pytest.mark.parametrize("form", ["{}", "/hostedzone/{}", "hostedzone/{}"])
def test_a_hosted_zone_id(form: str) -> None:
    """A configured id is used as it is, with or without its path, and needs no permission to list or read zones (ST-20)."""
    vendor = Route53Vendor()
    provider = route53(vendor, hosted_zone_id=form.format(vendor.id_of()), zones=(ZONE,))
    assert provider.zones() == (ZONE,)
    vendor.denied = {"ListHostedZones", "ListHostedZonesByName", "GetHostedZone"}
    assert provider.zones() == (ZONE,)
    provider.change(ZONE, add=[ONE])
    assert ONE.value in vendor.values_at(CHALLENGE)
    assert KIND.settings[1].check is not None
    assert KIND.settings[1].check(form.format("Z3M3LMPEXAMPLE")) is None


def test_a_hosted_zone_id_of_another_zone() -> None:
    """An id of another zone is recognised by Route 53's words."""
    vendor = Route53Vendor()
    error = failure(vendor, provider=route53(vendor, hosted_zone_id=vendor.id_of("zzz.example")))
    assert error.details["reason"] == "zone"
    assert "hosted_zone_id" in error.what


def test_a_hosted_zone_id_of_nothing() -> None:
    """An id that does not exist is named as that."""
    vendor = Route53Vendor()
    provider = route53(vendor, hosted_zone_id="Z0")
    assert failure(vendor, provider=provider).details["reason"] == "zone"
    with pytest.raises(DnsProviderError, match="no hosted zone with this ID"):
        provider.zones()


def test_a_zone_that_is_not_there() -> None:
    """A zone that the account has not, or only as a private one, is named."""
    vendor = Route53Vendor()
    vendor.add_zone("inside.example", is_private=True)
    for zone in ("inside.example", "nowhere.example"):
        error = failure(vendor, zone=zone, record=TxtRecord(name=f"_acme-challenge.{zone}", value="v"))
        assert error.details["reason"] == "zone"
        assert zone in error.what


def test_either_permission_to_list_zones_will_do() -> None:
    """A key that may list zones in one of the two ways only finds the zone."""
    vendor = Route53Vendor()
    vendor.denied = {"ListHostedZonesByName"}
    route53(vendor).change(ZONE, add=[ONE])
    vendor.denied = {"ListHostedZones"}
    route53(vendor).change(ZONE, remove=[ONE])
    assert vendor.values_at(CHALLENGE) == {OTHERS_VALUE}


@pytest.mark.parametrize(
    ("region", "signed", "host"),
    [
        ("eu-central-1", "us-east-1", "route53.amazonaws.com"),
        ("cn-north-1", "cn-northwest-1", "route53.amazonaws.com.cn"),
        ("us-gov-east-1", "us-gov-west-1", "route53.us-gov.amazonaws.com"),
    ],
)
def test_the_region(region: str, signed: str, host: str) -> None:
    """Whatever region one's servers are in, the signature has the one that Route 53 wants there."""
    vendor = Route53Vendor(region=signed)
    assert ZONE in route53(vendor, region=region).zones()
    assert vendor.asked[0].url.startswith(f"https://{host}/")


def test_another_endpoint() -> None:
    """An endpoint with a port is signed as it is asked."""
    vendor = Route53Vendor()
    assert ZONE in route53(vendor, endpoint="http://127.0.0.1:4566/").zones()
    assert vendor.asked[0].url.startswith("http://127.0.0.1:4566/2013-04-01/")


# -- other writers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_there_before", [False, True])
def test_a_set_that_somebody_changes_first(is_there_before: bool) -> None:
    """When another client makes or changes the set between our look and our batch, both values stand in the end."""
    vendor = Route53Vendor()
    if is_there_before:
        vendor.put(Foreign(BELOW.name, "TXT", 99, "before"))

    def faster() -> None:
        vendor.before_batch = lambda: None
        vendor.put(Foreign(BELOW.name, "TXT", 99, "theirs"))

    vendor.before_batch = faster
    route53(vendor).change(ZONE, add=[BELOW])
    assert vendor.values_at(BELOW.name) >= {BELOW.value, "theirs"}
    assert vendor.batches == 2


def test_a_set_that_somebody_removes_first_does_not_come_back() -> None:
    """When another client removes its set between our look and our batch, its value stays gone."""
    vendor = Route53Vendor()
    vendor.put(Foreign(BELOW.name, "TXT", 99, "theirs"))

    def faster() -> None:
        vendor.before_batch = lambda: None
        del vendor.sets[vendor.id_of()][BELOW.name, "TXT", ""]

    vendor.before_batch = faster
    route53(vendor).change(ZONE, add=[BELOW])
    assert vendor.values_at(BELOW.name) == {BELOW.value}


def test_endless_changes_of_others_end() -> None:
    """A set that is another one at every look is reported as a conflict."""
    vendor = Route53Vendor()
    vendor.before_batch = lambda: vendor.put(Foreign(BELOW.name, "TXT", 99, f"theirs {vendor.batches}"))
    with pytest.raises(DnsProviderError) as caught:
        route53(vendor).change(ZONE, add=[BELOW])
    assert caught.value.details["reason"] == "conflict"
    assert vendor.batches == 5


@pytest.mark.parametrize("what", ["weighted", "alias"])
def test_sets_that_are_not_simple(what: str) -> None:
    """Weighted and alias sets at the name are refused in words, and not touched."""
    vendor = Route53Vendor()
    sets = vendor.sets[vendor.id_of()]
    if what == "weighted":
        for identifier in ("a", "b"):
            vendor.put(Foreign(BELOW.name, "TXT", 60, identifier), identifier=identifier)
    else:
        sets[BELOW.name, "TXT", ""] = (0, ())
    error = failure(vendor)
    assert error.details["reason"] == "conflict"
    assert ("routing policy" if what == "weighted" else "alias") in error.what


# -- failures in words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["ListHostedZones", "ListResourceRecordSets", "ChangeResourceRecordSets"])
def test_a_missing_permission_is_named(action: str) -> None:
    """The permission that is missing is named as IAM calls it (ST-24)."""
    vendor = Route53Vendor()
    vendor.denied = {action, "ListHostedZonesByName"} if action == "ListHostedZones" else {action}
    error = failure(vendor)
    assert error.details == {**error.details, "reason": "permission", "permission": f"route53:{action}"}
    assert f"Allow route53:{action}" in error.fix


def test_a_permission_that_is_not_named() -> None:
    """Where Route 53 does not name the permission, it is the one of what was asked."""
    vendor = Route53Vendor()
    vendor.faults = [None, None, error_reply(403, "AccessDenied", "Access denied by a policy.")]
    assert failure(vendor).details["permission"] == "route53:ChangeResourceRecordSets"


def test_a_wrong_secret() -> None:
    """A secret that does not belong to the key is told as that."""
    vendor = Route53Vendor()
    error = failure(vendor, provider=route53(vendor, secret="other"))
    assert error.details["reason"] == "credentials"
    assert "secret access key does not belong" in error.fix


def test_an_unknown_key() -> None:
    """A key id that AWS does not know is told as that."""
    vendor = Route53Vendor()
    error = failure(vendor, provider=route53(vendor, access_key_id="AKIAOTHEROTHEROTHER0"))
    assert error.details["reason"] == "credentials"
    assert "AWS does not know the access key ID" in error.fix


def test_a_wrong_clock() -> None:
    """A machine whose clock is wrong is told so, with both times."""
    vendor = Route53Vendor()
    vendor.now += timedelta(minutes=11)
    error = failure(vendor)
    assert error.details["reason"] == "clock"
    assert "21 Nov 2026 12:00:00 UTC" in error.why
    assert "21 Nov 2026" in error.why
    assert "NTP" in error.fix


@pytest.mark.parametrize("code", ["Throttling", "PriorRequestNotComplete"])
def test_throttling_is_waited_out_or_told(code: str) -> None:
    """Refusals for a moment come with status 400; they are asked again, and told when they do not end."""
    vendor = Route53Vendor()
    vendor.faults = [error_reply(400, code, "Rate exceeded")] * 2
    route53(vendor).change(ZONE, add=[BELOW])
    assert vendor.values_at(BELOW.name) == {BELOW.value}
    vendor.faults = [error_reply(400, code, "Rate exceeded")] * 9
    assert failure(vendor, record=ONE).details["reason"] == "rate-limited"


def test_any_other_refusal_is_in_its_words() -> None:
    """A refusal for another reason comes with Route 53's code and words."""
    vendor = Route53Vendor()
    vendor.faults = [None, None, error_reply(400, "LimitsExceeded", "This is too much.")]
    error = failure(vendor)
    assert error.details["reason"] == "refused"
    assert "LimitsExceeded: This is too much." in error.why


def _wrap(action: str, body: str) -> str:
    return f"<{action}Response>{body}</{action}Response>"


@pytest.mark.parametrize(
    "body",
    [
        "<html>Log in</html>",
        '{"zones": []}',
        "",
        "<ListHostedZonesResponse>",
        '<!DOCTYPE a [<!ENTITY b "c">]><ListHostedZonesResponse />',
        _wrap("ListHostedZones", "<HostedZones><HostedZone /></HostedZones>"),
        _wrap("ListHostedZones", "<IsTruncated>true</IsTruncated>"),
    ],
)
def test_something_else_that_answers(body: str) -> None:
    """A login page, or other XML, is recognised as not Route 53."""
    vendor = Route53Vendor()
    vendor.faults = [reply(200, body)]
    with pytest.raises(DnsProviderError, match="not the API of Route 53"):
        route53(vendor).zones()


@pytest.mark.parametrize(
    "body",
    [
        "<ResourceRecordSets><ResourceRecordSet><Name>{}.</Name><Type>TXT</Type></ResourceRecordSet></ResourceRecordSets>",
        "<IsTruncated>true</IsTruncated>",
    ],
)
def test_sets_that_say_too_little(body: str) -> None:
    """Sets without values, or pages without end, are not built upon."""
    vendor = Route53Vendor()
    vendor.faults = [None, reply(200, _wrap("ListResourceRecordSets", body.format(BELOW.name)))]
    assert "not the API of Route 53" in failure(vendor).what


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("access_key_id", "ASIAIOSFODNN7EXAMPLE"),
        ("access_key_id", "two words"),
        ("secret_access_key", "two words"),
        ("hosted_zone_id", "example.com"),
    ],
)
def test_fields_are_checked(key: str, value: str) -> None:
    """Keys of a session, and what is no key or id at all, are noticed before anything is asked."""
    checks: dict[str, Callable[[str], str | None]] = {field.key: field.check for field in KIND.fields if field.check}
    assert checks[key](value) is not None
    assert checks["access_key_id"](KEY_ID) is None
    assert checks["secret_access_key"](SECRETS["secret_access_key"]) is None
