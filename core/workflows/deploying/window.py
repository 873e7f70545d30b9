"""The maintenance window of a service: `HH:MM-HH:MM`, in the time of this box. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta


def is_open(window: str, now: datetime) -> bool:
    """Tell whether a moment is in a window `HH:MM-HH:MM`; one that ends before it begins goes over midnight."""
    begin, end = _ends(window)
    moment = now.time().replace(tzinfo=None)
    return begin <= moment < end if begin < end else moment >= begin or moment < end


def opens_at(window: str, now: datetime) -> datetime:
    """Return when a window that is closed now opens next."""
    begin, _ = _ends(window)
    opens = now.replace(hour=begin.hour, minute=begin.minute, second=0, microsecond=0)
    return opens if opens > now else opens + timedelta(days=1)


def _ends(window: str) -> tuple[time, time]:
    begin, _, end = window.partition("-")
    return time.fromisoformat(begin), time.fromisoformat(end)
