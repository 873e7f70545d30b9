"""Problem documents (RFC 8555 §6.7): read tolerantly, turned into the error class and the words they deserve."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.acme.problem_words import FIREWALL, OVER_IPV6, PAUSED, SECONDARY, WORDS, Words
from core.acme.wire import Json, object_of, objects_of, plain, text_of
from core.errors import (
    AccountDeactivated,
    AccountError,
    AcmeProblem,
    AlreadyReplaced,
    EabRequired,
    IssuerError,
    RateLimited,
    TermsNotAgreed,
)

URN = "urn:ietf:params:acme:error:"
DETAIL_LIMIT = 600
SUBPROBLEM_LIMIT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem document, harmless to show."""

    type: str
    """As sent; empty when the answer was no problem document."""
    detail: str
    status: int
    identifier: str | None = None
    subproblems: tuple[Problem, ...] = ()

    @property
    def word(self) -> str:
        """The type without its URN: `rateLimited`."""
        return self.type.removeprefix(URN)

    @property
    def words(self) -> Words | None:
        return WORDS.get(self.word) if self.type.startswith(URN) else None

    def facts(self) -> dict[str, object]:
        """Return it for `CertdeckError.details`."""
        return {
            "type": self.type,
            "detail": self.detail,
            "status": self.status,
            "identifier": self.identifier,
            "subproblems": [sub.facts() for sub in self.subproblems],
        }


def parse(source: Json, status: int = 0) -> Problem:
    """Read a problem document; whatever it lacks is empty."""
    identifier = object_of(source, "identifier")
    sent = source.get("status")
    return Problem(
        type=plain(text_of(source, "type"), 120),
        detail=plain(text_of(source, "detail") or text_of(source, "title"), DETAIL_LIMIT),
        status=sent if isinstance(sent, int) else status,
        identifier=plain(text_of(identifier, "value"), 253) or None if identifier else None,
        subproblems=tuple(
            parse({**sub, "subproblems": None}) for sub in objects_of(source, "subproblems")[:SUBPROBLEM_LIMIT]
        ),
    )


def explain(problem: Problem) -> tuple[str, str, str]:
    """Return what, why and fix; `what` goes after the CA's name. The CA's own words are in `why`."""
    words = problem.words
    if problem.word == "rateLimited" and "paused" in problem.detail.lower():
        words = PAUSED
    if words is None and problem.status == 429:
        words = WORDS["rateLimited"]
    if words is None:
        what = "refused the request." if problem.type else f"answered with HTTP status {problem.status}."
        words = Words(what, "", "Read what the CA says; certdeck knows no more about this kind of refusal.")
        if problem.type and problem.type != "about:blank":
            words = Words(what, f"It gives the reason {problem.word}.", words.fix)
    said = [problem.detail] if problem.detail else []
    said += [f"{sub.identifier or sub.word}: {sub.detail or sub.word}" for sub in problem.subproblems[:5]]
    why = words.why + (f' The CA says: "{" / ".join(said)}"' if said else "")
    if not why:
        why = "The CA gives no reason."
    return words.what, why.strip(), f"{words.fix}{_hints(problem)}"


def error_for(
    problem: Problem,
    *,
    issuer: str,
    retry_at: datetime | None = None,
    links: Mapping[str, tuple[str, ...]] | None = None,
) -> IssuerError:
    """Return the error to raise for a refused request."""
    what, why, fix = explain(problem)
    details = problem.facts()
    made: type[IssuerError] = AcmeProblem
    if problem.word == "rateLimited" or problem.status == 429:
        made = RateLimited
    elif problem.word == "alreadyReplaced":
        made = AlreadyReplaced
    elif problem.word == "externalAccountRequired":
        made = EabRequired
    elif problem.word == "userActionRequired":
        # RFC 8555 §7.3.3: the address to visit is in `instance`, the terms in a link.
        terms = (links or {}).get("terms-of-service", ())
        if terms:
            made, details["terms_of_service"] = TermsNotAgreed, plain(terms[0], 500)
    elif problem.word == "unauthorized" and re.search(r"\b(deactivated|revoked)\b", problem.detail.lower()):
        if "account" in problem.detail.lower():
            made, fix = AccountDeactivated, "Remove the account here and let certdeck make a new one."
    elif problem.word in ("accountDoesNotExist", "invalidContact", "unsupportedContact"):
        made = AccountError
    return made(f"{issuer} {what}", why, fix, retry_at=retry_at, details=details)


def _hints(problem: Problem) -> str:
    """Return what the CA's words give away about the network (FACTS 3: pains 7, 8, 9)."""
    if problem.word not in ("connection", "unauthorized", "incorrectResponse", "tls", "dns"):
        return ""
    detail = problem.detail.lower()
    hints = []
    if "secondary validation" in detail or "remote perspective" in detail:
        hints.append(SECONDARY)
    if re.search(r"\[?[0-9a-f]{1,4}(:[0-9a-f]{0,4}){3,7}\]?", detail):
        hints.append(OVER_IPV6)
    if "firewall" in detail or "timeout during connect" in detail:
        hints.append(FIREWALL)
    return "".join(f" {hint}" for hint in hints)
