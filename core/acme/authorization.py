"""Authorizations and their challenges (RFC 8555 §7.1.4, §8): what has to be proven, and how it went.

Statuses and challenge types that are not known here are carried along and shown, never an error by themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from core.acme import problem as problems
from core.acme.session import AcmeSession
from core.acme.wire import Json, object_of, objects_of, plain, text_of
from core.errors import DirectoryInvalid

TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")
"""RFC 8555 §8.3: base64url and nothing else, for it becomes a path."""
OPEN = ("pending", "processing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One way to prove control over one name."""

    identifier: str
    """Without `*.`."""
    wildcard: bool
    type: str
    status: str
    url: str
    token: str
    key_authorization: str = field(repr=False)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    url: str
    identifier: str
    wildcard: bool
    status: str
    challenges: tuple[Challenge, ...]
    """Those with a token."""
    offered: tuple[str, ...]
    """Every type that the CA offers, also those we do not know."""
    problem: problems.Problem | None = None
    """Of the challenge that failed."""

    @property
    def name(self) -> str:
        """The name as it was ordered."""
        return f"*.{self.identifier}" if self.wildcard else self.identifier


def fetch(session: AcmeSession, url: str) -> Authorization:
    """Return the authorization as the CA has it now."""
    source = session.post(url, None).json
    identifier = object_of(source, "identifier") or {}
    name, status = text_of(identifier, "value"), text_of(source, "status")
    if name is None or status is None:
        raise DirectoryInvalid(
            f"{session.issuer} answered with an authorization that is none.",
            "It has no identifier or no status (RFC 8555 §7.1.4).",
            "Check the directory URL, and whether a proxy changes the traffic; else tell the CA's support.",
        )
    name, wildcard = plain(name, 253).removeprefix("*."), source.get("wildcard") is True or name.startswith("*.")
    offered = objects_of(source, "challenges")
    errors = [error for challenge in offered if (error := object_of(challenge, "error"))]
    return Authorization(
        url=url,
        identifier=name,
        wildcard=wildcard,
        status=plain(status, 40),
        challenges=tuple(
            made for challenge in offered if (made := _challenge(session, challenge, name, wildcard)) is not None
        ),
        offered=tuple(plain(challenge.get("type"), 60) for challenge in offered),
        problem=problems.parse(errors[0]) if errors else None,
    )


def _challenge(session: AcmeSession, source: Json, name: str, wildcard: bool) -> Challenge | None:
    token, url, kind = (text_of(source, key) for key in ("token", "url", "type"))
    if token is None or url is None or kind is None or not TOKEN.fullmatch(token):
        return None
    return Challenge(
        identifier=name,
        wildcard=wildcard,
        type=plain(kind, 60),
        status=plain(text_of(source, "status") or "pending", 40),
        url=url,
        token=token,
        key_authorization=session.key.key_authorization(token),
    )
