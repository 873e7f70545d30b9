"""Keys, transactions and leases of etcd, in words of Python. Each write can be sent twice and is read back when that happened."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from core.fleet.gateway import Gateway, Refused
from core.fleet.layout import LEADER, after
from core.fleet_errors import FleetConflict, NotLeading

PAGE = 200
"""Keys in one answer: a body is cut at 4 MiB, and a delivery has some 8 KiB."""
OPERATIONS = 100
"""Most writes in one transaction (etcd takes 128), guards and reads beside them."""
REQUEST_BYTES = 1_000_000
"""Most bytes of values in one transaction (etcd takes 1.5 MiB of request, and base64 adds a third)."""


class KeyValue(Struct, frozen=True):
    """An entry of etcd. Its repr shows no value."""

    key: str
    value: bytes
    created: int
    """The store's revision at which the key came into being."""
    modified: int
    lease: str = ""
    """Empty: none."""

    def __repr__(self) -> str:
        return f"KeyValue({self.key})"


class Guard(Struct, frozen=True):
    """What has to hold for a write: the key came into being, or was last written, at that revision; 0: it is not there."""

    key: str
    created: int | None = None
    modified: int | None = None

    def compare(self) -> dict[str, object]:
        target, field = ("CREATE", "create_revision") if self.created is not None else ("MOD", "mod_revision")
        number = self.created if self.created is not None else self.modified
        return {"key": _encoded(self.key), "target": target, "result": "EQUAL", field: str(number)}


class Lease(Struct, frozen=True):
    id: str
    seconds: int


