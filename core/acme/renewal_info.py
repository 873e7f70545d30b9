"""ACME renewal information (RFC 9773): when the CA suggests renewing a certificate.

It is advice, never a requirement: every failure here is ignored, and the caller falls back to the certificate's lifetime.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from core.acme.session import AcmeSession
from core.acme.wire import object_of, plain, text_of, time_of
from core.errors import IssuerError
from core.renewal import ASK_PAUSE
from core.request_kind import RequestKind

SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(days=1)
"""RFC 9773 §4.3.2: clients limit the values that they accept."""


class RenewalInfo(Struct, frozen=True, kw_only=True):
    """The window in which a CA suggests renewing (RFC 9773 §4.2). Aware UTC."""

    start: datetime
    end: datetime
    retry_after: datetime
    """When to ask again."""
    explanation_url: str | None = None


def fetch(session: AcmeSession, identifier: str) -> RenewalInfo | None:
    """Fetch the window of a certificate. None: the CA has no ARI, does not know the certificate, or failed. One request."""
    try:
        base = session.directory.renewal_info
        if base is None:
            return None
        reply = session.get(f"{base.rstrip('/')}/{identifier}", kind=RequestKind.RENEWAL_INFO)
    except IssuerError:
        return None
    window = object_of(reply.json, "suggestedWindow") or {}
    start, end = time_of(window, "start"), time_of(window, "end")
    if start is None or end is None or end < start:
        return None
    now = session.clock.now()
    pause = ASK_PAUSE if reply.retry_after is None else reply.retry_after - now
    explanation = text_of(reply.json, "explanationURL")
    return RenewalInfo(
        start=start,
        end=end,
        retry_after=now + max(SHORTEST_PAUSE, min(pause, LONGEST_PAUSE)),
        explanation_url=plain(explanation, 500) if explanation else None,
    )
