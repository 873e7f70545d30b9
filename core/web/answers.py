"""Evaluates what a web server sends: headers that are missing or duplicated, plain HTTP without a redirect."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from core.ports import Response
from core.text import safe_line

REDIRECTS = (301, 302, 303, 307, 308)
CHALLENGE = "/.well-known/acme-challenge/certdeck-web"


class HeaderSeen(Struct, frozen=True, kw_only=True):
    """A header as a web server sends it, compared with what is wanted."""

    name: str
    wanted: str | None
    """None: it must not be sent."""
    seen: tuple[str, ...]
    state: str
    """`ok`, `missing`, `doubled`, `different`, `unwanted`."""


def judge(answer: Response, wanted: Sequence[tuple[str, str]], unwanted: Sequence[str]) -> tuple[HeaderSeen, ...]:
    """Return the state of each wanted header, and of each header that must not be sent."""
    result = []
    for name, value in (*wanted, *((name, None) for name in unwanted)):
        seen = tuple(safe_line(text) for key, text in answer.header_lines if key.lower() == name.lower())
        if value is None:
            state = "unwanted" if seen else "ok"
        elif not seen:
            state = "missing"
        elif len(seen) > 1:
            state = "doubled"
        else:
            state = "ok" if seen[0] == value else "different"
        result.append(HeaderSeen(name=name, wanted=value, seen=seen, state=state))
    return tuple(result)


def redirects(answer: Response) -> bool:
    """Return whether a response redirects to HTTPS."""
    to = next((value for key, value in answer.header_lines if key.lower() == "location"), "")
    return answer.status in REDIRECTS and to.lower().startswith("https://")
