"""How far a CA's limit reaches, and what a session asks before each request.

A refusal with a limit closes a kind of request, unless the CA says clearly that it concerns one set of names or one domain.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from msgspec import Struct

from core.acme.problem import Problem
from core.request_kind import RequestKind

USUAL_LIMIT = timedelta(hours=1)
"""For a CA that names no time. Let's Encrypt's shortest long limit refills in minutes, its longest in days."""

_ONE_SET = re.compile(
    r"exact set of|duplicate certificate|failed authorizations|paused|temporarily prevented from requesting certificates for"
    r"|#new-certificates-per-exact-set|#(consecutive-)?authorization-failures",
    re.IGNORECASE,
)
"""Boulder's words and links for limits of one set of names or one host name (ratelimits/limiter.go, 2026-08)."""
_ONE_DOMAIN = re.compile(r"already issued for:? \"?((?:[a-z0-9-]+\.)+[a-z0-9-]+)\"?", re.IGNORECASE)
_RETRY_AFTER = re.compile(r"retry after (\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d) ?(?:UTC|Z)")


class Reach(Struct, frozen=True):
    """What a limit closes."""

    is_closing: bool
    """False: only who was refused has to wait."""
    domain: str = ""
    """Only orders for this domain and below; empty: everything of the kind."""


def reach_of(problem: Problem) -> Reach:
    """Return how far a refusal reaches. In doubt it closes the whole kind of request."""
    if _ONE_SET.search(problem.detail) or problem.identifier or any(each.identifier for each in problem.subproblems):
        return Reach(is_closing=False)
    found = _ONE_DOMAIN.search(problem.detail)
    return Reach(is_closing=True, domain=found[1].lower() if found else "")


def time_in(problem: Problem, skew: timedelta | None) -> datetime | None:
    """Return the time that the CA's words name, by our clock; None where they name none. `skew`: our clock minus the CA's."""
    found = _RETRY_AFTER.search(problem.detail)
    if found is None:
        return None
    try:
        return datetime.fromisoformat(found[1]).replace(tzinfo=UTC) + (skew or timedelta())
    except ValueError:
        return None


class Gate(Protocol):
    """Keeps requests back that a CA would refuse. Thread-safe."""

    def enter(self, kind: RequestKind, names: Sequence[str], *, replaces: bool = False) -> None:
        """Return when a request of that kind may be sent. May block for seconds. Raises RateLimited where it is closed.

        `replaces`: an order names the certificate that it replaces.
        """

    def ordered(self, names: Sequence[str]) -> None:
        """Be told that the CA took an order for these names."""

    def answered(self, kind: RequestKind) -> None:
        """Be told that the CA took such a request."""

    def unanswered(self, kind: RequestKind) -> None:
        """Be told that a request that was let in came to nothing, so that nothing is known."""

    def refused(self, kind: RequestKind, until: datetime, domain: str, said: str) -> None:
        """Close a kind of request until then."""


class OpenGate:
    """Where nobody keeps limits."""

    def enter(self, kind: RequestKind, names: Sequence[str], *, replaces: bool = False) -> None:
        """Let everything pass."""

    def ordered(self, names: Sequence[str]) -> None:
        """Keep nothing."""

    def answered(self, kind: RequestKind) -> None:
        """Keep nothing."""

    def unanswered(self, kind: RequestKind) -> None:
        """Keep nothing."""

    def refused(self, kind: RequestKind, until: datetime, domain: str, said: str) -> None:
        """Keep nothing."""
