"""Dynu's API v2 as far as certdeck uses it, from its reference: OAuth2, domains, single records, refusals as 501 to 503."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from itertools import count
from typing import Any

from core.ports import Response
from tests.support.transport import Asked, reply
from tests.support.vendor import Vendor, json_of, path_of
from tests.support.vendors.zone import FOREIGN, ZONE, Foreign

CLIENT_ID = "0b71cae7-a099-4f6b-8ddf-94571cdb760d"
SECRET = "aCUEY4BDCV45KI8CSIC3sp2LKQ9"
SETTINGS = {"client_id": CLIENT_ID}
SECRETS = {"client_secret": SECRET}
ROOT = "/v2"


class DynuVendor(Vendor):
    """One account; `sub.example.com` is a domain of its own there, beside `example.com`."""

    def __init__(self, *domains: str) -> None:
        super().__init__()
        self._numbers = count(9_007_481)
        self.ids = {name: next(self._numbers) for name in domains or (ZONE, f"sub.{ZONE}", "other.example.net")}
        self.records: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in self.ids}
        self.tokens: set[str] = set()
        self.expires_in: object = 28_800
        self.sign_ins = 0
        self.most_records = 1000
        self.before_write: Callable[[], None] = lambda: None
        """What somebody else does just before a write is carried out."""
        if ZONE in self.ids:
            for record in FOREIGN:
                self.put(record)

    def put(self, record: Foreign, domain: str = ZONE) -> int:
        """Add a record as somebody else would."""
        id = next(self._numbers)
        node = record.name.removesuffix(domain).removesuffix(".")
        entry = {
            "id": id,
            "domainId": self.ids[domain],
            "domainName": domain,
            "nodeName": node,
            "hostname": record.name,
            "recordType": record.type,
            "ttl": record.ttl,
            "state": True,
            "content": f'{record.name}. {record.ttl} IN {record.type} "{record.content}"',
            "updatedOn": "2020-03-10T04:00:36.923",
        }
        entry["textData" if record.type == "TXT" else "host"] = record.content
        self.records[domain][id] = entry
        return id

    def values_at(self, name: str, domain: str = ZONE) -> set[str]:
        there = self.records[domain].values()
        return {each["textData"] for each in there if each["recordType"] == "TXT" and each["hostname"] == name}

    def snapshot(self) -> object:
        """Return all there is, to be compared."""
        return {name: {id: dict(each) for id, each in some.items()} for name, some in self.records.items()}

    def answer(self, asked: Asked) -> Response:
        path = path_of(asked)
        assert path.startswith(f"{ROOT}/"), path
        authorization = asked.headers.get("authorization", "")
        parts = path.removeprefix(ROOT).strip("/").split("/")
        if parts == ["oauth2", "token"]:
            assert asked.method == "GET"
            if authorization != f"Basic {b64encode(f'{CLIENT_ID}:{SECRET}'.encode()).decode()}":
                return _refusal(401, "Authentication Exception", "Not authorized.")
            self.sign_ins += 1
            token = f"bearer-token-number-{self.sign_ins}"
            self.tokens.add(token)
            return reply(200, {"access_token": token, "token_type": "bearer", "expires_in": self.expires_in})
        if authorization.removeprefix("Bearer ") not in self.tokens:
            return _refusal(401, "Authentication Exception", "Invalid token.")
        match asked.method, parts:
            case "GET", ["dns"]:
                some = [
                    {"id": id, "name": name, "unicodeName": name, "state": "Complete"} for name, id in self.ids.items()
                ]
                return reply(200, {"statusCode": 200, "domains": some})
            case "GET", ["dns", id, "record"]:
                some = list(self.records[self._domain(id)].values())
                return reply(200, {"statusCode": 200, "dnsRecords": some})
            case "POST", ["dns", id, "record"]:
                self.before_write()
                return self._added(self._domain(id), json_of(asked))
            case "DELETE", ["dns", id, "record", record]:
                self.before_write()
                if self.records[self._domain(id)].pop(int(record), None) is None:
                    return _refusal(501, "Argument Exception", "Invalid.")
                return reply(200, {"statusCode": 200})
        raise AssertionError(f"{asked.method} {path} is nothing that the adapter should ask")

    def _domain(self, id: str) -> str:
        return next(name for name, each in self.ids.items() if each == int(id))

    def _added(self, domain: str, body: dict[str, Any]) -> Response:
        assert set(body) == {"nodeName", "recordType", "ttl", "state", "group", "textData"}
        assert body["recordType"] == "TXT"
        assert body["state"] is True
        assert body["ttl"] >= 90
        assert not body["nodeName"].endswith(domain)
        name = f"{body['nodeName']}.{domain}".removeprefix(".")
        if body["textData"] in self.values_at(name, domain):
            return _refusal(501, "Argument Exception", "Record already exists.")
        if len(self.records[domain]) >= self.most_records:
            return _refusal(503, "Quota Exception", "Invalid.")
        id = self.put(Foreign(name, "TXT", body["ttl"], body["textData"]), domain)
        return reply(200, {"statusCode": 200, **self.records[domain][id]})


def _refusal(status: int, kind: str, message: str) -> Response:
    return reply(status, {"statusCode": status, "type": kind, "message": message})
