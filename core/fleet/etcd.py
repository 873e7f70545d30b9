"""Keys, transactions and leases of etcd as Python calls. Each write can safely be sent twice, and is read back in that case."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from core.fleet.gateway import Gateway, Refused
from core.fleet.layout import LEADER, after
from core.fleet_errors import FleetConflict, NotLeading

PAGE = 200
"""Keys in one response: a body is limited to 4 MiB, and a delivery has about 8 KiB."""
OPERATIONS = 100
"""Most writes in one transaction, besides guards and reads. etcd accepts 128."""
REQUEST_BYTES = 1_000_000
"""Most bytes of values in one transaction. etcd accepts requests of 1.5 MiB, and base64 adds a third."""


class KeyValue(Struct, frozen=True):
    """An entry of etcd. Its repr shows no value."""

    key: str
    value: bytes
    created: int
    """The store's revision at which the key was created."""
    modified: int
    lease: str = ""
    """Id of its lease. Empty: none."""

    def __repr__(self) -> str:
        return f"KeyValue({self.key})"


class Guard(Struct, frozen=True):
    """Condition for a write: the key was created, or last modified, at this revision. 0: the key does not exist."""

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
        """Return the current entry, by a linearizable read. None: the key does not exist."""
        return self.get_with_revision(key)[0]

    def get_with_revision(self, key: str) -> tuple[KeyValue | None, int]:
        """Return the current entry, and the revision of the store at which it was read."""
        found = self.gateway.call("kv/range", {"key": _encoded(key)})
        return next(iter(_values(found.get("kvs"))), None), int(found.get("header", {}).get("revision", 0))

    def get_many(self, keys: Sequence[str]) -> dict[str, KeyValue]:
        """Return the entries that exist for these keys. One request reads 100 keys, all at one revision."""
        found: dict[str, KeyValue] = {}
        for at in range(0, len(keys), OPERATIONS):
            asked = [{"request_range": {"key": _encoded(key)}} for key in keys[at : at + OPERATIONS]]
            answer = self.gateway.call("kv/txn", {"success": asked}, try_seconds=10.0)
            for each in answer.get("responses", ()):
                found |= {entry.key: entry for entry in _values(each.get("response_range", {}).get("kvs"))}
        return found

    def range(self, prefix: str) -> tuple[list[KeyValue], int]:
        """Return every entry with a prefix, in key order and all at one revision, and that revision."""
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
        """Return the names of all keys with a prefix, without their values."""
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
        """Write everything in one transaction if every guard holds. `is_last`: write even after a request to stop.

        Raises NotLeading (`not-leading`) if the guard on the leader's key fails; FleetConflict (`fleet-conflict`) if another
        guard fails.
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
        # A try whose answer was lost may have succeeded: then the current values are ours.
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
        """Write a key that no other box writes."""
        self.gateway.call("kv/put", {"key": _encoded(key), "value": _b64(value), **({"lease": lease} if lease else {})})

    def delete_prefix(self, prefix: str) -> None:
        first = prefix.encode()
        self.gateway.call("kv/deleterange", {"key": _b64(first), "range_end": _b64(after(first))})

    # -- leases --------------------------------------------------------------------------------------------------------

    def grant(self, seconds: int) -> Lease:
        found = self.gateway.call("lease/grant", {"TTL": str(seconds)})
        return Lease(str(found["ID"]), int(found.get("TTL", seconds)))

    def keep_alive(self, lease: Lease, *, patience: float) -> bool:
        """Renew a lease. False: it has expired."""
        found = self.gateway.call("lease/keepalive", {"ID": lease.id}, try_seconds=1.5, patience=patience)
        return bool(found.get("TTL"))

    def revoke(self, lease: Lease) -> None:
        """Revoke a lease, which deletes every key bound to it. The lease need not exist."""
        try:
            self.gateway.call("lease/revoke", {"ID": lease.id}, patience=2.0, is_last=True)
        except Refused:
            return


def not_leading() -> NotLeading:
    """Return the error for a write that etcd refused because another hub may lead."""
    return NotLeading(
        "This box no longer leads the fleet.",
        "Its lease in etcd has expired, and another hub may lead now. Nothing was written after that.",
        "No action is needed: the leading hub continues the same order. Check with: certdeck fleet status",
    )


def in_batches(puts: Mapping[str, bytes]) -> list[dict[str, bytes]]:
    """Split writes into transactions of a size that etcd accepts."""
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
    """Parse an entry of the gateway's JSON, which omits fields that are zero or empty."""
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
