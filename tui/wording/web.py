"""Wording about the web settings of a target, for both front ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from core.web.answers import HeaderSeen
    from core.web.shown import Listener

STATES: Final[Mapping[str, str]] = {
    "applied": "The settings are applied.",
    "outdated": "The settings are applied, but not up to date.",
    "absent": "The settings are not applied.",
}
REDIRECTS: Final[Mapping[str, str]] = {
    "redirected": "is redirected to HTTPS",
    "missing": "is served without a redirect to HTTPS",
    "challenge-redirected": "is redirected to HTTPS, including the HTTP-01 challenge",
    "closed": "gets no response",
    "unknown": "was not checked: the target has no probe",
}


def headers_words(listener: Listener) -> str:
    """Return in a few words which headers of an address are wrong."""
    wrong = [f"{each.name} {each.state}" for each in listener.headers if each.state != "ok"]
    return ", ".join(wrong) if wrong else "sends every header"


def header_words(header: HeaderSeen) -> str:
    """Return the state of one header, to show after its name."""
    seen = " and ".join(header.seen)
    match header.state:
        case "missing":
            return f"missing; it should be {header.wanted}"
        case "doubled":
            return f"sent {len(header.seen)} times: {seen}; another part of the configuration sets it too"
        case "different":
            return f"is {seen}; it should be {header.wanted}"
        case "unwanted":
            return f"is sent, and should not be: {seen}"
    return seen or "not sent, as it should be"
