"""The other side of a webhook, in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping

from core.ports import CancelToken, Response, TransportFailure
from tests.support.transport import Asked, reply


class Receiver:
    """The other side of a webhook: keeps what came, and fails as long as `down` says so."""

    def __init__(self) -> None:
        self.down = False
        self.asked: list[Asked] = []

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
        self.asked.append(Asked(method, url, headers, body))
        if self.down:
            raise TransportFailure("unreachable", "hook.test cannot be reached.")
        return reply(200)

    def close(self) -> None:
        """Nothing is kept open."""

    def told(self) -> list[tuple[str, str | None]]:
        """Return event and certificate of everything that came since the last call."""
        found = [json.loads(asked.body or b"{}") for asked in self.asked]
        self.asked.clear()
        return [(each["event"], each["certificate"]) for value in found for each in value.get("messages", ())]
