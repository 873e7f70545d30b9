"""HTTP without a network: answers that the test lays out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.ports import CancelToken, Response, TransportFailure


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that was sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None


Answer = Response | TransportFailure | Callable[[Asked], Response]


def reply(status: int = 200, body: object = b"", **headers: str) -> Response:
    """Make an answer: bytes as they are, text encoded, anything else as JSON. `retry_after="3"` is the header retry-after."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, bytes):
        content = body
    elif isinstance(body, str):
        content = body.encode()
    else:
        content = json.dumps(body).encode()
        named.setdefault("content-type", "application/json")
    return Response(status=status, headers=named, body=content)


class CannedTransport:
    """Gives one answer after the other; the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.asked: list[Asked] = []
        self.is_closed = False

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
        asked = Asked(method, url, headers, body)
        self.asked.append(asked)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, TransportFailure):
            raise answer
        return answer(asked) if callable(answer) else answer

    def close(self) -> None:
        self.is_closed = True
