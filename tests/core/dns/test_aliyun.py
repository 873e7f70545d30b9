"""Alibaba Cloud DNS: a strict double that checks signatures, with a domain full of records of others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from core.dns.provider import TxtRecord
from core.dns.providers.aliyun import KIND, Aliyun
from core.errors import DnsProviderError
from core.ports import Response, TransportFailure
from tests.support.dns_access import access
from tests.support.transport import Asked, reply
from tests.support.vendors.aliyun import KEY_ID, SECRET, SETTINGS, AliyunVendor
from tests.support.vendors.zone import CHALLENGE, OTHERS_VALUE, ZONE, Foreign

ONE = TxtRecord(name=CHALLENGE, value="one-" + "A" * 39)
TWO = TxtRecord(name=CHALLENGE, value="two-" + "B" * 39)
BELOW = TxtRecord(name=f"_acme-challenge.a.b.{ZONE}", value="three-" + "C" * 37)
TOP = TxtRecord(name=ZONE, value="google-site-verification=x&y <z>; *~+ä")


def aliyun(vendor: AliyunVendor, *, secret: str = SECRET, **settings: str) -> Aliyun:
    return Aliyun(access(KIND, vendor, settings={**SETTINGS, **settings}, secrets={"access_key_secret": secret}))


def failure(
    vendor: AliyunVendor, *, provider: Aliyun | None = None, zone: str = ZONE, record: TxtRecord = BELOW
) -> DnsProviderError:
    """Return the error of adding a record; all is as it was."""
    before = vendor.snapshot()
    with pytest.raises(DnsProviderError) as caught:
        (provider or aliyun(vendor)).change(zone, add=[record])
    assert SECRET not in f"{caught.value} {caught.value.details}"
    assert vendor.snapshot() == before
    return caught.value


def actions(vendor: AliyunVendor) -> list[str]:
    return [asked.headers["x-acs-action"] for asked in vendor.asked]


def test_many_names() -> None:
    """A hundred names are read together, page by page, and all are found again."""
    vendor = AliyunVendor()
    before = vendor.snapshot()
    records = [TxtRecord(name=f"_acme-challenge.n{number}.{ZONE}", value="v" * 43) for number in range(100)]
    provider = aliyun(vendor)
    provider.change(ZONE, add=[*records, ONE])
    assert all(vendor.values_at(record.name) == {record.value} for record in records)
    provider.change(ZONE, remove=[*records, ONE])
    assert vendor.snapshot() == before
    assert "DescribeSubDomainRecords" not in actions(vendor)


def test_a_record_that_moves_between_pages_is_not_missed() -> None:
    """When another client removes records while we read page by page, ours are found all the same."""
    vendor = AliyunVendor()
    records = [TxtRecord(name=CHALLENGE, value=f"{number}" * 43) for number in range(6)]
    for record in records:
        vendor.put(Foreign(record.name, "TXT", 600, record.value))
    answered, left = (
        vendor.answer,
        [each["RecordId"] for each in vendor.domains[ZONE].values() if each["Value"] == OTHERS_VALUE],
    )

    def answer(asked: Asked) -> Response:
        if "PageNumber=2" in asked.url and left:
            del vendor.domains[ZONE][left.pop()]
        return answered(asked)

    vendor.answer = answer
    aliyun(vendor).change(ZONE, remove=records)
    assert vendor.values_at(CHALLENGE) == set()


def test_all_domains_on_all_pages() -> None:
    """Every page of domains is read."""
    names = tuple(f"d{number}.example" for number in range(8))
    assert aliyun(AliyunVendor(*names)).zones() == names


def test_an_endpoint_of_a_region() -> None:
    """Another endpoint is signed as it is asked."""
    vendor = AliyunVendor()
    assert ZONE in aliyun(vendor, endpoint="https://alidns.ap-southeast-1.aliyuncs.com/").zones()
    assert vendor.asked[0].url.startswith("https://alidns.ap-southeast-1.aliyuncs.com/?")


# -- other writers -----------------------------------------------------------------------------------------------------


def test_a_value_that_is_there_already_is_a_success() -> None:
    """A value that somebody adds, or that a lost request has added, between our look and our write is no failure."""
    vendor = AliyunVendor()

    def faster() -> None:
        vendor.before_write = lambda: None
        vendor.put(Foreign(BELOW.name, "TXT", 600, BELOW.value))

    vendor.before_write = faster
    aliyun(vendor).change(ZONE, add=[BELOW])
    assert vendor.values_at(BELOW.name) == {BELOW.value}


def test_a_value_that_is_gone_already_is_a_success() -> None:
    """A record that somebody removes between our look and our write is no failure."""
    vendor = AliyunVendor()
    vendor.put(Foreign(BELOW.name, "TXT", 600, BELOW.value))

    def faster() -> None:
        vendor.before_write = lambda: None
        records = vendor.domains[ZONE]
        del records[next(id for id, each in records.items() if each["Value"] == BELOW.value)]

    vendor.before_write = faster
    aliyun(vendor).change(ZONE, remove=[BELOW])
    assert vendor.values_at(BELOW.name) == set()


@pytest.mark.parametrize("action", ["AddDomainRecord", "DeleteDomainRecord", "DescribeSubDomainRecords"])
def test_a_lost_reply_is_no_failure(action: str) -> None:
    """A request whose reply is lost is signed anew, since its nonce is used up, and succeeds."""
    vendor = Forgetful(action)
    provider = aliyun(vendor)
    provider.change(ZONE, add=[BELOW])
    assert vendor.values_at(BELOW.name) == {BELOW.value}
    provider.change(ZONE, remove=[BELOW])
    assert vendor.values_at(BELOW.name) == set()
    assert vendor.has_lost


class Forgetful(AliyunVendor):
    """Carries out an action once, and loses the reply."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self._action = action
        self.has_lost = False

    def answer(self, asked: Asked) -> Response:
        said = super().answer(asked)
        if asked.headers["x-acs-action"] == self._action and not self.has_lost:
            self.has_lost = True
            raise TransportFailure("timeout", "alidns.aliyuncs.com did not respond within 20 s.")
        return said


