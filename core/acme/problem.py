"""Problem documents (RFC 8555 §6.7): parsed leniently, turned into the matching error class and message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from core.acme.problem_type import URN, ProblemType
from core.acme.problem_words import FIREWALL, OVER_IPV6, PAUSED, SECONDARY, WORDS, ProblemText
from core.acme.response import AcmeResponse
from core.acme.wire import Json, object_of, objects_of, plain, text_of
from core.dates import minute_shown
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
from core.http import first_words
from core.request_kind import RequestKind
from core.web_address import split_address

DETAIL_LIMIT = 600
WORDS_LIMIT = 160
"""Limit for the text of a response that is not a problem document."""
SUBPROBLEM_LIMIT = 100
_ACCOUNT_ENDED = (
    r"\b(?:deactivated|revoked) account\b|\baccount is (?:not active|inactive)\b"
    r"|\baccount\b[^.]{0,120}?\b(?:is|was|been|status|already)\b[\s:=\"']{1,4}(?:been )?(?:deactivated|revoked)\b"
)
"""Not every sentence with both words: "the certificate being revoked is not associated with this account"."""
_TOO_MANY_REQUESTS = 429
_RETRY_AFTER = r"(?i)retry after (\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?) ?(?:UTC|Z)"
"""Boulder's wording, also if a proxy has removed the header."""


class Problem(Struct, frozen=True, kw_only=True):
    """One problem document, safe to show."""

    type: str
    """As sent; empty if the response was not a problem document."""
    detail: str
    status: int
    identifier: str | None = None
    instance: str = ""
    """A web page that tells the user what to do (RFC 8555 §7.3.3); empty if it is not a web address."""
    subproblems: tuple[Problem, ...] = ()

    @property
    def known(self) -> ProblemType | None:
        """The registered type; None for any other."""
        return ProblemType.of(self.type)

    @property
    def word(self) -> str:
        """The type without its URN, also for unregistered types."""
        return self.type.removeprefix(URN)

    @property
    def is_rate_limit(self) -> bool:
        return self.known is ProblemType.RATE_LIMITED or self.status == _TOO_MANY_REQUESTS

    @property
    def is_pause(self) -> bool:
        """Return whether the name is paused, which does not end by waiting (Let's Encrypt)."""
        return self.is_rate_limit and "paused" in self.detail.lower()

    def facts(self) -> dict[str, object]:
        """Return the problem for `CertdeckError.details`."""
        return {
            "type": self.type,
            "detail": self.detail,
            "status": self.status,
            "identifier": self.identifier,
            "subproblems": [sub.facts() for sub in self.subproblems],
        }


def parse(source: Json, status: int = 0) -> Problem:
    """Parse a problem document; missing fields are empty."""
    identifier = object_of(source, "identifier")
    sent = source.get("status")
    return Problem(
        type=plain(text_of(source, "type"), 120),
        detail=plain(text_of(source, "detail") or text_of(source, "title"), DETAIL_LIMIT),
        status=sent if isinstance(sent, int) else status,
        identifier=plain(text_of(identifier, "value"), 253) or None if identifier else None,
        instance=_web_address(text_of(source, "instance")),
        subproblems=tuple(
            parse({**sub, "subproblems": None}) for sub in objects_of(source, "subproblems")[:SUBPROBLEM_LIMIT]
        ),
    )


def _web_address(text: str | None) -> str:
    parts = split_address(text or "")
    return plain(text, 500) if parts is not None and parts.scheme in ("http", "https") else ""


def of_reply(reply: AcmeResponse) -> Problem:
    """Parse a refusal. Without a problem document, `detail` is a page's title or the first line of its text."""
    problem = parse(reply.json, reply.status)
    if problem.detail or problem.type:
        return problem
    return replace(problem, detail=plain(first_words(reply.response), WORDS_LIMIT), status=reply.status)


def quoted(reply: AcmeResponse) -> str:
    """Describe an invalid response: its status, and its first words if it is not a JSON object."""
    said = "" if reply.json else plain(first_words(reply.response), WORDS_LIMIT)
    return f'It returned HTTP {reply.status}: "{said}".' if said else f"It returned HTTP {reply.status}."


