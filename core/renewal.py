"""When a certificate is due, and when to retry after a failure. Pure; times are epoch seconds where many are computed.

The CA's own advice comes first (RFC 9773), then the administrator's setting, then the rule in Let's Encrypt's integration guide:
when a third of the lifetime is left, or half of it below 10 days. For a 90-day certificate these are the 30 days of
the reference systems (ST-29, CL-05, CC-17); for a 6-day certificate it is not an endless loop.
"""

from __future__ import annotations

from datetime import datetime, timedelta

DAY = 86400.0
LONGEST_BEFORE_DAYS = 30
SHORT_LIFE_DAYS = 10
_LARGEST_SHARE = 0.67
"""Renewing with a larger share of the lifetime left would order so often that rate limits stop it."""
RETRIES = (timedelta(minutes=1), timedelta(minutes=10), timedelta(minutes=100))
DAILY = timedelta(days=1)
ASK_AGAIN_SECONDS = DAY
"""How often a CA that asked to wait is asked anyway, if a certificate would expire in the meantime."""
JITTER = 0.1
"""The maximum random share that is added to a pause."""
ASK_PAUSE = timedelta(hours=6)
"""Between two requests for the CA's advice if it states no other pause, and before the first one."""


def due_at(
    not_before: float, not_after: float, *, renew_days_before: int | None = None, ari_chosen: float | None = None
) -> float:
    """Return when to renew, in epoch seconds.

    Args:
        renew_days_before: as configured; ignored if it cannot work for this lifetime (`renew_days_problem`).
        ari_chosen: the time chosen in the CA's window. A window that is too late, or after the expiry, does not let the
            certificate expire: the latest time is half of what the rule leaves.
    """
    life = not_after - not_before
    share = life / 2 if life < SHORT_LIFE_DAYS * DAY else life / 3
    before = min(share, LONGEST_BEFORE_DAYS * DAY)
    if ari_chosen is not None:
        return min(ari_chosen, not_after - before / 2)
    if renew_days_before is not None and renew_days_problem(renew_days_before, life) is None:
        return not_after - renew_days_before * DAY
    return not_after - before


def renew_days_problem(days: int, life_seconds: float) -> str | None:
    """Return why a number of days before the expiry cannot work for a lifetime; None if it can."""
    life_days = life_seconds / DAY
    if days < 1:
        return "It would renew on the last day or later."
    if days > life_days * _LARGEST_SHARE:
        return f"The certificate is valid for {life_days:.0f} days, so it would be renewed almost constantly."
    return None


def choose_in_window(start: datetime, end: datetime, share: float) -> datetime:
    """Return the time at `share` (0 to 1, random) of the window. RFC 9773 §4.2."""
    return start + (end - start) * share


def next_retry(failures: int, last_attempt: datetime, share: float) -> datetime:
    """Return when to retry after `failures` consecutive failures: after about 1, 10 and 100 minutes, then daily.

    Args:
        share: 0 to 1, random: up to a tenth is added, so that many boxes do not retry at the same time.
    """
    pause = RETRIES[max(failures, 1) - 1] if failures <= len(RETRIES) else DAILY
    return last_attempt + pause * (1 + JITTER * share)
