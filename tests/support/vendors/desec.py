"""deSEC's API v1 as far as certdeck uses it, from its manual: domains, sets of records, bulk changes, cursors, throttling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from core.dns.txt import quoted, unquoted
from core.ports import Response
from tests.support.transport import Asked, reply
from tests.support.vendor import Vendor, json_of, path_of, query_of
from tests.support.vendors.zone import FOREIGN, ZONE, Foreign

TOKEN = "i-T3b1h_OI-H9ab8tRS98stGtURe"
SETTINGS: dict[str, str] = {}
SECRETS = {"api_token": TOKEN}
ROOT = "/api/v1"
PAGE = 3

Rrset = tuple[int, tuple[str, ...]]
"""TTL and records."""


class DesecVendor(Vendor):
    """One account. Pages are small; writes count for the throttle of each domain."""

    def __init__(self, *domains: str, minimum_ttl: int = 3600) -> None:
        super().__init__()
        self.domains = dict.fromkeys(domains or (ZONE, "other.example.net"), minimum_ttl)
        self.sets: dict[str, dict[tuple[str, str], Rrset]] = {name: {} for name in self.domains}
        """Domain → (subname, type) → set."""
        self.may_write = True
        self.writes = 0
        self.writes_a_minute = 15
        self.before_write: Callable[[], None] = lambda: None
        """What somebody else does just before a write is carried out."""
        self.on_throttle: Callable[[], object] = lambda: None
        """What somebody else does while a throttled write waits."""
        self.link_host = "desec.io"
        if ZONE in self.domains:
            for record in FOREIGN:
                self.put(record)

    def put(self, record: Foreign, domain: str = ZONE) -> None:
        """Add a record as somebody else would."""
        key = (_subname(record.name, domain), record.type)
        _, standing = self.sets[domain].get(key, (0, ()))
        text = quoted(record.content) if record.type == "TXT" else record.content
        self.sets[domain][key] = (record.ttl, (*standing, text))

    def values_at(self, name: str, domain: str = ZONE) -> set[str]:
        _, records = self.sets[domain].get((_subname(name, domain), "TXT"), (0, ()))
        return {unquoted(each) for each in records}

    def snapshot(self) -> object:
        """Return all there is, to be compared."""
        return {name: dict(sets) for name, sets in self.sets.items()}

    def answer(self, asked: Asked) -> Response:
        path = path_of(asked)
        assert path.startswith(f"{ROOT}/"), path
        assert path.endswith("/"), "without the final slash it redirects"
        if asked.headers.get("authorization") != f"Token {TOKEN}":
            return reply(401, {"detail": "Invalid token."})
        match asked.method, path.removeprefix(ROOT).strip("/").split("/"):
            case "GET", ["domains"]:
                assert set(query_of(asked)) <= {"cursor"}
                return self._page([self._domain(name) for name in self.domains], asked)
            case "GET", ["domains", name] if name in self.domains:
                return reply(200, {**self._domain(name), "keys": []})
            case "GET", ["domains", name, "rrsets"] if name in self.domains:
                kind = query_of(asked).get("type")
                some = [self._rrset(name, *key) for key in self.sets[name] if kind in (None, key[1])]
                return self._page(some, asked)
            case "GET", ["domains", name, "rrsets", subname, kind] if name in self.domains:
                key = ("" if subname == "@" else subname, kind)
                return reply(200, self._rrset(name, *key)) if key in self.sets[name] else _not_found()
            case ("POST" | "PATCH") as method, ["domains", name, "rrsets"] if name in self.domains:
                return self._written(method, name, json_of(asked))
            case "GET" | "POST" | "PATCH", ["domains", *_]:
                return _not_found()
        raise AssertionError(f"{asked.method} {path} is nothing that the adapter should ask")

    def _written(self, method: str, domain: str, body: Any) -> Response:
        if not self.may_write:
            return reply(403, {"detail": "You do not have permission to perform this action."})
        self.writes += 1
        if self.writes > self.writes_a_minute:
            self.writes = 0
            self.on_throttle()
            detail = "Request was throttled. Expected available in 41 seconds."
            return reply(429, {"detail": detail}, retry_after="41")
        self.before_write()
        assert isinstance(body, list), "everything goes in one request"
        sets = dict(self.sets[domain])
        errors = [self._applied(method, domain, sets, each) for each in body]
        if any(errors):
            return reply(400, errors)
        self.sets[domain] = sets
        done = [
            self._rrset(domain, each["subname"], each["type"])
            for each in body
            if (each["subname"], each["type"]) in sets
        ]
        return reply(201 if method == "POST" else 200, done)

    def _applied(
        self, method: str, domain: str, sets: dict[tuple[str, str], Rrset], each: dict[str, Any]
    ) -> dict[str, list[str]]:
        """Change `sets`; returns errors by field."""
        assert set(each) <= {"subname", "type", "ttl", "records"}
        assert each["subname"] != "@"
        assert each["type"] == "TXT"
        key = (each["subname"], "TXT")
        for text in each["records"]:
            assert text == quoted(unquoted(text)), "TXT is quoted, in strings of at most 255 bytes"
        assert len(set(each["records"])) == len(each["records"])
        if method == "POST":
            assert each["records"]
            if key in sets:
                return {"non_field_errors": ["Another RRset with the same subdomain and type exists for this domain."]}
        elif key not in sets and "ttl" not in each:
            return {"ttl": ["This field is required."]} if each["records"] else {}
        if (each["subname"], "CNAME") in sets:
            said = (
                "RRset with conflicting type present: database (CNAME). (No other RRsets are allowed alongside CNAME.)"
            )
            return {"non_field_errors": [said]}
        ttl = each["ttl"] if "ttl" in each else sets[key][0]
        if "ttl" in each and ttl < self.domains[domain]:
            return {"ttl": [f"Ensure this value is greater than or equal to {self.domains[domain]}."]}
        if each["records"]:
            sets[key] = (ttl, tuple(each["records"]))
        else:
            sets.pop(key, None)
        return {}

    def _page(self, some: Sequence[object], asked: Asked) -> Response:
        query = query_of(asked)
        if "cursor" not in query and len(some) > PAGE:
            return reply(400, {"detail": "Pagination required. You can query up to 500 items at a time."})
        start = int(query.get("cursor") or "0")
        url = f"https://{self.link_host}{path_of(asked)}?cursor="
        links = [f'<{url}>; rel="first"']
        if start + PAGE < len(some):
            links.append(f'<{url}{start + PAGE}>; rel="next"')
        return reply(200, list(some[start : start + PAGE]), link=", ".join(links))

    def _domain(self, name: str) -> dict[str, Any]:
        return {"created": "2018-09-18T16:36:16.510368Z", "minimum_ttl": self.domains[name], "name": name}

    def _rrset(self, domain: str, subname: str, kind: str) -> dict[str, Any]:
        ttl, records = self.sets[domain][subname, kind]
        name = f"{subname}.{domain}.".removeprefix(".")
        return {
            "created": "2019-09-18T16:32:16.510368Z",
            "domain": domain,
            "subname": subname,
            "name": name,
            "type": kind,
            "records": list(records),
            "ttl": ttl,
        }


def _subname(name: str, domain: str) -> str:
    return name.removesuffix(domain).removesuffix(".")


def _not_found() -> Response:
    return reply(404, {"detail": "Not found."})
