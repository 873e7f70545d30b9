"""Waiting for changes in etcd: one stream for several ranges, taken up again where it broke off.

A stream tells only *that* something changed, and as of which revision; whoever waits reads the range itself then. So a stream that
was compacted, refused or cut is no more than a reason to read again, and nothing is lost between two streams.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from core.errors import FleetDenied
from core.fleet.etcd import Etcd
from core.fleet.gateway import refusal
from core.fleet.layout import after
from core.fleet.values import b64
from core.ports import CancelToken, StreamTransport, TransportFailure

IDLE_SECONDS = 300.0
"""Silence after which a stream is opened anew: a paused member and a dead path say nothing either. One opening costs some 2.6 kB
with TLS, and a device has two streams; this keeps one that has nothing to do near 1.5 KiB a minute."""


def changes(
    etcd: Etcd,
    lines: StreamTransport,
    prefixes: Sequence[str],
    revision: int,
    cancel: CancelToken,
    *,
    idle: float = IDLE_SECONDS,
) -> Iterator[int]:
    """Yield the store's revision whenever something with one of the prefixes has changed after `revision`.

    Ends when the stream ends. What was compacted counts as a change. A member whose stream could not be opened, broke or was silent
    for too long is left: the next stream is one of another member.

    Raises TransportFailure, FleetDenied (`fleet-denied`), FleetError, Cancelled.
    """
    asked = [
        json.dumps(
            {
                "create_request": {
                    "key": b64(prefix.encode()),
                    "range_end": b64(after(prefix.encode())),
                    "start_revision": str(revision + 1),
                    "fragment": True,
                }
            }
        )
        for prefix in prefixes
    ]
    url = f"{etcd.gateway.next_member()}/v3/watch"
    body = "".join(asked).encode()
    for line in _lines(etcd, lines, url, body, idle, cancel):
        value = _parsed(line)
        result = value.get("result")
        if not isinstance(result, dict):
            error = refusal(value)
            if error.code == 16 or "auth" in str(error):
                etcd.gateway.forget_token()
            return
        if result.get("canceled"):
            if result.get("compact_revision"):
                yield int(result.get("header", {}).get("revision", revision))
                return
            etcd.gateway.forget_token()
            raise FleetDenied(
                "etcd ended the watch for changes.",
                f"etcd says: {result.get('cancel_reason') or 'no reason'}.",
                "Check on a hub that this box is still in the fleet: certdeck fleet devices",
            )
        if result.get("events"):
            yield int(result.get("header", {}).get("revision", revision))


def _lines(
    etcd: Etcd, lines: StreamTransport, url: str, body: bytes, idle: float, cancel: CancelToken
) -> Iterator[bytes]:
    try:
        yield from lines.lines(url, headers=etcd.gateway.headers(), body=body, idle=idle, cancel=cancel)
    except TransportFailure:
        etcd.gateway.leave_member()
        raise


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
