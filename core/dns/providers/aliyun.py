"""Alibaba Cloud DNS (Aliyun), API 2015-01-09, with an access key of a RAM user.

Records have IDs: ours are removed by the ID of the record with exactly our value. Requests are signed with version 3, which
Alibaba Cloud recommends. A signature is valid once, so a request that is sent again is signed again. Avoided here:
DeleteSubDomainRecords (it removes the values of other clients); a TTL below the free plan's 600 seconds; treating "already
exists" after a lost response as a failure; names that include the zone (RR is relative); reading only the first page of records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from core.dates import second_shown
from core.dns.api import Api, ApiResponse, is_transient
from core.dns.changes import ATTEMPTS, NameChange, by_name
from core.dns.field_checks import one_word
from core.dns.names import name_below
from core.dns.provider import HTTP_FIELDS, Access, EntryField, ProviderKind, TxtRecord, provider_error
from core.dns.providers.acs3 import AcsKey, query_text
from core.dns.txt import unquoted
from core.errors import DnsProviderError

ENDPOINT = "https://alidns.aliyuncs.com"
TITLE = "Alibaba Cloud DNS"
VERSION = "2015-01-09"
TTL = "600"
"""The lowest value on the free plan."""
DOMAINS_A_PAGE = 100
RECORDS_A_PAGE = 500
MOST_PAGES = 1000
ASKED_ONE_BY_ONE = 5
"""Number of names; for more, all TXT records of the zone are read."""
SIGNED_AT_MOST = 5
"""How often one request is signed again."""

DENIED = ("Forbidden", "NoPermission", "AccessDenied")
CREDENTIALS = (
    "InvalidAccessKeyId",
    "IncompleteSignature",
    "SignatureDoesNotMatch",
    "MissingAccessKeyId",
    "InvalidSecurityToken",
)
CLOCK = ("InvalidTimeStamp", "IllegalTimestamp")
NO_SUCH_DOMAIN = ("InvalidDomainName", "IncorrectDomainUser", "DomainNotFound")
ALREADY_GONE = ("InvalidRecordId", "DomainRecordNotBelongToUser", "InvalidRR.NoExist")
THROTTLED = ("Throttling", "LastOperationNotFinished", "SystemBusy", "ServiceUnavailable")


class Refusal(Exception):
    """A response that is a refusal. Never leaves `core.dns`."""

    def __init__(self, action: str, answer: ApiResponse) -> None:
        self.action = action
        self.code = str(answer.fields.get("Code") or "")
        self.said = str(answer.fields.get("Message") or "")
        self.status = answer.status
        self.date = answer.headers.get("date", "")
        detail = answer.fields.get("AccessDeniedDetail")
        self.missing = str(detail.get("AuthAction") or "") if isinstance(detail, dict) else ""
        """The missing permission, if the response names it."""
        super().__init__(self.code)

    def is_one_of(self, codes: Sequence[str]) -> bool:
        """Return whether the code is one of these or a subcode of one: `Forbidden.RAM` of `Forbidden`."""
        return any(self.code == code or self.code.startswith(f"{code}.") for code in codes)


class Aliyun:
    """One access key. See `core.dns.provider.DnsProvider`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._api = Api(access, ENDPOINT, title=TITLE, is_temporary=_is_temporary)
        self._key = AcsKey(
            access_key_id=access.settings.get("access_key_id", "").strip(),
            secret=access.secrets.get("access_key_secret", "").strip(),
            version=VERSION,
        )

    def zones(self) -> tuple[str, ...]:
        names = []
        for page in self._pages("DescribeDomains", {"PageSize": str(DOMAINS_A_PAGE)}, "Domains", "Domain"):
            for domain in page:
                name = str(domain.get("PunyCode") or domain.get("DomainName") or "").lower()
                if not name:
                    raise self._api.nonsense("It returned a domain without a name.")
                names.append(name)
        return tuple(sorted(set(names)))

    def change(self, zone: str, *, add: Sequence[TxtRecord] = (), remove: Sequence[TxtRecord] = ()) -> None:
        changes = {_rr(name, zone): change for name, change in by_name(add, remove).items()}
        if not changes:
            return
        records = self._records(zone, changes)
        for rr, change in changes.items():
            there = [(_value_in(each), self._id_in(each)) for each in records if _rr_in(each) == rr]
            for value, id in there:
                if value in change.remove:
                    self._delete(zone, id)
            for value in change.missing(value for value, _ in there):
                self._add(zone, rr, value)

    def close(self) -> None:
        self._api.close()

    # -- records -------------------------------------------------------------------------------------------------------

    def _records(self, zone: str, changes: Mapping[str, NameChange]) -> list[Mapping[str, Any]]:
        """Return the TXT records that hold one of the values in question.

        A record that is removed while we read shifts those on later pages, so that one is missed. A result of more than one page is
        therefore read until two reads agree. A record that was seen and is gone by then does no harm.
        """
        questions = [("DescribeDomainRecords", {"TypeKeyWord": "TXT"})]
        if len(changes) <= ASKED_ONE_BY_ONE:
            questions = [
                ("DescribeSubDomainRecords", {"SubDomain": zone if rr == "@" else f"{rr}.{zone}", "Type": "TXT"})
                for rr in changes
            ]
        seen: dict[str, Mapping[str, Any]] = {}
        for attempt in range(ATTEMPTS):
            before, pages = set(seen), 0
            for action, query in questions:
                query = {"DomainName": zone, "PageSize": str(RECORDS_A_PAGE), **query}
                for page in self._pages(action, query, "DomainRecords", "Record", zone=zone):
                    pages += 1
                    seen |= {self._id_in(each): each for each in page if _is_meant(each, changes)}
            if pages <= len(questions) or (attempt and seen.keys() == before):
                break
        return list(seen.values())

    def _add(self, zone: str, rr: str, value: str) -> None:
        record = {"DomainName": zone, "RR": rr, "Type": "TXT", "Value": value, "TTL": TTL}
        try:
            self._ask("AddDomainRecord", record)
        except Refusal as refusal:
            if refusal.code != "DomainRecordDuplicate":
                raise self._failure(refusal, zone) from refusal

    def _delete(self, zone: str, id: str) -> None:
        try:
            self._ask("DeleteDomainRecord", {"RecordId": id})
        except Refusal as refusal:
            if not refusal.is_one_of(ALREADY_GONE):
                raise self._failure(refusal, zone) from refusal

    def _id_in(self, record: Mapping[str, Any]) -> str:
        id = record.get("RecordId")
        if not id or not isinstance(id, (str, int)):
            raise self._api.nonsense("It returned a record without its ID.")
        return str(id)

    # -- the API -------------------------------------------------------------------------------------------------------

    def _pages(
        self, action: str, query: Mapping[str, str], group: str, each: str, *, zone: str = ""
    ) -> Iterator[list[Mapping[str, Any]]]:
        """Yield the items in `{group: {each: […]}}` of all pages."""
        read = 0
        for number in count(1):
            try:
                fields = self._ask(action, {**query, "PageNumber": str(number)})
            except Refusal as refusal:
                raise self._failure(refusal, zone) from refusal
            held = fields.get(group)
            page, total = held.get(each) if isinstance(held, dict) else None, fields.get("TotalCount")
            if (
                not isinstance(page, list)
                or not all(isinstance(item, dict) for item in page)
                or not isinstance(total, int)
                or number > MOST_PAGES
            ):
                raise self._api.nonsense(f"Its response to {action} has no list, or an incomplete one.")
            yield page
            read += len(page)
            if not page or read >= total:
                return

    def _ask(self, action: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        """Send a signed request. Raises Refusal; DnsProviderError if there is no valid response of Alibaba Cloud.

        A "nonce already used" response means that the request had arrived before; it is signed again to get its response.
        """
        where = urlsplit(self._api.endpoint)
        path = f"{where.path}/"
        for attempt in count(1):
            env = self._access.env
            signed = self._key.headers(
                action, where.netloc.rpartition("@")[2], path, query, env.random.token_bytes(16).hex(), env.clock.now()
            )
            try:
                answer = self._api.call("POST", f"/?{query_text(query)}", headers=signed)
            except DnsProviderError as error:
                raise self._in_words(error) from error
            if answer.is_ok and answer.fields and "Code" not in answer.fields:
                return answer.fields
            refusal = Refusal(action, answer)
            if not refusal.code:
                raise self._api.nonsense(f"It returned {answer.status} without the JSON of API {VERSION}.")
            if refusal.code != "SignatureNonceUsed" or attempt >= SIGNED_AT_MOST:
                raise refusal
        raise AssertionError("counting has no end")

    # -- failures ------------------------------------------------------------------------------------------------------

    def _in_words(self, error: DnsProviderError) -> DnsProviderError:
        """Return the error for a response that stayed temporary; throttling also comes with status 400."""
        if error.details.get("status") != 400:
            return error
        return provider_error(
            self._access,
            "rate-limited",
            "Alibaba Cloud DNS accepts no more requests at the moment.",
            "Its rate limit is exceeded, or it is still busy with the last change; retries did not help.",
            "Try again later. Other programs that use the same account count towards the limit.",
        )

    def _failure(self, refusal: Refusal, zone: str) -> DnsProviderError:
        said = f"Alibaba Cloud says: {refusal.code}: {self._api.words(refusal.said)}"
        if refusal.is_one_of(DENIED):
            action = refusal.missing or f"alidns:{refusal.action}"
            return provider_error(
                self._access,
                "permission",
                f"The access key of {self._access.name} is valid, but lacks the permission {action}.",
                said,
                f"Grant the RAM user of the key {action} (RAM console, Users, Permissions), or the policy AliyunDNSFullAccess.",
                details={"permission": action},
            )
        if refusal.is_one_of(CLOCK):
            there = f"; Alibaba Cloud's clock shows {self._api.words(refusal.date)}" if refusal.date else "."
            return provider_error(
                self._access,
                "clock",
                "Alibaba Cloud rejected the request because this box's clock is wrong.",
                f"This box's clock shows {second_shown(self._access.env.clock.now())}{there}",
                "Set the clock, preferably by time synchronization (NTP). A signature is valid for 15 minutes.",
            )
        if refusal.is_one_of(CREDENTIALS):
            return self._api.credentials(
                f"{refusal.code}: {refusal.said}",
                "Create an access key for a RAM user (RAM console, Users, AccessKey) and set both parts again. A key "
                "that worked before may be disabled there.",
            )
        if refusal.is_one_of(NO_SUCH_DOMAIN):
            return provider_error(
                self._access,
                "zone",
                f"The account of {self._access.name} at Alibaba Cloud DNS has no domain {zone}.",
                said,
                f"Add {zone} to the public zones of Alibaba Cloud DNS, or use an access key of the account that owns it.",
            )
        if refusal.code == "DomainRecordConflict":
            return provider_error(
                self._access,
                "conflict",
                f"A TXT record cannot be created in {zone}, because another record conflicts with it.",
                said,
                "Remove the CNAME at its name. Or set its target as a delegation, and use the provider of the target's zone.",
            )
        if refusal.code == "QuotaExceeded.TTL":
            return self._api.refused(
                f"Alibaba Cloud DNS does not accept a TTL of {TTL} seconds for {zone}.",
                refusal.status,
                refusal.said,
                f"Use a plan for {zone} that allows {TTL} seconds; the free plan does.",
            )
        return self._api.refused(
            f"Alibaba Cloud DNS refused a change in {zone}." if zone else "Alibaba Cloud DNS refused a request.",
            refusal.status,
            f"{refusal.code}: {refusal.said}",
            "Check the domain's records in the Alibaba Cloud DNS console. The message above names the conflict.",
        )


def _rr(name: str, zone: str) -> str:
    return name_below(name, zone) or "@"


def _rr_in(record: Mapping[str, Any]) -> str:
    return str(record.get("RR") or "").lower()


def _value_in(record: Mapping[str, Any]) -> str:
    return unquoted(str(record.get("Value") or ""))


def _is_meant(record: Mapping[str, Any], changes: Mapping[str, NameChange]) -> bool:
    """Return whether this is a TXT record with a value to add or to remove."""
    change = changes.get(_rr_in(record))
    return change is not None and record.get("Type") == "TXT" and _value_in(record) in (*change.add, *change.remove)


def _is_temporary(answer: ApiResponse) -> bool:
    return is_transient(answer) or (answer.status == 400 and Refusal("", answer).is_one_of(THROTTLED))


def _check_key_id(id: str) -> str | None:
    if id.strip().startswith("STS."):
        return "This is a temporary session key. Use an access key of a RAM user; it begins with LTAI."
    return one_word(id)


KIND = ProviderKind(
    name="aliyun",
    title=TITLE,
    fields=(
        EntryField(
            key="access_key_id", label="AccessKey ID", help="Of a RAM user; begins with LTAI.", check=_check_key_id
        ),
        EntryField(
            key="access_key_secret",
            label="AccessKey secret",
            help="Shown once, when the AccessKey is created.",
            secret=True,
            check=one_word,
        ),
        *HTTP_FIELDS,
    ),
    help="Create a RAM user with the policy AliyunDNSFullAccess, or with alidns:DescribeDomains, DescribeDomainRecords, "
    "DescribeSubDomainRecords, AddDomainRecord and DeleteDomainRecord. Then create an AccessKey for this user.",
    connect=Aliyun,
    notes=("TTLs are 600 seconds, the lowest that the free plan takes.",),
)
