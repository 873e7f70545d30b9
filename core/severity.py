"""The urgency of a certificate (ST-45). Pure, with epoch seconds: called ten thousand times in a row."""

from __future__ import annotations

DAY = 86400.0
_YELLOW_DAYS = 30
_RED_DAYS = 7
_DEADLINE_DAYS = 15
_TICK = 1e-6
"""Resolution of a `datetime`, in seconds."""
_REFERENCE_DAYS = 90
"""The lifetime that the numbers of days refer to; a shorter one is judged proportionally."""


def days_left(not_before: float, not_after: float, now: float) -> int:
    """Return the full days until the expiry: 0 on the last day and before the first, negative after it."""
    return 0 if now < not_before <= not_after else int((not_after - now) // DAY)


def severity(not_before: float, not_after: float, now: float, chain_not_after: float | None = None) -> str:
    """Return `green`, `yellow` or `red`.

    `chain_not_after`: an earlier expiry in the chain; the certificate's own lifetime sets the scale.
    Green above 30 days left, yellow from 8 to 30, red at 7 or fewer, and red before its validity starts, because clients reject it
    then, too. A lifetime below 90 days is judged proportionally: yellow from a third of it left, red from 7/90 of it.
    """
    if now < not_before:
        return "red"
    yellow, red = turns(not_before, not_after, chain_not_after)
    return "red" if now >= red else "yellow" if now >= yellow else "green"


def turns(not_before: float, not_after: float, chain_not_after: float | None = None) -> tuple[float, float]:
    """Return the moments from which a certificate is yellow and red, in epoch seconds."""
    # RFC 5280 §4.1.2.5: both ends belong to the lifetime. A 90-day certificate of a public CA states 90 days less one second.
    life = not_after - not_before + 1
    end = not_after if chain_not_after is None else min(not_after, chain_not_after)
    if life < _REFERENCE_DAYS * DAY:
        return end - life / 3, end - life * _RED_DAYS / _REFERENCE_DAYS
    # Of 8 days exactly, 8 are left: it turns right after that.
    return end - (_YELLOW_DAYS + 1) * DAY + _TICK, end - (_RED_DAYS + 1) * DAY + _TICK


def is_past_deadline(not_before: float, end: float, now: float) -> bool:
    """Return whether a renewal should have succeeded long ago (SF-16): less than 15 days left, proportionally below 90.

    Args:
        end: the earliest expiry of the certificates that are sent.
    """
    life = end - not_before + 1
    return end - now < min(life * _DEADLINE_DAYS / _REFERENCE_DAYS, _DEADLINE_DAYS * DAY)