def explain(problem: Problem, kind: RequestKind = RequestKind.VALIDATION) -> tuple[str, str, str]:
    """Return what, why and fix; `what` follows the CA's name. The CA's own message is in `why`."""
    words = _words(problem, kind)
    said = [problem.detail] if problem.detail else []
    said += [f"{sub.identifier or sub.word}: {sub.detail or sub.word}" for sub in problem.subproblems[:5]]
    why = words.why + (f' The CA says: "{" / ".join(said)}"' if said else "")
    if not why:
        why = "The CA gave no reason."
    return words.what, why.strip(), f"{words.fix}{_hints(problem, kind)}"


def _words(problem: Problem, kind: RequestKind) -> ProblemText:
    known = problem.known
    if problem.is_rate_limit:
        return PAUSED if problem.is_pause else WORDS[ProblemType.RATE_LIMITED]
    from core.acme.request_words import words_for

    words = words_for(kind, known, problem.detail, problem.status)
    if words is not None:
        return words
    if known is not None:
        return WORDS[known]
    fix = "See the CA's message above; certdeck has no details about this kind of error."
    if not problem.type:
        why = "The response is not an ACME error document. A firewall or proxy on the way may have sent it."
        return ProblemText(f"returned HTTP status {problem.status}.", why, fix)
    why = "" if problem.type == "about:blank" else f"Its problem type is {problem.word}."
    return ProblemText("rejected the request.", why, fix)


def error_for(
    problem: Problem,
    *,
    issuer: str,
    kind: RequestKind = RequestKind.VALIDATION,
    retry_at: datetime | None = None,
    links: Mapping[str, tuple[str, ...]] | None = None,
) -> IssuerError:
    """Return the error to raise for a refused request."""
    what, why, fix = explain(problem, kind)
    details = problem.facts()
    made: type[IssuerError] = AcmeProblem
    known = problem.known
    if problem.is_rate_limit:
        made, retry_at = RateLimited, retry_at or _said_until(problem.detail)
        if not problem.is_pause:
            fix = f"{_until(retry_at)} {fix}"
    elif known is ProblemType.ALREADY_REPLACED:
        made = AlreadyReplaced
    elif known is ProblemType.EXTERNAL_ACCOUNT_REQUIRED:
        made = EabRequired
    elif known is ProblemType.USER_ACTION_REQUIRED:
        # RFC 8555 §7.3.3: the page to visit is in `instance`, the terms are in a link.
        terms = (links or {}).get("terms-of-service", ())
        if terms:
            made, details["terms_of_service"] = TermsNotAgreed, plain(terms[0], 500)
        to_visit = problem.instance or _web_address(next(iter(terms), None))
        if to_visit:
            fix = f"Open {to_visit} and follow the CA's instructions, then try again."
    elif known is ProblemType.UNAUTHORIZED and re.search(_ACCOUNT_ENDED, problem.detail.lower()):
        made, fix = AccountDeactivated, give_up_fix(issuer)
    elif known in (
        ProblemType.ACCOUNT_DOES_NOT_EXIST,
        ProblemType.INVALID_CONTACT,
        ProblemType.UNSUPPORTED_CONTACT,
    ):
        made = AccountError
    from core.acme.request_words import common_name_hint

    fix += common_name_hint(kind, known, problem.detail, issuer)
    return made(f"{issuer} {what}", why, fix, retry_at=retry_at, details=details)


def give_up_fix(issuer: str) -> str:
    """Return the fix for an account that can no longer be used."""
    return f"Deactivate it here too: `certdeck account deactivate {issuer}`. The next order creates a new account."


def _said_until(detail: str) -> datetime | None:
    found = re.search(_RETRY_AFTER, detail)
    try:
        return datetime.fromisoformat(f"{found[1]}T{found[2]}+00:00") if found else None
    except ValueError:
        return None


def _until(retry_at: datetime | None) -> str:
    if retry_at is None:
        return "The CA does not say for how long. Try again in an hour."
    return f"Wait until {minute_shown(retry_at)}."


_ABOUT_THE_NETWORK = (
    ProblemType.CONNECTION,
    ProblemType.UNAUTHORIZED,
    ProblemType.INCORRECT_RESPONSE,
    ProblemType.TLS,
    ProblemType.DNS,
)


def _hints(problem: Problem, kind: RequestKind) -> str:
    """Return hints about the network from the CA's message."""
    if problem.known not in _ABOUT_THE_NETWORK or kind not in (
        RequestKind.VALIDATION,
        RequestKind.ORDER,
        RequestKind.FINALIZE,
    ):
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
