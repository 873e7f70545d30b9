"""Words for refusals that mean something else than their type alone says, because of the request they answer.

Servers answer a key change, a revocation or a new order with the types that RFC 8555 made for names (`unauthorized`,
`rejectedIdentifier`): advice about web servers and DNS would lead astray there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from core.acme.problem_type import ProblemType
from core.acme.problem_words import Words
from core.request_kind import RequestKind

_NOT_OFFERED = re.compile(r"\bnot (?:yet )?(?:offered|supported|implemented|available|enabled|allowed here)\b", re.I)
_TOO_MANY_NAMES = re.compile(
    r"\b(?:identifiers?|names?|domains?|sans?) (?:limit|count)\b"
    r"|\b(?:too many|more than \d+|at most \d+|maximum of \d+|limit of \d+) (?:\w+ ){0,2}(?:identifiers|names|domains|sans)\b"
    r"|\bnumber of (?:identifiers|names|domains|sans)\b.{0,40}\b(?:exceed|limit|maxim)",
    re.I,
)
_COMMON_NAME = re.compile(r"\b(?:common ?name|cn|subject(?: dn)?)\b(?! alternative)", re.I)

_ABOUT_NAMES = frozenset(
    {
        ProblemType.CAA,
        ProblemType.CONNECTION,
        ProblemType.DNS,
        ProblemType.INCORRECT_RESPONSE,
        ProblemType.REJECTED_IDENTIFIER,
        ProblemType.TLS,
        ProblemType.UNAUTHORIZED,
        ProblemType.UNSUPPORTED_IDENTIFIER,
    }
)
"""Types whose usual words are about names and how they are proven."""
_VAGUE = _ABOUT_NAMES | {ProblemType.MALFORMED, ProblemType.SERVER_INTERNAL, None}
"""Types that servers also use to say that they do not offer something."""

_MISSING: Mapping[RequestKind, Words] = {
    RequestKind.KEY_CHANGE: Words(
        "does not offer to change the key of an account.",
        "The account keeps the key it has.",
        "Keep the key, or give the account up (account deactivate): the next order creates a new account with a new key.",
    ),
    RequestKind.REVOCATION: Words(
        "does not offer revocation.",
        "The certificate stays valid until it ends.",
        "Ask the CA's operator how certificates are revoked there. Replace the certificate and its key on this machine first.",
    ),
    RequestKind.ACCOUNT: Words(
        "does not offer this change to an account.",
        "The account stays as it is.",
        "Nothing needs to be done here; ask the CA's operator if the account must change.",
    ),
}
_REFUSED: Mapping[RequestKind, Words] = {
    RequestKind.KEY_CHANGE: Words(
        "refused the new key of the account.",
        "The account keeps the key it has.",
        "Read what the CA says. To get a new key anyway, give the account up (account deactivate): the next order creates one.",
    ),
    RequestKind.REVOCATION: Words(
        "refused to revoke the certificate.",
        "It was ordered by another account, or the CA no longer knows the account.",
        "Ask the CA's operator to revoke it. Replace the certificate and its key on this machine first.",
    ),
    RequestKind.ACCOUNT: Words(
        "refused the account.",
        "",
        "Compare the account's settings (contact, terms, external account binding) with what the CA asks for.",
    ),
    RequestKind.NEW_ORDER: Words(
        "does not let this account order this certificate.",
        "The CA's rules for this account or these names do not allow it.",
        "Allow these names for the account at the CA, or use another issuer.",
    ),
}
_FEWER_NAMES = Words(
    "does not take so many names in one certificate.",
    "",
    "Order fewer names at once: several certificates, or a wildcard.",
)


def words_for(kind: RequestKind, type: ProblemType | None, detail: str, status: int) -> Words | None:
    """Return the words for a refusal of a request of this kind; None: the usual words of its type fit."""
    if kind is RequestKind.NEW_ACCOUNT:
        kind = RequestKind.ACCOUNT
    if kind in _MISSING and type in _VAGUE:
        # An account's own address answers 404 when the account is gone, so that status says less there.
        is_missing = status in (405, 501) or (status == 404 and kind is not RequestKind.ACCOUNT)
        if is_missing or (kind is not RequestKind.ACCOUNT and _NOT_OFFERED.search(detail)):
            return _MISSING[kind]
    if kind is RequestKind.NEW_ORDER:
        if type is not ProblemType.RATE_LIMITED and _TOO_MANY_NAMES.search(detail):
            return _FEWER_NAMES
        return _REFUSED[kind] if type is ProblemType.UNAUTHORIZED else None
    return _REFUSED[kind] if kind in _REFUSED and type in _ABOUT_NAMES else None


def common_name_hint(kind: RequestKind, type: ProblemType | None, detail: str, issuer: str) -> str:
    """Return the setting that helps when a CA refuses a request for its subject; empty where that is not the reason."""
    is_about_csr = type is ProblemType.BAD_CSR or (kind is RequestKind.FINALIZE and type is ProblemType.MALFORMED)
    if not is_about_csr or not _COMMON_NAME.search(detail):
        return ""
    return (
        " If this CA wants a common name in the request, set `common_name = true` in "
        f"[issuers.{issuer}]: `certdeck issuer add {issuer} --common-name`."
    )
