"""Authorizations and their challenges (RFC 8555 §7.1.4, §8): what has to be validated, and the result.

Unknown challenge types are kept and shown; they are not an error.
"""

from __future__ import annotations

import re

from msgspec import Struct

from core.acme import problem as problems
from core.acme.session import AcmeSession
from core.acme.wire import Json, object_of, objects_of, plain, text_of, texts_of
from core.concealed import Concealed
from core.dns.names import DNS_PERSIST01
from core.errors import DirectoryInvalid

TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")
"""RFC 8555 §8.3: only base64url characters, because it becomes a path."""
DOMAIN = re.compile(r"[A-Za-z0-9._-]{1,253}")
"""An issuer's domain name, which becomes part of a record."""
OPEN = ("pending", "processing")
DEAD = frozenset({"invalid", "expired", "deactivated", "revoked"})
"""Final statuses in which an authorization, and any order that needs it, has failed."""
STATUSES = frozenset({*OPEN, "valid"}) | DEAD
"""RFC 8555 §7.1.6."""


class Challenge(Concealed, Struct, frozen=True, kw_only=True):
    """One way to prove control over one name."""

    identifier: str
    """Without `*.`."""
    wildcard: bool
    type: str
    status: str
    url: str
    token: str
    """Empty for dns-persist-01, which has none."""
    key_authorization: str
    account_url: str = ""
    issuer_domain_names: tuple[str, ...] = ()
    """Issuer names that a dns-persist-01 record may begin with."""
    authorization: str = ""
    """URL of the authorization that it belongs to."""
    problem: problems.Problem | None = None
    """The latest error; the CA may retry while the challenge is open."""

    @property
    def name(self) -> str:
        """The name as it was ordered."""
        return f"*.{self.identifier}" if self.wildcard else self.identifier


class Authorization(Struct, frozen=True, kw_only=True):
    """An authorization as the CA reports it (RFC 8555 §7.1.4)."""

    url: str
    identifier: str
    wildcard: bool
    status: str
    challenges: tuple[Challenge, ...]
    """The challenges that can be answered."""
    offered: tuple[str, ...]
    """All types that the CA offers, including unknown ones."""
    problem: problems.Problem | None = None
    """The problem of the failed challenge."""
    failed_type: str = ""
    """The type of the failed challenge."""

    @property
    def is_dead(self) -> bool:
        return self.status in DEAD

    @property
    def name(self) -> str:
        """The name as it was ordered."""
        return f"*.{self.identifier}" if self.wildcard else self.identifier


def fetch(session: AcmeSession, url: str) -> Authorization:
    """Return the current state of the authorization."""
    reply = session.post(url, None)
    source = reply.json
    identifier = object_of(source, "identifier") or {}
    name, status = text_of(identifier, "value"), text_of(source, "status")
    if name is None or status is None:
        raise DirectoryInvalid(
            f"{session.issuer} returned an invalid authorization.",
            f"It has no identifier or no status (RFC 8555 §7.1.4). {problems.quoted(reply)}",
            "Check the directory URL, and whether a proxy alters the traffic. If neither is the cause, contact the CA's support.",
        )
    if status not in STATUSES:
        raise DirectoryInvalid(
            f"{session.issuer} returned an invalid authorization.",
            f"It has the status {plain(status, 40)}, which ACME does not define (RFC 8555 §7.1.6). {problems.quoted(reply)}",
            "Check the directory URL, and whether a proxy alters the traffic. If neither is the cause, contact the CA's support.",
        )
    name, wildcard = plain(name, 253).removeprefix("*."), source.get("wildcard") is True or name.startswith("*.")
    offered = objects_of(source, "challenges")
    errors = [
        (error, plain(challenge.get("type"), 60)) for challenge in offered if (error := object_of(challenge, "error"))
    ]
    return Authorization(
        url=url,
        identifier=name,
        wildcard=wildcard,
        status=status,
        challenges=tuple(
            made for challenge in offered if (made := _challenge(session, url, challenge, name, wildcard)) is not None
        ),
        offered=tuple(plain(challenge.get("type"), 60) for challenge in offered),
        problem=problems.parse(errors[0][0]) if errors else None,
        failed_type=errors[0][1] if errors else "",
    )


def _challenge(session: AcmeSession, authorization: str, source: Json, name: str, wildcard: bool) -> Challenge | None:
    error = object_of(source, "error")
    token, url, kind = (text_of(source, key) for key in ("token", "url", "type"))
    if url is None or kind is None or (kind != DNS_PERSIST01 and not TOKEN.fullmatch(token or "")):
        return None
    return Challenge(
        identifier=name,
        wildcard=wildcard,
        type=plain(kind, 60),
        status=plain(text_of(source, "status") or "pending", 40),
        url=url,
        token=token or "",
        key_authorization=session.key.key_authorization(token or ""),
        account_url=session.kid or "",
        issuer_domain_names=tuple(
            plain(each, 253).lower() for each in texts_of(source, "issuer-domain-names") if DOMAIN.fullmatch(each)
        ),
        authorization=authorization,
        problem=problems.parse(error) if error else None,
    )
