"""Cloudflare's API v4 as far as certdeck uses it, from its reference: zones, DNS records, batches, token verification."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from core.dns.txt import quoted, unquoted
from core.ports import Response
from tests.support.transport import Asked, reply
from tests.support.vendor import Vendor, json_of, path_of, query_of
from tests.support.vendors.zone import FOREIGN, ZONE, Foreign

TOKEN = "v4-token_that_must_not_be_seen_anywhere_0"
SETTINGS: dict[str, str] = {}
SECRETS = {"api_token": TOKEN}
ROOT = "/client/v4"


class CloudflareVendor(Vendor):
    """One user's zones. Pages are small: two zones, three records."""

    def __init__(self, *zones: str) -> None:
        super().__init__()
        self._ids = count(1)
        self.zones: dict[str, dict[str, Any]] = {}
        """By id."""
        self.records: dict[str, dict[str, dict[str, Any]]] = {}
        """By zone's id, then by record's id."""
        self.may_read_zones = True
        self.may_edit = True
        self.token_status = "active"
        self.allowed_from: str | None = None
        """The address that a filter of the token refuses."""
        self.most_records = 1000
        self.before_batch: Callable[[], None] = lambda: None
        """What somebody else does just before a batch is carried out."""
        for name in zones or ("other.example.net", ZONE, "third.example.org"):
            self.add_zone(name)
        for record in FOREIGN:
            if ZONE in zones or not zones:
                self.put(record)

    def add_zone(self, name: str, status: str = "active") -> str:
        id = f"{next(self._ids):032x}"
        self.zones[id] = {
            "id": id,
            "name": name,
            "status": status,
            "type": "full",
            "permissions": ["#dns_records:edit"],
        }
        self.records[id] = {}
        return id

    def id_of(self, zone: str = ZONE) -> str:
        return next(id for id, each in self.zones.items() if each["name"] == zone)

    def put(self, record: Foreign, zone: str = ZONE, *, content: str | None = None) -> None:
        """Add a record as a user of the dashboard would; `content`: exactly that text."""
        text = quoted(record.content) if record.type == "TXT" else record.content
        id = f"{next(self._ids):032x}"
        self.records[self.id_of(zone)][id] = {
            "id": id,
            "name": record.name,
            "type": record.type,
            "content": text if content is None else content,
            "ttl": record.ttl,
            "proxied": False,
            "comment": f"record {id[-3:]} of somebody",
        }

    def values_at(self, name: str, zone: str = ZONE) -> set[str]:
        there = self.records[self.id_of(zone)].values()
        return {unquoted(each["content"]) for each in there if each["type"] == "TXT" and each["name"] == name}

    def snapshot(self) -> object:
        """Return all there is, to be compared."""
        return {zone: {id: dict(record) for id, record in records.items()} for zone, records in self.records.items()}

    def answer(self, asked: Asked) -> Response:
        path = path_of(asked)
        assert path.startswith(f"{ROOT}/"), path
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return _refusal(400, 6003, "Invalid request headers", (6111, "Invalid format for Authorization header"))
        if self.token_status == "unknown":
            return _refusal(401, 1000, "Invalid API Token")
        if self.allowed_from is not None:
            return _refusal(403, 9109, f"Cannot use the access token from location: {self.allowed_from}")
        match asked.method, path.removeprefix(ROOT).strip("/").split("/"):
            case "GET", ["user", "tokens", "verify"]:
                return _success({"id": "a" * 32, "status": self.token_status})
            case _ if self.token_status != "active":
                return _refusal(403, 10000, "Authentication error")
            case "GET", ["zones"]:
                query = query_of(asked)
                assert set(query) == {"page", "per_page"}
                assert 5 <= int(query["per_page"]) <= 50
                return self._page(list(self.zones.values()) if self.may_read_zones else [], query, 2)
            case "GET", ["zones", id]:
                if id not in self.zones:
                    return _refusal(
                        404,
                        7003,
                        f"Could not route to {path}, perhaps your object identifier is invalid?",
                    )
                if not self.may_read_zones:
                    return _refusal(403, 9109, "Unauthorized to access requested resource")
                return _success(self.zones[id])
            case "GET", ["zones", id, "dns_records"] if id in self.zones:
                if not self.may_edit:
                    return _refusal(403, 10000, "Authentication error")
                return self._listed(self.records[id], query_of(asked))
            case "POST", ["zones", id, "dns_records", "batch"] if id in self.zones:
                if not self.may_edit:
                    return _refusal(403, 10000, "Authentication error")
                self.before_batch()
                return self._batch(id, json_of(asked))
            case _, ["zones", _, "dns_records", *_]:
                return _refusal(404, 7003, "Could not route to the zone, perhaps your object identifier is invalid?")
        raise AssertionError(f"{asked.method} {path} is nothing that the adapter should ask")

    def _listed(self, records: Mapping[str, dict[str, Any]], query: dict[str, str]) -> Response:
        assert set(query) <= {"page", "per_page", "type", "name"}
        assert 5 <= int(query["per_page"]) <= 5000
        some = [
            each
            for each in records.values()
            if each["type"] == query.get("type", each["type"]) and each["name"] == query.get("name", each["name"])
        ]
        return self._page(some, query, 3)

    def _page(self, some: list[dict[str, Any]], query: Mapping[str, str], size: int) -> Response:
        page = int(query.get("page", "1"))
        info = {
            "page": page,
            "per_page": size,
            "count": len(some[(page - 1) * size : page * size]),
            "total_count": len(some),
            "total_pages": math.ceil(len(some) / size),
        }
        return _success(some[(page - 1) * size : page * size], result_info=info)

    def _batch(self, zone: str, body: dict[str, Any]) -> Response:
        assert set(body) <= {"deletes", "posts"}
        assert all(body.values()), "an empty list is of no use"
        assert sum(map(len, body.values())) <= 200, "the Free plan takes 200"
        records = dict(self.records[zone])
        for delete in body.get("deletes", []):
            assert set(delete) == {"id"}
            if records.pop(delete["id"], None) is None:
                return _refusal(404, 81044, "Record does not exist.")
        made = []
        for post in body.get("posts", []):
            assert set(post) == {"type", "name", "content", "ttl"}
            assert post["type"] == "TXT"
            post = {**post, "content": quoted(unquoted(post["content"]))}  # it adds the quotes that are missing
            assert post["ttl"] == 1 or 60 <= post["ttl"] <= 86400
            top = self.zones[zone]["name"]
            name = post["name"] if post["name"] == top or post["name"].endswith(f".{top}") else f"{post['name']}.{top}"
            at_name = [each for each in records.values() if each["name"] == name]
            if any(each["type"] == "CNAME" for each in at_name):
                return _refusal(400, 81053, "A CNAME record with that host already exists.")
            if any(each["type"] == "TXT" and each["content"] == post["content"] for each in at_name):
                return _refusal(400, 81058, "An identical record already exists.")
            if len(records) >= self.most_records:
                return _refusal(400, 81045, "The record quota has been exceeded.")
            id = f"{next(self._ids):032x}"
            records[id] = {**post, "id": id, "name": name, "proxied": False, "comment": None}
            made.append(records[id])
        self.records[zone] = records
        return _success({"deletes": [{"id": each["id"]} for each in body.get("deletes", [])], "posts": made})


def _success(result: object, **more: object) -> Response:
    return reply(200, {"success": True, "errors": [], "messages": [], "result": result, **more})


def _refusal(status: int, code: int, message: str, *chain: tuple[int, str]) -> Response:
    error: dict[str, Any] = {"code": code, "message": message}
    if chain:
        error["error_chain"] = [{"code": each, "message": said} for each, said in chain]
    return reply(status, {"success": False, "errors": [error], "messages": [], "result": None})
