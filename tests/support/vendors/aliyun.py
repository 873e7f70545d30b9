"""Alibaba Cloud DNS as far as certdeck uses it, from its manual: domains, records by id, signatures that are good once."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any
from urllib.parse import quote, urlsplit

from core.ports import Response
from tests.support.clock import NOON
from tests.support.transport import Asked, reply
from tests.support.vendor import Vendor, path_of, query_of
from tests.support.vendors.zone import FOREIGN, ZONE, Foreign

KEY_ID = "LTAI5tExampleExampleExam"
SECRET = "tSecretThatMustNotBeSeenAnywhere"
SETTINGS = {"access_key_id": KEY_ID}
SECRETS = {"access_key_secret": SECRET}
SIGNED = ("host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version")
PAGE = 3


class AliyunVendor(Vendor):
    """One account. Pages are small; the plan is the free one."""

    def __init__(self, *domains: str) -> None:
        super().__init__()
        self._ids = count(9999985)
        self.now = NOON
        self.nonces: set[str] = set()
        self.domains: dict[str, dict[str, dict[str, Any]]] = {}
        """Name → records by id."""
        self.denied: set[str] = set()
        """Actions that no policy allows."""
        self.is_of_new_style = False
        """Refusals name the permission, as newer accounts get them."""
        self.lowest_ttl = 600
        self.before_write: Callable[[], None] = lambda: None
        """What somebody else does just before a record is added or removed."""
        for name in domains or ("other.example.net", ZONE):
            self.domains[name] = {}
        if ZONE in self.domains:
            for record in FOREIGN:
                self.put(record)

    def put(self, record: Foreign, domain: str = ZONE) -> None:
        """Add a record as a user of the console would."""
        id = str(next(self._ids))
        self.domains[domain][id] = {
            "RecordId": id,
            "DomainName": domain,
            "RR": "@" if record.name == domain else record.name.removesuffix(f".{domain}"),
            "Type": record.type,
            "Value": record.content,
            "TTL": record.ttl,
            "Line": "default",
            "Status": "ENABLE",
            "Locked": False,
            "Weight": 1,
        }

    def values_at(self, name: str, domain: str = ZONE) -> set[str]:
        rr = "@" if name == domain else name.removesuffix(f".{domain}")
        records = self.domains[domain].values()
        return {each["Value"] for each in records if each["Type"] == "TXT" and each["RR"] == rr}

    def snapshot(self) -> object:
        """Return all there is, to be compared."""
        return {name: {id: dict(each) for id, each in records.items()} for name, records in self.domains.items()}

    def answer(self, asked: Asked) -> Response:
        assert asked.method == "POST"
        assert path_of(asked) == "/"
        refused = self._signature(asked)
        if refused is not None:
            return refused
        action, query = asked.headers["x-acs-action"], query_of(asked)
        if action in self.denied:
            return self._denied(action)
        handlers: dict[str, Callable[[Mapping[str, str]], Response]] = {
            "DescribeDomains": self._list_domains,
            "DescribeDomainRecords": self._list_records,
            "DescribeSubDomainRecords": self._list_at,
            "AddDomainRecord": self._add,
            "DeleteDomainRecord": self._delete,
        }
        assert action in handlers, f"{action} is nothing that the adapter should ask"
        return handlers[action](query)

    # -- who asks ------------------------------------------------------------------------------------------------------

    def _signature(self, asked: Asked) -> Response | None:
        found = re.fullmatch(
            r"ACS3-HMAC-SHA256 Credential=([^,]*),SignedHeaders=([\w;-]+),Signature=([0-9a-f]{64})",
            asked.headers.get("authorization", ""),
        )
        assert found is not None
        key_id, names, signature = found.groups()
        headers = {**asked.headers, "host": urlsplit(asked.url).netloc}
        assert tuple(names.split(";")) == SIGNED, "all x-acs headers are signed, and the host"
        assert headers["x-acs-version"] == "2015-01-09"
        assert headers["x-acs-content-sha256"] == sha256(asked.body or b"").hexdigest()
        assert " " not in asked.url
        assert "+" not in asked.url, "a space is %20"
        if key_id != KEY_ID:
            return _error(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
        at = datetime.strptime(headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        if abs(at - self.now) > timedelta(minutes=15):
            return _error(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
        query = "&".join(
            f"{quote(key, safe='-_.~')}={quote(value, safe='-_.~')}" for key, value in sorted(query_of(asked).items())
        )
        canonical = [
            "POST",
            "/",
            query,
            *(f"{name}:{headers[name]}" for name in SIGNED),
            "",
            names,
            headers["x-acs-content-sha256"],
        ]
        to_sign = "ACS3-HMAC-SHA256\n" + sha256("\n".join(canonical).encode()).hexdigest()
        if signature != hmac.new(SECRET.encode(), to_sign.encode(), "sha256").hexdigest():
            return _error(400, "SignatureDoesNotMatch", "Specified signature does not match our calculation.")
        nonce = headers["x-acs-signature-nonce"]
        if nonce in self.nonces:
            return _error(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
        self.nonces.add(nonce)
        return None

    def _denied(self, action: str) -> Response:
        if self.is_of_new_style:
            detail = {"AuthAction": f"alidns:{action}", "NoPermissionType": "ImplicitDeny"}
            return _error(403, "NoPermission", "You are not authorized to do this action.", AccessDeniedDetail=detail)
        said = "User not authorized to operate on the specified resource, or this API doesn't support RAM."
        return _error(403, "Forbidden.RAM", said)

    # -- domains and records -------------------------------------------------------------------------------------------

    def _list_domains(self, query: Mapping[str, str]) -> Response:
        assert set(query) == {"PageNumber", "PageSize"}
        assert 1 <= int(query["PageSize"]) <= 100
        some = [
            {"DomainId": name, "DomainName": name, "PunyCode": name, "VersionCode": "mianfei"} for name in self.domains
        ]
        return _page("Domains", "Domain", some, query)

    def _list_records(self, query: Mapping[str, str]) -> Response:
        assert set(query) == {"DomainName", "TypeKeyWord", "PageNumber", "PageSize"}
        if query["DomainName"] not in self.domains:
            return _no_domain()
        records = self.domains[query["DomainName"]].values()
        return _page(
            "DomainRecords", "Record", [each for each in records if query["TypeKeyWord"] in each["Type"]], query
        )

    def _list_at(self, query: Mapping[str, str]) -> Response:
        assert set(query) == {"DomainName", "SubDomain", "Type", "PageNumber", "PageSize"}
        domain, name = query["DomainName"], query["SubDomain"]
        if domain not in self.domains:
            return _no_domain()
        assert name == domain or name.endswith(f".{domain}")
        rr = "@" if name == domain else name.removesuffix(f".{domain}")
        records = self.domains[domain].values()
        some = [each for each in records if each["RR"] == rr and each["Type"] == query["Type"]]
        return _page("DomainRecords", "Record", some, query)

    def _add(self, query: Mapping[str, str]) -> Response:
        assert set(query) == {"DomainName", "RR", "Type", "Value", "TTL"}
        self.before_write()
        domain, rr = query["DomainName"], query["RR"]
        if domain not in self.domains:
            return _error(400, "IncorrectDomainUser", "The domain name does not belong to this user.")
        assert not rr.endswith(domain), "RR is relative"
        assert query["Type"] == "TXT"
        assert not query["Value"].startswith('"')
        if int(query["TTL"]) < self.lowest_ttl:
            said = f"The specified TTL is invalid. A valid TTL must be in the range of {self.lowest_ttl} to 86400."
            return _error(400, "QuotaExceeded.TTL", said)
        there = [each for each in self.domains[domain].values() if each["RR"] == rr]
        if any(each["Type"] == "CNAME" for each in there):
            return _error(400, "DomainRecordConflict", "The DNS record conflicts with other DNS records.")
        if any(each["Type"] == "TXT" and each["Value"] == query["Value"] for each in there):
            return _error(400, "DomainRecordDuplicate", "The DNS record already exists.")
        name = domain if rr == "@" else f"{rr}.{domain}"
        self.put(Foreign(name, "TXT", int(query["TTL"]), query["Value"]), domain)
        return reply(200, {"RequestId": "536E9CAD", "RecordId": list(self.domains[domain])[-1]})

    def _delete(self, query: Mapping[str, str]) -> Response:
        assert set(query) == {"RecordId"}
        self.before_write()
        for records in self.domains.values():
            if query["RecordId"] in records:
                del records[query["RecordId"]]
                return reply(200, {"RequestId": "536E9CAD", "RecordId": query["RecordId"]})
        return _error(400, "DomainRecordNotBelongToUser", "The DNS record does not belong to this user.")


def _page(group: str, each: str, some: Sequence[Mapping[str, Any]], query: Mapping[str, str]) -> Response:
    start = (int(query["PageNumber"]) - 1) * PAGE
    held = {each: [dict(one) for one in some[start : start + PAGE]]}
    numbers = {"TotalCount": len(some), "PageNumber": int(query["PageNumber"]), "PageSize": PAGE}
    return reply(200, {"RequestId": "536E9CAD", **numbers, group: held})


def _no_domain() -> Response:
    said = "The specified domain name does not exist. Refresh the page and try again."
    return _error(400, "InvalidDomainName.NoExist", said)


def _error(status: int, code: str, message: str, **more: object) -> Response:
    body = {"RequestId": "C719B90A", "HostId": "alidns.aliyuncs.com", "Code": code, "Message": message, **more}
    return reply(status, body, date="Sat, 21 Nov 2026 12:00:00 GMT")
