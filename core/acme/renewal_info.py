"""ACME renewal information (RFC 9773): when the CA would like a certificate to be renewed.

Advice, never a condition: every failure here is soft, and the caller falls back to the certificate's lifetime.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from core.acme.session import AcmeSession
from core.acme.wire import object_of, plain, text_of, time_of
from core.errors import IssuerError

USUAL_PAUSE = timedelta(hours=6)
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(days=1)
"""RFC 9773 §4.3.2: clients set limits to what they believe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalInfo:
    start: datetime
    end: datetime
    retry_after: datetime
    """When to ask again."""
    explanation_url: str | None = None


def certificate_id(certificate: bytes) -> str | None:
    """Return what the CA calls this certificate (PEM or DER): key identifier and serial. None without an AKI. RFC 9773 §4.1."""
    is_pem = b"-----BEGIN" in certificate
    try:
        parsed = x509.load_pem_x509_certificate(certificate) if is_pem else x509.load_der_x509_certificate(certificate)
        authority = parsed.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except (ValueError, x509.ExtensionNotFound):
        return None
    if authority is None:
        return None
    # The content of a DER INTEGER: two's complement, so a leading zero where the highest bit is set.
    serial = parsed.serial_number.to_bytes(parsed.serial_number.bit_length() // 8 + 1, "big")
    return f"{_base64url(authority)}.{_base64url(serial)}"


def fetch(session: AcmeSession, identifier: str) -> RenewalInfo | None:
    """Ask for the window of a certificate. None: the CA has no ARI, does not know it, or failed. One request."""
    try:
        base = session.directory.renewal_info
        if base is None:
            return None
        reply = session.get(f"{base.rstrip('/')}/{identifier}")
    except IssuerError:
        return None
    window = object_of(reply.json, "suggestedWindow") or {}
    start, end = time_of(window, "start"), time_of(window, "end")
    if start is None or end is None or end < start:
        return None
    now = session.clock.now()
    pause = USUAL_PAUSE if reply.retry_after is None else reply.retry_after - now
    explanation = text_of(reply.json, "explanationURL")
    return RenewalInfo(
        start=start,
        end=end,
        retry_after=now + max(SHORTEST_PAUSE, min(pause, LONGEST_PAUSE)),
        explanation_url=plain(explanation, 500) if explanation else None,
    )


def _base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
