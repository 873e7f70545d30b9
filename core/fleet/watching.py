"""Waits for changes in etcd: one stream watches several ranges, and resumes after an interruption.

A stream only tells *that* something changed, and at which revision. The caller then reads the range itself. So a stream that was
compacted, refused or cut is only a reason to read again, and nothing is lost between two streams.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from types import TracebackType
from typing import Any, Self

from core.fleet.etcd import Etcd
from core.fleet.gateway import refusal
from core.fleet.layout import after
from core.fleet.values import b64
from core.fleet_errors import FleetDenied
from core.ports import CancelToken, Environment, TransportFailure

IDLE_SECONDS = 300.0
"""Silence after which a stream is reopened: a paused member or a dead network path is silent too. Opening one costs about 2.6 kB
with TLS, and a device has two streams. At this interval an idle device uses about 1.5 KiB a minute."""
LONG_SECONDS = 60.0
"""Waits longer than this close all connections except the stream: keep-alives of an idle connection cost more than a new one."""
PAUSES_SECONDS = (1.0, 2.0, 5.0, 15.0)
"""Pauses before a stream is reopened after consecutive failures: a thousand devices must not overload an etcd without a quorum."""


class Watch:
    """Watches the keys with some prefixes, and reopens its stream when needed. A context manager, for one thread.

    The stream stays open while the caller works. The next wait reports changes from that time.
    """

    def __init__(
        self,
        etcd: Etcd,
        env: Environment,
        prefixes: Sequence[str],
        cancel: CancelToken,
        *,
        idle: float = IDLE_SECONDS,
    ) -> None:
        self._etcd = etcd
        self._longest = idle
        self._clock = env.clock
        self._random = env.random
        self._prefixes = tuple(prefixes)
        self._cancel = cancel
        self._stream: Generator[int] | None = None
        self._idle = 0.0
        self._failures = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def wait(self, revision: int, seconds: float | None = None) -> bool:
        """Wait until something changes after a revision of the store. False: `seconds` passed without a change.

        A stream that ended, could not be opened or was silent for too long is reopened at another member.

        Raises FleetError, Cancelled.
        """
        ends = None if seconds is None else self._clock.monotonic() + seconds
        if seconds is None or seconds > LONG_SECONDS:
            self._etcd.gateway.close_idle()
        is_denied = False
        while True:
            try:
                if self._changes_after(revision, ends):
                    return True
            except TransportFailure as exc:
                self._close()
                if exc.kind == "timeout" and ends is not None and self._clock.monotonic() >= ends:
                    return False  # nothing changed
                self._etcd.gateway.leave_member()
                if exc.kind != "timeout":
                    self._pause(ends)
            except FleetDenied:
                self._close()
                if is_denied:
                    raise
                is_denied = True  # the login may have expired: the next stream uses a new one
            if ends is not None and self._clock.monotonic() >= ends:
                return False

    def _changes_after(self, revision: int, ends: float | None) -> bool:
        """Read the stream until it reports a change or ends."""
        left = self._longest if ends is None else min(max(ends - self._clock.monotonic(), 0.1), self._longest)
        if self._stream is not None and self._idle > left:
            self._close()  # its silence may last longer than this wait
        if self._stream is None:
            self._idle = left
            self._stream = changes(self._etcd, self._prefixes, revision, self._cancel, idle=left)
        for seen in self._stream:
            self._failures = 0
            if seen > revision:
                return True
        self._close()
        self._etcd.gateway.leave_member()
        self._pause(ends)
        return False

    def _pause(self, ends: float | None) -> None:
        pause = PAUSES_SECONDS[min(self._failures, len(PAUSES_SECONDS) - 1)] * self._random.uniform(0.5, 1.5)
        self._failures += 1
        left = pause if ends is None else min(pause, ends - self._clock.monotonic())
        if left > 0:
            self._clock.sleep(left, self._cancel)

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def changes(
    etcd: Etcd, prefixes: Sequence[str], revision: int, cancel: CancelToken, *, idle: float = IDLE_SECONDS
) -> Generator[int]:
    """Yield the store's revision whenever a key with one of the prefixes changes after `revision`.

    Ends when the stream ends. A compacted revision counts as a change.

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
    for line in etcd.gateway.lines("watch", "".join(asked).encode(), idle=idle, cancel=cancel):
        value = _parsed(line)
        result = value.get("result")
        if not isinstance(result, dict):
            error = refusal(value)
            if error.grpc == 16 or "auth" in error.said:
                etcd.gateway.forget_token()
            return
        if result.get("canceled"):
            if result.get("compact_revision"):
                yield max(int(result["compact_revision"]), int(result.get("header", {}).get("revision", 0)))
                return
            etcd.gateway.forget_token()
            raise FleetDenied(
                "etcd ended the watch for changes.",
                f"etcd says: {result.get('cancel_reason') or 'no reason'}.",
                "Check on a hub that this box is still in the fleet: certdeck fleet devices",
            )
        if result.get("events"):
            yield int(result.get("header", {}).get("revision", revision))


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
