"""Each exchange with a CA or a DNS provider as a file without secrets, for debugging (`[log] save_requests`).

`log/requests/TIME-NUMBER-HOST.txt`, 0600, kept for some days. Of headers only those known to be harmless keep their values; in
URL and body, what the vault holds and what stands where secrets stand is taken out (`core.redaction`). The signed requests of
ACME are shown decoded, without their signatures. Failing to write one never fails the request.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, timedelta
from functools import cached_property
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from msgspec.structs import replace

from core.errors import CertdeckError
from core.paths import Paths
from core.ports import CancelToken, Environment, Response, Transport, TransportFailure
from core.redaction import REMOVED, redacted, secret_forms
from core.store.atomic import make_dir
from core.store.vault import Vault

SUFFIX = ".txt"
_LONGEST_BODY = 64 * 1024
_MOST_FILES = 2_000
_HARMLESS = frozenset(
    [
        "accept",
        "accept-encoding",
        "age",
        "allow",
        "cache-control",
        "cf-ray",
        "connection",
        "content-encoding",
        "content-language",
        "content-length",
        "content-type",
        "date",
        "etag",
        "expires",
        "link",
        "location",
        "replay-nonce",
        "retry-after",
        "server",
        "transfer-encoding",
        "user-agent",
        "vary",
        "x-amzn-requestid",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-request-id",
    ]
)
_numbers = count(1)


def recorded(env: Environment, paths: Paths, days: int) -> Environment:
    """Return the environment with transports that keep each exchange for `days`; what is older goes now."""
    recorder = _Recorder(env, paths)
    prune(env, paths, days)
    return replace(env, transport=lambda bundle: _Recording(env.transport(bundle), recorder))


def prune(env: Environment, paths: Paths, days: int) -> None:
    """Remove exchanges that are older than `days`, and the oldest of too many. Never raises."""
    oldest = f"{env.clock.now() - timedelta(days=days):%Y%m%dT%H%M%S}"
    with suppress(OSError):
        names = sorted(name for name in os.listdir(paths.exchanges) if name.endswith(SUFFIX))
        for name in names[: max(0, len(names) - _MOST_FILES)] + [name for name in names if name < oldest]:
            with suppress(FileNotFoundError):
                (paths.exchanges / name).unlink()


class _Recorder:
    """Writes the files, knowing what is secret here."""

    def __init__(self, env: Environment, paths: Paths) -> None:
        self._env = env
        self._paths = paths
        self._lock = threading.Lock()

    @cached_property
    def _secrets(self) -> tuple[str, ...]:
        return tuple(_known_secrets(self._paths, self._env))

    def write(self, url: str, lines: list[str]) -> None:
        """Keep one exchange. Never raises."""
        now = self._env.clock.now().astimezone(UTC)
        host = re.sub(r"[^A-Za-z0-9.-]", "_", urlsplit(url).hostname or "unknown")[:80]
        path = self._paths.exchanges / f"{now:%Y%m%dT%H%M%S}-{os.getpid()}-{next(_numbers):04}-{host}{SUFFIX}"
        with suppress(OSError, CertdeckError), self._lock:
            text = redacted("\n".join([f"{now:%Y-%m-%d %H:%M:%S} UTC", *lines, ""]), self._secrets)
            make_dir(path.parent)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(handle, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)


class _Recording:
    """The port `Transport` over another one."""

    def __init__(self, inner: Transport, recorder: _Recorder) -> None:
        self._inner = inner
        self._recorder = recorder

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeout: float = 30.0,
        cancel: CancelToken | None = None,
    ) -> Response:
        asked = [f"{method} {_url(url)}", *_headers(headers), "", _body(body)]
        try:
            reply = self._inner.request(method, url, headers=headers, body=body, timeout=timeout, cancel=cancel)
        except TransportFailure as exc:
            self._recorder.write(url, [*asked, "", f"no response ({exc.kind}): {exc}"])
            raise
        said = [f"{reply.status}", *_headers(reply.headers), "", _body(reply.body)]
        self._recorder.write(url, [*asked, "", *said])
        return reply

    def close(self) -> None:
        self._inner.close()


def _known_secrets(paths: Paths, env: Environment) -> Iterator[str]:
    vault = Vault(paths, env)
    with suppress(CertdeckError):
        for name in vault.names():
            with suppress(CertdeckError):
                yield from secret_forms(vault.get(name))


def _url(url: str) -> str:
    """Return a URL whose query shows only the names of its parameters: some providers take their keys there."""
    before, mark, query = url.partition("?")
    return before + mark + re.sub(r"=[^&]*", f"={REMOVED}", query)


def _headers(headers: Mapping[str, str]) -> list[str]:
    return [f"{name}: {value if name.lower() in _HARMLESS else REMOVED}" for name, value in headers.items()]


def _body(body: bytes | None) -> str:
    if not body:
        return ""
    text = body[:_LONGEST_BODY].decode("utf-8", "replace")
    return _decoded(text) or text


def _decoded(text: str) -> str:
    """Return a JWS (RFC 7515) of ACME as the objects that were signed; empty for anything else."""
    try:
        signed = json.loads(text)
        parts = {name: _inner(signed[name]) for name in ("protected", "payload")}
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        return ""
    payload = parts["payload"]
    if isinstance(payload, dict) and isinstance(payload.get("externalAccountBinding"), dict):
        parts["payload"] = {**payload, "externalAccountBinding": REMOVED}
    return json.dumps(parts, indent=1)


def _inner(text: str) -> object:
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return json.loads(raw) if raw else ""


def files(paths: Paths, most: int = 100) -> list[Path]:
    """Return the newest exchanges that are kept, the newest last."""
    try:
        return [paths.exchanges / name for name in sorted(os.listdir(paths.exchanges)) if name.endswith(SUFFIX)][-most:]
    except OSError:
        return []
