"""The security headers of a web interface, and how long browsers are told to require HTTPS (HSTS)."""

from __future__ import annotations

from datetime import datetime, timedelta

HSTS = "Strict-Transport-Security"
FIXED = (
    ("X-Frame-Options", "DENY"),  # ST-51
    ("X-Content-Type-Options", "nosniff"),  # ST-52
    ("X-XSS-Protection", "1; mode=block"),  # ST-53; current browsers ignore it
    ("Referrer-Policy", "strict-origin-when-cross-origin"),  # ST-54
    ("Content-Security-Policy", "upgrade-insecure-requests"),  # ST-55
)
NAMES = (HSTS, *(name for name, _ in FIXED))
STAGES = (
    (timedelta(0), "max-age=300"),
    (timedelta(days=1), "max-age=86400"),
    (timedelta(days=7), "max-age=2592000"),
    (timedelta(days=30), "max-age=31536000; includeSubDomains"),  # ST-50
)
"""Time since `web apply` → the value to send. A browser that has seen the last one refuses plain HTTP for a year, so a mistake
has to become visible while it can still be undone."""
FULL = STAGES[-1][1]


def hsts_value(policy: str, since: datetime, now: datetime) -> str | None:
    """Return the value of the HSTS header; None if none is sent. `policy`: `staged`, `full`, `off`."""
    if policy == "off":
        return None
    if policy == "full":
        return FULL
    return next(value for after, value in reversed(STAGES) if now >= since + after or after == timedelta(0))


def next_stage(policy: str, since: datetime, now: datetime) -> datetime | None:
    """Return when the value changes next; None if it stays the same."""
    if policy != "staged":
        return None
    return next((since + after for after, _ in STAGES if since + after > now), None)


def headers(hsts: str | None) -> tuple[tuple[str, str], ...]:
    """Return every header with its value. `hsts`: the value of `hsts_value`."""
    return ((HSTS, hsts), *FIXED) if hsts else FIXED
