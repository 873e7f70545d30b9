"""Errors for failed orders: which names failed, in the CA's words and in ours."""

from __future__ import annotations

from collections.abc import Sequence

from core.acme import authorization as authorizations
from core.acme import problem as problems
from core.acme.authorization import Authorization
from core.acme.near_or_far import request_each
from core.acme.order import Order
from core.acme.session import AcmeSession
from core.dns.names import DNS_CHALLENGES
from core.errors import AuthorizationFailed, IssuerError
from core.events import ChallengeFailed, Narrator
from core.text import listed

NAMED = 3
"""How many names an error lists; all of them are in its details."""


SEEN_IN_THE_DNS = frozenset({"unauthorized", "incorrectResponse", "dns", "connection"})
"""Problems whose usual advice is about a web server, but whose cause is in DNS if a TXT record was validated."""
DNS_FIX = (
    "Run `certdeck doctor` for these names: it asks each name server of the zone. Servers in other regions, or at a "
    "second DNS provider of the zone, may not have had the record yet. The next attempt creates an order with new values."
)


def of_order(session: AcmeSession, order: Order, narrator: Narrator) -> IssuerError:
    """Return the error for an `invalid` order, after fetching each authorization."""
    found = request_each(session.clock, lambda url: authorizations.fetch(session, url), order.authorizations)
    failed = [one for one in found if one.status not in ("valid", "pending") or one.problem is not None]
    if failed:
        return of_authorizations(session, failed, narrator)
    if order.error is not None:
        return problems.error_for(order.error, issuer=session.issuer)
    return AuthorizationFailed(
        f"{session.issuer} ended the order.",
        f"Its status is {order.status}, and the CA gave no reason.",
        "Try again. If the problem persists, send the URL of the order to the CA's support.",
        details={"order": order.url, "problems": {}},
    )


def of_authorizations(session: AcmeSession, failed: Sequence[Authorization], narrator: Narrator) -> IssuerError:
    """Return the error for names whose validation failed, and report each of them."""
    facts: dict[str, object] = {}
    explained: dict[str, list[str]] = {}
    """Names by their explanation: a cause that several names share is explained once."""
    fixes = []
    for one in failed:
        problem = one.problem or problems.Problem(type="", detail=f"The authorization is {one.status}.", status=0)
        what, why, fix = problems.explain(problem) if one.problem else _without_reason(one)
        facts[one.name] = problem.facts()
        if one.failed_type in DNS_CHALLENGES and problem.word in SEEN_IN_THE_DNS:
            fix = DNS_FIX
        explained.setdefault(f"{session.issuer} {what} {why}", []).append(one.name)
        fixes.append(fix)
        narrator.tell(ChallengeFailed(identifier=one.name, problem=problem.detail or problem.word))
    whys = [f"{listed(names, NAMED)}: {why}" for why, names in explained.items()]
    return AuthorizationFailed(
        f"{session.issuer} could not validate {listed([one.name for one in failed], NAMED)}.",
        " ".join(whys[:NAMED]),
        " ".join(dict.fromkeys(fixes)),
        details={"problems": facts},
    )


def not_offered(session: AcmeSession, authorization: Authorization, type: str) -> AuthorizationFailed:
    """Return the error for a name that the CA does not validate by `type`."""
    offered = ", ".join(dict.fromkeys(authorization.offered)) or "nothing"
    return AuthorizationFailed(
        f"{session.issuer} does not validate {authorization.name} by {type}.",
        f"For this name it offers {offered}."
        + (" Wildcards can be validated only through DNS." if authorization.wildcard and type != "dns-01" else ""),
        "Choose one of these challenges for this name, or use another issuer.",
        details={"problems": {authorization.name: {"type": "", "detail": f"offered: {offered}"}}},
    )


def _without_reason(one: Authorization) -> tuple[str, str, str]:
    if one.status != "invalid":
        return (
            f"ended the authorization: its status is {one.status}.",
            "It may have expired.",
            "Try again: certdeck creates a new order.",
        )
    where = (
        "what the name servers return"
        if one.failed_type in DNS_CHALLENGES
        else "which server responds on port 80 of the name"
    )
    return (
        "rejected the challenge response.",
        "The CA gave no reason.",
        f"Run `certdeck doctor` for these names and check {where}; the CA's log may have details.",
    )
