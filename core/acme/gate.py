"""The scope of a CA's rate limit, and the gate that a session passes before each request.

A refusal because of a limit closes a kind of request, unless the CA says clearly that it concerns one set of names or one domain.
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

_ONE_SET = (
    r"(?i)exact set of|duplicate certificate|failed authorizations|paused|temporarily prevented from requesting certificates for"
    r"|#new-certificates-per-exact-set|#(consecutive-)?authorization-failures"
)
"""Boulder's messages and links for limits of one set of names or one host name (ratelimits/limiter.go, 2026-08)."""
_ONE_DOMAIN = r"(?i)already issued for:? \"?((?:[a-z0-9-]+\.)+[a-z0-9-]+)\"?"
_RETRY_AFTER = r"retry after (\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d) ?(?:UTC|Z)"


class Reach(Struct, frozen=True):
    """The scope of a limit."""

    is_closing: bool
    """False: only the refused order has to wait."""
    domain: str = ""
    """Only orders for this domain and names below it; empty: all requests of the kind."""


def reach_of(problem: Problem) -> Reach:
    """Return the scope of a refusal. In doubt, it is the whole kind of request."""
    if (
        re.search(_ONE_SET, problem.detail)
        or problem.identifier
        or any(each.identifier for each in problem.subproblems)
    ):
        return Reach(is_closing=False)
    found = re.search(_ONE_DOMAIN, problem.detail)
    return Reach(is_closing=True, domain=found[1].lower() if found else "")


def time_in(problem: Problem, skew: timedelta | None) -> datetime | None:
    """Return the time in the CA's message, by our clock; None if it names none. `skew`: our clock minus the CA's."""
    found = re.search(_RETRY_AFTER, problem.detail)
    if found is None:
        return None
    try:
        return datetime.fromisoformat(found[1]).replace(tzinfo=UTC) + (skew or timedelta())
    except ValueError:
        return None


class Gate(Protocol):
    """Holds requests back that a CA would refuse. Thread-safe."""

    def enter(self, kind: RequestKind, names: Sequence[str], *, replaces: bool = False) -> None:
        """Return when a request of that kind may be sent. May block for seconds. Raises RateLimited if it is closed.

        `replaces`: an order names the certificate that it replaces.
        """

    def ordered(self, names: Sequence[str]) -> None:
        """Record that the CA accepted an order for these names."""

    def answered(self, kind: RequestKind) -> None:
        """Record that the CA accepted such a request."""

    def unanswered(self, kind: RequestKind) -> None:
        """Record that a request that was let through failed, so that nothing is known."""

    def refused(self, kind: RequestKind, until: datetime, domain: str, said: str) -> None:
        """Close a kind of request until then. `said`: the CA's message."""


class OpenGate:
    """A gate without limits, for sessions that keep none."""

    def enter(self, kind: RequestKind, names: Sequence[str], *, replaces: bool = False) -> None:
        """Let every request pass."""

    def ordered(self, names: Sequence[str]) -> None:
        """Do nothing."""

    def answered(self, kind: RequestKind) -> None:
        """Do nothing."""

    def unanswered(self, kind: RequestKind) -> None:
        """Do nothing."""

    def refused(self, kind: RequestKind, until: datetime, domain: str, said: str) -> None:
        """Do nothing."""
