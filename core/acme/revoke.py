"""Revocation (RFC 8555 §7.6) by the account or by the certificate's own key."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping

from core.acme.account_key import AccountKey
from core.acme.problem_type import ProblemType
from core.acme.session import AcmeSession
from core.errors import AcmeProblem, IssuerError, UsageError
from core.request_kind import RequestKind

REASONS: Mapping[str, int] = {"unspecified": 0, "keyCompromise": 1, "superseded": 4, "cessationOfOperation": 5}
"""The reasons of RFC 5280 §5.3.1 that public CAs accept from subscribers (Let's Encrypt's revocation page, 2026-08)."""


def revoke(session: AcmeSession, certificate_der: bytes, reason: str = "unspecified") -> None:
    """Revoke as the account that ordered the certificate. An already revoked certificate is a success."""
    _revoke(session, certificate_der, reason, None)


def revoke_with_key(session: AcmeSession, certificate_der: bytes, key_pem: bytes, reason: str = "unspecified") -> None:
    """Revoke with the certificate's own private key; needs no account."""
    _revoke(session, certificate_der, reason, AccountKey.from_pem(key_pem))


def _revoke(session: AcmeSession, certificate_der: bytes, reason: str, key: AccountKey | None) -> None:
    if reason not in REASONS:
        raise UsageError(
            f"{reason!r} is not a revocation reason that CAs accept.",
            f"They accept {', '.join(REASONS)}.",
            "Choose one of these. If in doubt, use unspecified.",
        )
    address = session.directory.revoke_cert
    if address is None:
        raise IssuerError(
            f"{session.issuer} does not support revocation.",
            "Its directory has no revokeCert.",
            "Ask the CA's support how certificates are revoked.",
        )
    payload = {
        "certificate": urlsafe_b64encode(certificate_der).rstrip(b"=").decode("ascii"),
        "reason": REASONS[reason],
    }
    try:
        # RFC 8555 §7.6: the status is sufficient, and servers send empty bodies with any content type.
        session.post(address, payload, kind=RequestKind.REVOCATION, key=key, reads_body=False)
    except AcmeProblem as exc:
        if ProblemType.of_error(exc) is not ProblemType.ALREADY_REVOKED:
            raise
