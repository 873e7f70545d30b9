"""Client of etcd's v3 JSON gateway: it tries each call on every member, and turns failures into errors of certdeck.

A call that breaks, times out or reaches a member without a leader may have succeeded anyway. So each call here can be sent twice:
reads and lease calls are idempotent, and `core.fleet.etcd` reads the transactions of writes back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.fleet_errors import FleetDenied, FleetError, FleetFull, FleetUnreachable, FleetUntrusted
from core.ports import CancelToken, Clock, Response, StreamTransport, TransportFailure
from core.text import safe_line as cleaned

TRY_SECONDS = 2.0
"""Limit of one try on one member: a paused member keeps connections open without answering."""
PATIENCE_SECONDS = 10.0
"""Limit of all tries: etcd elects a new leader in 1 to 1.5 s, and the members may have to be tried one after the other."""
PAUSE_SECONDS = 0.25

_NOT_FOUND, _DENIED, _FULL, _UNAUTHENTICATED = 5, 7, 8, 16
_BAD_TOKEN = ("invalid auth token", "revision of auth store is old", "user name is empty")
_BAD_LOGIN = ("authentication failed", "user name not found", "user name is empty", "invalid user ID or password")


class Refused(FleetError):
    """etcd answered with an error that the caller may have to judge. `grpc`: its gRPC code; `said`: its text, untrusted."""

    code = "fleet-refused"

    def __init__(self, grpc: int, said: str) -> None:
        super().__init__(
            "etcd refused a request.",
            f"etcd says: {cleaned(said)}.",
            "Check etcd's log, and its members with: certdeck fleet status",
        )
        self.grpc = grpc
        self.said = said


class Gateway:
    """The members of one etcd cluster. As thread-safe as its transport. One login token serves all members."""

    def __init__(
        self,
        transport: StreamTransport,
        clock: Clock,
        endpoints: Sequence[str],
        *,
        username: str | None = None,
        password: str | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self.endpoints = tuple(endpoint.rstrip("/") for endpoint in endpoints)
        self._username = username
        self._password = password
        self._cancel = cancel or CancelToken()
        self._token: str | None = None
        self._first = 0
        """Index of the member that answered last: calls and streams start there."""

    def close(self) -> None:
        self._transport.close()

    def call(
        self,
        path: str,
        body: Mapping[str, object],
        *,
        try_seconds: float = TRY_SECONDS,
        patience: float = PATIENCE_SECONDS,
        is_last: bool = False,
    ) -> dict[str, Any]:
        """Send `POST /v3/PATH` until a member answers. `is_last`: send it even after a request to stop.

        Raises:
            Refused: etcd answered with an error that a retry does not change.
            FleetUnreachable (`fleet-unreachable`): no member answered in time, or etcd has no leader.
            FleetUntrusted (`fleet-untrusted`), FleetDenied (`fleet-denied`), FleetFull (`fleet-full`), Cancelled.
        """
        ends = self._clock.monotonic() + patience
        cancel = CancelToken() if is_last else self._cancel
        has_logged_in = False
        while True:
            last: TransportFailure | Refused | None = None
            for turn in range(len(self.endpoints)):
                member = (self._first + turn) % len(self.endpoints)
                try:
                    if self._username is not None and self._token is None:
                        self._token = self._login(member, try_seconds, cancel)
                        has_logged_in = True
                    found = self._once(member, path, body, try_seconds, self._token, cancel)
                    self._first = member
                    return found
                except TransportFailure as exc:
                    last = exc if last is None or exc.kind == "untrusted" else last
                except Refused as exc:
                    if _is_stale_token(exc) and self._username is not None and not has_logged_in:
                        self._token = None
                        last = exc
                        break
                    if not _is_unknown(exc):
                        raise self._in_our_words(exc) from exc
                    last = exc
            if isinstance(last, TransportFailure) and last.kind == "untrusted":
                raise _untrusted(last)
            if isinstance(last, TransportFailure):
                self.leave_member()  # it costs a whole try each time: start the next round at another member
            if self._clock.monotonic() + PAUSE_SECONDS >= ends:
                raise self._unreachable(last)
            self._clock.sleep(PAUSE_SECONDS, cancel)

    def lines(self, path: str, body: bytes, *, idle: float, cancel: CancelToken) -> Iterator[bytes]:
        """Send `POST /v3/PATH` to the member that answered last, and yield the lines of its endless response.

        Raises TransportFailure, FleetError, Cancelled.
        """
        if self._username is not None and self._token is None:
            self.call("kv/range", {"key": "AA=="}, patience=TRY_SECONDS * 2)
        url = f"{self.endpoints[self._first]}/v3/{path}"
        yield from self._transport.lines(url, headers=self._headers(self._token), body=body, idle=idle, cancel=cancel)

    def close_idle(self) -> None:
        """Close idle connections. Streams and the login token stay."""
        self._transport.close_idle()

    def forget_token(self) -> None:
        """Make the next call log in again."""
        self._token = None

    def leave_member(self) -> None:
        """Start at the next member from now on."""
        self._first = (self._first + 1) % len(self.endpoints)

    def member_health(self, endpoint: str) -> str:
        """Return `ok`, or in a few words what is wrong with a member. Raises only Cancelled."""
        index = self.endpoints.index(endpoint)
        try:
            found = self._once(index, "maintenance/status", {}, TRY_SECONDS, self._token, self._cancel)
        except TransportFailure as exc:
            return str(exc)
        except Refused as exc:
            return "ok" if exc.grpc in (_DENIED, 2) and "permission" in exc.said else cleaned(exc.said)
        if not found.get("leader") or found.get("leader") == "0":
            return "it has no leader"
        errors = found.get("errors")
        return cleaned(", ".join(map(str, errors))) if errors else "ok"

    def _login(self, member: int, seconds: float, cancel: CancelToken) -> str:
        body = {"name": self._username, "password": self._password or ""}
        try:
            found = self._once(member, "auth/authenticate", body, seconds, None, cancel)
        except Refused as exc:
            if "authentication is not enabled" in exc.said:
                return ""
            raise
        return str(found.get("token", ""))

    @staticmethod
    def _headers(token: str | None) -> dict[str, str]:
        # With hasleader, a member without a leader answers at once instead of holding the call for seconds.
        headers = {"Content-Type": "application/json", "Grpc-Metadata-hasleader": "true"}
        return {**headers, "Authorization": token} if token else headers

    def _once(
        self,
        member: int,
        path: str,
        body: Mapping[str, object],
        seconds: float,
        token: str | None,
        cancel: CancelToken,
    ) -> dict[str, Any]:
        reply = self._transport.request(
            "POST",
            f"{self.endpoints[member]}/v3/{path}",
            headers=self._headers(token),
            body=json.dumps(body).encode(),
            timeout=seconds,
            cancel=cancel,
        )
        return _read(reply)

    def _in_our_words(self, exc: Refused) -> Exception:
        said = cleaned(exc.said)
        if exc.grpc == _FULL or "database space exceeded" in said:
            return FleetFull(
                "etcd accepts no writes: its database is full.",
                f"etcd says: {said}. Every certificate in service stays as it is.",
                "On etcd, in this order: compact, defragment each member, disarm the alarm (etcdctl alarm disarm).",
            )
        if exc.grpc == _DENIED or "permission denied" in said:
            return FleetDenied(
                "etcd denied access.",
                f"The user {self._username or 'of this box'} has no permission for it. etcd says: {said}.",
                "Approve this box on a hub, or correct [fleet] username. Check with: certdeck fleet status",
            )
        if exc.grpc == _UNAUTHENTICATED or any(each in said for each in (*_BAD_LOGIN, *_BAD_TOKEN)):
            return FleetDenied(
                "etcd refused the login.",
                f"etcd says: {said}."
                if self._username
                else "etcd requires a user name and a password, and this box has none.",
                "Join again with a new ticket (certdeck fleet ticket on a hub): certdeck fleet join --ticket FILE.",
            )
        return exc

    def _unreachable(self, last: Exception | None) -> FleetError:
        where = ", ".join(self.endpoints)
        if isinstance(last, Refused):
            return FleetUnreachable(
                "etcd is not available.",
                f"Most of its members are down or cannot reach each other. etcd says: {cleaned(last.said)}.",
                f"Start the missing members. Certificates in service are not affected. Endpoints tried: {where}.",
            )
        return FleetUnreachable(
            "No member of etcd can be reached.",
            str(last) if last else "None responded.",
            f"Make sure that etcd is running and the network is up. Certificates in service are not affected. "
            f"Endpoints tried: {where}.",
        )


def _untrusted(exc: TransportFailure) -> FleetUntrusted:
    return FleetUntrusted(
        "The certificate of etcd is not trusted.",
        str(exc),
        "Set [fleet] ca_bundle to the CA of etcd's server certificates, and [fleet] endpoints to the names in them.",
    )


def _is_unknown(exc: Refused) -> bool:
    """Tell whether the call may have succeeded, or may succeed on another member."""
    said = exc.said
    return exc.grpc in (4, 13, 14) or (exc.grpc == 2 and "deadline exceeded" in said) or "no leader" in said


def _is_stale_token(exc: Refused) -> bool:
    return exc.grpc == _UNAUTHENTICATED or any(each in exc.said for each in _BAD_TOKEN)


def _read(reply: Response) -> dict[str, Any]:
    try:
        value = json.loads(reply.body)
    except (ValueError, RecursionError):
        value = None
    if reply.status == 200 and isinstance(value, dict) and "error" not in value:
        # Calls that are streams in gRPC wrap their response in `result`.
        inner = value.get("result")
        return inner if isinstance(inner, dict) and set(value) == {"result"} else value
    raise refusal(value, reply.status, reply.body[:200])


def refusal(value: object, status: int = 200, text: bytes = b"") -> Refused:
    """Return the error in a response, in any of the forms that etcd uses."""
    if isinstance(value, dict):
        error = value.get("error")
        inner = error if isinstance(error, dict) else value
        code = inner.get("grpc_code", inner.get("code", 2))
        said = inner.get("message") or (error if isinstance(error, str) else "") or "no reason"
        return Refused(code if isinstance(code, int) else 2, str(said))
    if status in (502, 503, 504):
        return Refused(14, f"HTTP {status}")
    said = text.decode("utf-8", "replace").strip()
    return Refused(2, said or f"the response (HTTP {status}) is not from etcd")
