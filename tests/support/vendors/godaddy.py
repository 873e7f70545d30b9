"""GoDaddy's Domains API v1 as far as certdeck uses it, from its reference: domains, records by type and name, the access rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from core.ports import Response
from tests.support.transport import Asked, reply
from tests.support.vendor import Vendor, json_of, path_of, query_of
from tests.support.vendors.zone import FOREIGN, ZONE, Foreign

KEY = "dLDwqk8Yt_key-of-the-account"
SECRET = "JRsy6H_secret-of-the-account"
SETTINGS: dict[str, str] = {}
SECRETS = {"api_key": KEY, "api_secret": SECRET}
PAGE = 2


class GoDaddyVendor(Vendor):
    """One account. Pages of domains are small; 60 requests a minute unless a test says otherwise."""

    def __init__(self, *domains: str) -> None:
        super().__init__()
        self.domains = list(domains or ("aaa.example", "bbb.example", ZONE))
        self.records: dict[str, list[dict[str, Any]]] = {name: [] for name in self.domains}
        self.has_access = True
        self.requests = 0
        self.requests_a_minute = 10_000
        self.before_write: Callable[[], None] = lambda: None
        """What somebody else does just before a write is carried out."""
        self.shows_all = True
        """False: the list of all TXT records leaves out some."""
        if ZONE in self.records:
            for record in FOREIGN:
                self.put(record)

    def put(self, record: Foreign, domain: str = ZONE) -> None:
        """Add a record as somebody else would."""
        entry = {"data": record.content, "name": _below(record.name, domain), "ttl": record.ttl, "type": record.type}
        if record.type == "MX":
            priority, data = record.content.split()
            entry |= {"data": data.rstrip("."), "priority": int(priority)}
        self.records[domain].append(entry)

    def values_at(self, name: str, domain: str = ZONE) -> set[str]:
        return {each["data"] for each in self._at(domain, "TXT", _below(name, domain))}

    def snapshot(self) -> object:
        """Return all there is, to be compared; order has no meaning."""
        return {name: sorted(map(repr, (sorted(each.items()) for each in some))) for name, some in self.records.items()}

    def answer(self, asked: Asked) -> Response:
        path = path_of(asked)
        self.requests += 1
        if self.requests > self.requests_a_minute:
            self.requests = 0
            return _refusal(429, "TOO_MANY_REQUESTS", "Too many requests received within interval", retryAfterSec=23)
        if asked.headers.get("authorization") != f"sso-key {KEY}:{SECRET}":
            return _refusal(401, "UNABLE_TO_AUTHENTICATE", "Unauthorized : Could not authenticate API key/secret")
        if not self.has_access:
            return _refusal(403, "ACCESS_DENIED", "Authenticated user is not allowed access")
        assert path.startswith("/v1/domains"), path
        match asked.method, [unquote(part) for part in path.removeprefix("/v1/domains").strip("/").split("/")]:
            case "GET", [""]:
                return self._listed(query_of(asked))
            case _, [domain, *_] if domain not in self.records:
                if domain.count(".") > 1:
                    return _refusal(
                        422, "UNKNOWN_DOMAIN", "The given domain is not registered, or does not have a zone file"
                    )
                return _refusal(403, "ACCESS_DENIED", "Authenticated user is not allowed access")
            case "GET", [domain, "records", "TXT"]:
                some = [each for each in self.records[domain] if each["type"] == "TXT"]
                return reply(200, some if self.shows_all else some[:2])
            case "GET", [domain, "records", "TXT", name]:
                return reply(200, self._at(domain, "TXT", name))
            case "PATCH", [domain, "records"]:
                self.before_write()
                return self._added(domain, json_of(asked))
            case "PUT", [domain, "records", "TXT", name]:
                self.before_write()
                return self._replaced(domain, name, json_of(asked))
            case "DELETE", [domain, "records", "TXT", name]:
                self.before_write()
                there = self._at(domain, "TXT", name)
                self.records[domain] = [each for each in self.records[domain] if each not in there]
                return Response(status=204 if there else 404, headers={}, body=b"")
        raise AssertionError(f"{asked.method} {path} is nothing that the adapter should ask")

    def _listed(self, query: dict[str, str]) -> Response:
        assert set(query) <= {"statuses", "limit", "marker"}
        assert 1 <= int(query["limit"]) <= 1000
        start = self.domains.index(query["marker"]) + 1 if "marker" in query else 0
        some = self.domains[start : start + min(PAGE, int(query["limit"]))]
        return reply(200, [{"domain": name, "domainId": 1, "status": "ACTIVE"} for name in some])

    def _added(self, domain: str, body: Any) -> Response:
        assert isinstance(body, list)
        assert body
        for each in body:
            assert set(each) == {"type", "name", "data", "ttl"}
            self._checked(each)
            if each["data"] in {other["data"] for other in self._at(domain, each["type"], each["name"])}:
                return _refusal(422, "DUPLICATE_RECORD", "Another record with the same attributes already exists")
            if self._at(domain, "CNAME", each["name"]):
                return _refusal(422, "INVALID_BODY", "Record name _x conflicts with another record.")
        self.records[domain] += body
        return reply(200, b"")

    def _replaced(self, domain: str, name: str, body: Any) -> Response:
        assert isinstance(body, list)
        assert body, "an empty list is refused"
        for each in body:
            self._checked(each)
            assert each.get("name", name) == name
            assert each.get("type", "TXT") == "TXT"
        there = self._at(domain, "TXT", name)
        self.records[domain] = [each for each in self.records[domain] if each not in there] + body
        return reply(200, b"")

    def _checked(self, each: dict[str, Any]) -> None:
        assert 600 <= each["ttl"] <= 604800
        assert len(each["data"]) <= 1024
        assert each["data"], "an empty record is left behind"

    def _at(self, domain: str, kind: str, name: str) -> list[dict[str, Any]]:
        return [each for each in self.records[domain] if each["type"] == kind and each["name"] == name]


def _below(name: str, domain: str) -> str:
    return name.removesuffix(domain).removesuffix(".") or "@"


def _refusal(status: int, code: str, message: str, **more: object) -> Response:
    return reply(status, {"code": code, "message": message, **more})
