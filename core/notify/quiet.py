"""The quiet period of a channel, such as `22:00-07:00`, in this box's local time. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import time

_PERIOD = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]):([0-5]\d)")


def period(text: str) -> tuple[time, time] | None:
    """Return start and end of a quiet period; None if the text is not valid."""
    match = _PERIOD.fullmatch(text.strip())
    if match is None:
        return None
    begin, end = time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))
    return None if begin == end else (begin, end)


def problem(text: str) -> str | None:
    """Return what is wrong with a quiet period; None if it is valid."""
    return None if period(text) else "write start and end in local time, for example 22:00-07:00"


def is_quiet(text: str, at: time) -> bool:
    """Return whether a local time is within the period; the end is not included."""
    found = period(text)
    if found is None:
        return False
    begin, end = found
    return begin <= at < end if begin < end else at >= begin or at < end


def holds(text: str, at: time, runs: Sequence[time]) -> bool:
    """Return whether a message waits: it is a quiet time now, and a later run outside the quiet period can send it.

    Args:
        runs: the times of the scheduled run. If all are in the quiet period, or none is known, a message would wait forever.
    """
    return is_quiet(text, at) and any(not is_quiet(text, each) for each in runs)