class Etcd:
    """The operations of a fleet on etcd. Raises what `Gateway.call` raises."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    # -- reading -------------------------------------------------------------------------------------------------------

    def get(self, key: str) -> KeyValue | None:
        """Return a key as it is now; the answer is never stale."""
        return self.get_with_revision(key)[0]

    def get_with_revision(self, key: str) -> tuple[KeyValue | None, int]:
        """Return a key as it is now, and the revision of the store that this is of."""
        found = self.gateway.call("kv/range", {"key": _encoded(key)})
        return next(iter(_values(found.get("kvs"))), None), int(found.get("header", {}).get("revision", 0))

    def get_many(self, keys: Sequence[str]) -> dict[str, KeyValue]:
        """Return those of some keys that are there: a hundred in one request, each hundred as of one revision."""
        found: dict[str, KeyValue] = {}
        for at in range(0, len(keys), OPERATIONS):
            asked = [{"request_range": {"key": _encoded(key)}} for key in keys[at : at + OPERATIONS]]
            answer = self.gateway.call("kv/txn", {"success": asked}, try_seconds=10.0)
            for each in answer.get("responses", ()):
                found |= {entry.key: entry for entry in _values(each.get("response_range", {}).get("kvs"))}
        return found

    def range(self, prefix: str) -> tuple[list[KeyValue], int]:
        """Return every key with a prefix, all as of one revision, in order, and that revision."""
        found: list[KeyValue] = []
        first, end = prefix.encode(), after(prefix.encode())
        revision = 0
        while True:
            body: dict[str, object] = {"key": _b64(first), "range_end": _b64(end), "limit": PAGE}
            if revision:
                body["revision"] = str(revision)
            answer = self.gateway.call("kv/range", body, try_seconds=10.0)
            page = _values(answer.get("kvs"))
            revision = revision or int(answer.get("header", {}).get("revision", 0))
            found += page
            if not answer.get("more") or not page:
                return found, revision
            first = page[-1].key.encode() + b"\0"

    def keys(self, prefix: str) -> list[str]:
        """Return the names of all keys with a prefix, without what they hold."""
        first = prefix.encode()
        body = {"key": _b64(first), "range_end": _b64(after(first)), "keys_only": True}
        return [entry.key for entry in _values(self.gateway.call("kv/range", body, try_seconds=10.0).get("kvs"))]

    # -- writing -------------------------------------------------------------------------------------------------------

    def commit(
        self,
        puts: Mapping[str, bytes],
        deletes: Iterable[str] = (),
        guards: Sequence[Guard] = (),
        *,
        lease: str = "",
        is_last: bool = False,
    ) -> None:
        """Write all of it or nothing, if every guard holds. `is_last`: also when somebody has asked to stop.

        Raises NotLeading (`not-leading`) where the guard of the leader does not hold; FleetConflict (`fleet-conflict`) where
        another one does not.
        """
        gone = tuple(deletes)
        operations: list[dict[str, object]] = [
            {"request_put": {"key": _encoded(key), "value": _b64(value), **({"lease": lease} if lease else {})}}
            for key, value in puts.items()
        ]
        operations += [{"request_delete_range": {"key": _encoded(key)}} for key in gone]
        asked = [guard.key for guard in guards] + list(puts)
        body = {
            "compare": [guard.compare() for guard in guards],
            "success": operations,
            "failure": [{"request_range": {"key": _encoded(key)}} for key in asked],
        }
        answer = self.gateway.call("kv/txn", body, try_seconds=5.0, is_last=is_last)
        if answer.get("succeeded"):
            return
        found = [
            next(iter(_values(each.get("response_range", {}).get("kvs"))), None) for each in answer.get("responses", ())
        ]
        now = dict(zip(asked, found, strict=False))
        # A try whose answer was lost may have been done: then what is there is ours.
        if puts and all((has := now.get(key)) is not None and has.value == value for key, value in puts.items()):
            return
        for guard in guards:
            has = now.get(guard.key)
            if guard.key == LEADER and (has.created if has else 0) != guard.created:
                raise not_leading()
        raise FleetConflict(
            "Another process changed the same fleet entry.",
            "These entries changed after they were read: "
            f"{', '.join(guard.key for guard in guards if guard.key != LEADER) or asked[0]}.",
            "Run the command again.",
        )

    def put(self, key: str, value: bytes, *, lease: str = "") -> None:
        """Write a key that nobody else writes."""
        self.gateway.call("kv/put", {"key": _encoded(key), "value": _b64(value), **({"lease": lease} if lease else {})})

    def delete_prefix(self, prefix: str) -> None:
        first = prefix.encode()
        self.gateway.call("kv/deleterange", {"key": _b64(first), "range_end": _b64(after(first))})

    # -- leases --------------------------------------------------------------------------------------------------------

    def grant(self, seconds: int) -> Lease:
        found = self.gateway.call("lease/grant", {"TTL": str(seconds)})
        return Lease(str(found["ID"]), int(found.get("TTL", seconds)))

    def keep_alive(self, lease: Lease, *, patience: float) -> bool:
        """Renew a lease. False: it is gone."""
        found = self.gateway.call("lease/keepalive", {"ID": lease.id}, try_seconds=1.5, patience=patience)
        return bool(found.get("TTL"))

    def revoke(self, lease: Lease) -> None:
        """End a lease and every key bound to it; it need not be there."""
        try:
            self.gateway.call("lease/revoke", {"ID": lease.id}, patience=2.0, is_last=True)
        except Refused:
            return


def not_leading() -> NotLeading:
    """Return the error for a write that etcd refused, because another hub may lead."""
    return NotLeading(
        "This box no longer leads the fleet.",
        "Its lease in etcd has expired, and another hub may lead now. Nothing was written after that.",
        "No action is needed: the leading hub continues the same order. Check with: certdeck fleet status",
    )


def in_batches(puts: Mapping[str, bytes]) -> list[dict[str, bytes]]:
    """Split writes into transactions that etcd takes."""
    batches: list[dict[str, bytes]] = []
    size = 0
    for key, value in puts.items():
        if not batches or len(batches[-1]) >= OPERATIONS // 2 or size + len(value) > REQUEST_BYTES:
            batches.append({})
            size = 0
        batches[-1][key] = value
        size += len(value)
    return batches


def _values(found: Any) -> list[KeyValue]:
    return [key_value(each) for each in found or ()]


def key_value(each: Mapping[str, Any]) -> KeyValue:
    """Return an entry as the gateway writes it: what is zero or empty is left out."""
    lease = str(each.get("lease", "0"))
    return KeyValue(
        key=b64decode(each.get("key", "")).decode("utf-8", "replace"),
        value=b64decode(each.get("value", "")),
        created=int(each.get("create_revision", 0)),
        modified=int(each.get("mod_revision", 0)),
        lease="" if lease == "0" else lease,
    )


def _encoded(key: str) -> str:
    return _b64(key.encode())


def _b64(data: bytes) -> str:
    return b64encode(data).decode("ascii")
