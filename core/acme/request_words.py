"""Texts for refusals whose meaning depends on the request and not only on the type.

Servers refuse a key change, a revocation or a new order with types that RFC 8555 defines for names (`unauthorized`,
`rejectedIdentifier`): advice about web servers and DNS would be misleading there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from core.acme.problem_type import ProblemType
from core.acme.problem_words import ProblemText
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
"""Types whose usual texts are about names and their validation."""
_VAGUE = _ABOUT_NAMES | {ProblemType.MALFORMED, ProblemType.SERVER_INTERNAL, None}
"""Types that servers also use for something that they do not support."""

_MISSING: Mapping[RequestKind, ProblemText] = {
    RequestKind.KEY_CHANGE: ProblemText(
        "does not support changing the key of an account.",
        "The account keeps its current key.",
        "Keep the key, or deactivate the account (`certdeck account deactivate`): the next order creates a new "
        "account with a new key.",
    ),
    RequestKind.REVOCATION: ProblemText(
        "does not support revocation.",
        "The certificate stays valid until it ends.",
        "Replace the certificate and its key on this box first. Then ask the CA's operator how certificates are revoked.",
    ),
    RequestKind.ACCOUNT: ProblemText(
        "does not support this change of an account.",
        "The account is unchanged.",
        "No action is needed here. Ask the CA's operator if the account must change.",
    ),
}
_REFUSED: Mapping[RequestKind, ProblemText] = {
    RequestKind.KEY_CHANGE: ProblemText(
        "rejected the new account key.",
        "The account keeps its current key.",
        "See the CA's message above. To get a new key anyway, deactivate the account (`certdeck account "
        "deactivate`): the next order creates a new one.",
    ),
    RequestKind.REVOCATION: ProblemText(
        "refused to revoke the certificate.",
        "It was ordered by another account, or the CA no longer knows the account.",
        "Ask the CA's operator to revoke it. Replace the certificate and its key on this box first.",
    ),
    RequestKind.ACCOUNT: ProblemText(
        "rejected the account.",
        "",
        "Compare the account's settings (contact, terms, external account binding) with what the CA requires.",
    ),
    RequestKind.NEW_ORDER: ProblemText(
        "does not let this account order this certificate.",
        "The CA's policy for this account or these names does not allow it.",
        "Allow these names for the account at the CA, or use another issuer.",
    ),
}
_FEWER_NAMES = ProblemText(
    "does not accept this many names in one certificate.",
    "",
    "Use several certificates with fewer names, or a wildcard.",
)


def words_for(kind: RequestKind, type: ProblemType | None, detail: str, status: int) -> ProblemText | None:
    """Return the text for a refusal of this kind of request; None: the usual text of its type applies."""
    if kind is RequestKind.NEW_ACCOUNT:
        kind = RequestKind.ACCOUNT
    if kind in _MISSING and type in _VAGUE:
        # An account's own URL returns 404 if the account no longer exists, so that status means less there.
        is_missing = status in (405, 501) or (status == 404 and kind is not RequestKind.ACCOUNT)
        if is_missing or (kind is not RequestKind.ACCOUNT and _NOT_OFFERED.search(detail)):
            return _MISSING[kind]
    if kind is RequestKind.NEW_ORDER:
        if type is not ProblemType.RATE_LIMITED and _TOO_MANY_NAMES.search(detail):
            return _FEWER_NAMES
        return _REFUSED[kind] if type is ProblemType.UNAUTHORIZED else None
    return _REFUSED[kind] if kind in _REFUSED and type in _ABOUT_NAMES else None


def common_name_hint(kind: RequestKind, type: ProblemType | None, detail: str, issuer: str) -> str:
    """Return a hint to set a common name, if a CA refuses a CSR because of its subject; otherwise an empty text."""
    is_about_csr = type is ProblemType.BAD_CSR or (kind is RequestKind.FINALIZE and type is ProblemType.MALFORMED)
    if not is_about_csr or not _COMMON_NAME.search(detail):
        return ""
    return (
        f" If this CA requires a common name in the request, set `common_name = true` in [issuers.{issuer}]: "
        f"`certdeck issuer add {issuer} --common-name`."
    )