def test_endless_used_nonces_end() -> None:
    """A server that takes no nonce is told in its words, not asked for ever."""
    vendor = AliyunVendor()
    vendor.faults = [reply(400, {"Code": "SignatureNonceUsed", "Message": "Used already."})] * 9
    assert "SignatureNonceUsed" in failure(vendor).why
    assert len(vendor.asked) == 5


# -- failures in words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["DescribeSubDomainRecords", "AddDomainRecord"])
@pytest.mark.parametrize("is_of_new_style", [False, True])
def test_a_missing_permission_is_named(action: str, is_of_new_style: bool) -> None:
    """The permission that is missing is named as RAM calls it (ST-24)."""
    vendor = AliyunVendor()
    vendor.denied, vendor.is_of_new_style = {action}, is_of_new_style
    error = failure(vendor)
    assert error.details == {**error.details, "reason": "permission", "permission": f"alidns:{action}"}
    assert f"alidns:{action}" in error.fix


def test_a_wrong_key() -> None:
    """A key id that is not known, and a secret that is not of the key, are told as credentials (ST-24)."""
    vendor = AliyunVendor()
    for provider, code in (
        (aliyun(vendor, secret="other"), "SignatureDoesNotMatch"),
        (aliyun(vendor, access_key_id="LTAIother"), "InvalidAccessKeyId.NotFound"),
    ):
        error = failure(vendor, provider=provider)
        assert error.details["reason"] == "credentials"
        assert code in error.why


def test_a_wrong_clock() -> None:
    """A machine whose clock is wrong is told so, with both times."""
    vendor = AliyunVendor()
    vendor.now += timedelta(hours=1)
    error = failure(vendor)
    assert error.details["reason"] == "clock"
    assert "21 Nov 2026 12:00:00 UTC" in error.why
    assert "21 Nov 2026" in error.why
    assert "NTP" in error.fix


def test_a_plan_with_a_higher_ttl() -> None:
    """A TTL that the plan does not take is said with its range."""
    vendor = AliyunVendor()
    vendor.lowest_ttl = 3600
    error = failure(vendor)
    assert "600 seconds" in error.what
    assert "3600 to 86400" in error.why


@pytest.mark.parametrize("code", ["Throttling.User", "LastOperationNotFinished"])
def test_throttling_is_waited_out_or_told(code: str) -> None:
    """Refusals for a moment come with status 400; they are asked again, and told when they do not end."""
    vendor = AliyunVendor()
    refused = reply(400, {"Code": code, "Message": "Request was denied due to user flow control."})
    vendor.faults = [refused] * 2
    aliyun(vendor).change(ZONE, add=[BELOW])
    assert vendor.values_at(BELOW.name) == {BELOW.value}
    vendor.faults = [refused] * 9
    assert failure(vendor, record=ONE).details["reason"] == "rate-limited"


def test_any_other_refusal_is_in_its_words() -> None:
    """A refusal for another reason comes with the code and the words."""
    vendor = AliyunVendor()
    vendor.faults = [None, reply(400, {"Code": "DomainForbidden", "Message": "The domain name is forbidden."})]
    error = failure(vendor)
    assert error.details["reason"] == "refused"
    assert "DomainForbidden: The domain name is forbidden." in error.why


@pytest.mark.parametrize(
    "body",
    [
        "<html>Log in</html>",
        "[3]",
        "{}",
        '{"Domains": {"Domain": 3}, "TotalCount": 1}',
        '{"Domains": {"Domain": [3]}, "TotalCount": 1}',
        '{"Domains": {"Domain": []}}',
        '{"Domains": {"Domain": [{"DomainId": "3"}]}, "TotalCount": 1}',
    ],
)
def test_something_else_that_answers(body: str) -> None:
    """A login page, or other JSON, is recognised as not Alibaba Cloud DNS."""
    vendor = AliyunVendor()
    vendor.faults = [reply(200, body)]
    with pytest.raises(DnsProviderError, match="not the API of Alibaba Cloud DNS"):
        aliyun(vendor).zones()


def test_a_record_without_an_id() -> None:
    """A record without its id is not built upon."""
    vendor = AliyunVendor()
    record = {"RR": BELOW.name.removesuffix(f".{ZONE}"), "Type": "TXT", "Value": BELOW.value}
    vendor.faults = [reply(200, {"DomainRecords": {"Record": [record]}, "TotalCount": 1})]
    assert "not the API" in failure(vendor).what


def test_fields_are_checked() -> None:
    """Keys of a session, and what is no key at all, are noticed before anything is asked."""
    checks: dict[str, Callable[[str], str | None]] = {field.key: field.check for field in KIND.fields if field.check}
    assert checks["access_key_id"]("STS.NUgYrLnoC37mZZCNnAbez") is not None
    assert checks["access_key_id"]("two words") is not None
    assert checks["access_key_secret"]("two words") is not None
    assert checks["access_key_id"](KEY_ID) is None
    assert checks["access_key_secret"](SECRET) is None
