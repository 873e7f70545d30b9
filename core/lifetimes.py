"""Lifetimes of certificates by date, as announced by CAs and the CA/Browser Forum, and limits for comparison.

This is the only table of these dates; change it here when a CA announces something. Pure.
"""

from __future__ import annotations

from datetime import date

from msgspec import Struct

_BALLOT = "CA/B Forum, Baseline Requirements 6.3.2 (ballot SC-081)"
_LETS_ENCRYPT = "Let's Encrypt, 2 Dec 2025, https://letsencrypt.org/2025/12/02/from-90-to-45"
_PROFILES = "Let's Encrypt, 14 Jul 2026, https://letsencrypt.org/docs/profiles/"
_LIMITS = "Let's Encrypt, 5 Aug 2026, https://letsencrypt.org/docs/rate-limits/"

ANY_PUBLIC = "public"
"""The limit for every CA that browsers trust."""
LETSENCRYPT = "letsencrypt"
CLASSIC = "classic"
"""Let's Encrypt's default profile."""


class Lifetime(Struct, frozen=True, kw_only=True):
    """A lifetime and the day from which it applies to new certificates."""

    whose: str
    """`letsencrypt`, or `public`: the maximum for any public CA."""
    profile: str
    """A profile of the CA; empty for all."""
    since: date
    days: float
    source: str


LIFETIMES = (
    Lifetime(whose=ANY_PUBLIC, profile="", since=date(2020, 9, 1), days=398, source=_BALLOT),
    Lifetime(whose=ANY_PUBLIC, profile="", since=date(2026, 3, 15), days=200, source=_BALLOT),
    Lifetime(whose=ANY_PUBLIC, profile="", since=date(2027, 3, 15), days=100, source=_BALLOT),
    Lifetime(whose=ANY_PUBLIC, profile="", since=date(2029, 3, 15), days=47, source=_BALLOT),
    Lifetime(whose=LETSENCRYPT, profile=CLASSIC, since=date(2015, 9, 14), days=90, source=_PROFILES),
    Lifetime(whose=LETSENCRYPT, profile=CLASSIC, since=date(2027, 2, 10), days=64, source=_LETS_ENCRYPT),
    Lifetime(whose=LETSENCRYPT, profile=CLASSIC, since=date(2028, 2, 16), days=45, source=_LETS_ENCRYPT),
    Lifetime(whose=LETSENCRYPT, profile="tlsserver", since=date(2025, 1, 1), days=90, source=_PROFILES),
    Lifetime(whose=LETSENCRYPT, profile="tlsserver", since=date(2026, 5, 13), days=45, source=_LETS_ENCRYPT),
    Lifetime(whose=LETSENCRYPT, profile="shortlived", since=date(2025, 1, 1), days=160 / 24, source=_PROFILES),
)
"""Ordered by date for each CA and profile."""


class WeeklyLimit(Struct, frozen=True, kw_only=True):
    """What a CA allows in seven days."""

    what: str
    count: int
    source: str


SAME_NAMES = WeeklyLimit(what="certificates for exactly the same names", count=5, source=_LIMITS)
REGISTERED_DOMAIN = WeeklyLimit(what="certificates for one registered domain", count=50, source=_LIMITS)


def announced(whose: str, day: date, profile: str = "") -> Lifetime | None:
    """Return the lifetime that applies to certificates issued on a day; None if none is known."""
    found = None
    for each in LIFETIMES:
        if each.whose == whose and each.profile == profile and each.since <= day:
            found = each
    return found


def changes_between(first: date, last: date) -> tuple[Lifetime, ...]:
    """Return the changes after `first` and up to `last`, by date."""
    return tuple(sorted((each for each in LIFETIMES if first < each.since <= last), key=lambda each: each.since))
