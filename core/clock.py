"""Whether the clock of this box can be trusted, judged from known times. Pure.

It is compared with three times: the build date of this program, the time of the last write here, and the `Date` of a CA that was
contacted in this run. A CA that agrees settles the question. Without one, a clock is trusted again after it has run on for a day.

A jump ahead is no proof against a clock, because a box may have been switched off; but it is recorded as a jump. If the clock
returns to before it, the jump was the error. Until the jump is confirmed, nothing is removed because of its age.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from core.dates import minute_shown, moment_in_words
from core.stored_times import CLOCK_ASKED, CLOCK_SEEN, TOLERANCE_SECONDS, is_void
from core.text import plural
from core.version import BUILT

LEAP_SECONDS = 45 * 86400.0
"""A longer time between two writes is a jump: it exceeds the 30 days that anything is kept here."""
STEADY_SECONDS = 20 * 3600.0
"""How long a clock has to run on before it is trusted without a CA: two runs of a daily timer are further apart than that."""
COMPARED_FOR_SECONDS = 86400.0
"""How long the last comparison with a CA is valid."""


class ClockRecord(NamedTuple):
    """What is stored about the clock between runs. Epoch seconds, by this box's clock."""

    at: float
    """The last trusted time."""
    since: float | None = None
    """A time that does not follow `at`: the clock since it jumped ahead or back."""
    offset: float | None = None
    """This clock minus a CA's, in seconds, at the last comparison."""
    compared: float | None = None
    """When that was."""
    ca: str = ""


class Comparison(NamedTuple):
    """This clock compared with a CA's."""

    ca: str
    offset: float | None
    """This clock minus the CA's, in seconds; None: the CA's server certificate is not valid at the time shown here.

    That alone proves little, because the certificate of an internal CA's server may really have expired."""


def why_in_doubt(now: float, record: ClockRecord | None, seen: Comparison | None = None) -> str | None:
    """Return why the clock cannot be trusted, in one sentence; None if nothing speaks against it.

    Args:
        now: epoch seconds.
        seen: the worst comparison of this run; None if no CA was contacted.
    """
    if now < BUILT.timestamp():
        return f"The clock of this box shows {_moment(now)}, which is before this release was built."
    if seen is not None and seen.offset is not None:
        return _against(seen.ca, seen.offset)
    if record is None:
        return None
    if seen is not None and now - record.at > LEAP_SECONDS:
        return (
            f"The clock of this box has jumped ahead by {span(now - record.at)} since the last write here. By this "
            f"clock, the server certificate of {seen.ca} has expired."
        )
    is_fresh = record.compared is not None and abs(now - record.compared) <= COMPARED_FOR_SECONDS
    if is_fresh and not is_void(record.compared, now, CLOCK_ASKED) and record.offset is not None:
        against = _against(record.ca, record.offset)
        if against is not None:
            return against
    if is_void(record.at, now, CLOCK_SEEN):
        return (
            f"The clock of this box shows {_moment(now)}, but the last write here was on {_moment_in_words(record.at)}. "
            "The clock was set back, or was ahead at that time."
        )
    return None


def has_leapt(now: float, record: ClockRecord | None, seen: Comparison | None = None) -> bool:
    """Return whether the clock is far ahead of the last recorded time, and no CA has confirmed that yet."""
    is_compared = seen is not None and seen.offset is not None
    return record is not None and not is_compared and now - record.at > LEAP_SECONDS


def moved_on(record: ClockRecord | None, now: float, seen: Comparison | None = None) -> ClockRecord:
    """Return the record to store after a run that ended at `now`."""
    base = record or ClockRecord(at=now)
    if seen is not None and seen.offset is not None:
        base = base._replace(offset=seen.offset, compared=now, ca=seen.ca)
        if _against(seen.ca, seen.offset) is None:
            return base._replace(at=now, since=None)
    elif base.compared is not None and abs(now - base.compared) > COMPARED_FOR_SECONDS:
        base = base._replace(offset=None, compared=None, ca="")
    if -TOLERANCE_SECONDS <= now - base.at <= LEAP_SECONDS:
        return base._replace(at=max(now, base.at), since=None)
    if base.since is None or not 0 <= now - base.since <= LEAP_SECONDS:
        return base._replace(since=now)
    return base._replace(at=now, since=None) if now - base.since >= STEADY_SECONDS else base


def _against(ca: str, offset: float) -> str | None:
    if abs(offset) <= TOLERANCE_SECONDS:
        return None
    return f"The clock of this box is {span(abs(offset))} {'ahead of' if offset > 0 else 'behind'} that of {ca}."


def span(seconds: float) -> str:
    """Return a duration in words: `5 minutes`, `3 hours`, `12 days`, `10 years`."""
    for size, word in ((365.25 * 86400, "year"), (86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size or (seconds >= size and word == "minute"):
            return plural(round(seconds / size), word)
    return f"{round(seconds)} seconds"


def _moment(stamp: float) -> str:
    return minute_shown(_utc(stamp))


def _moment_in_words(stamp: float) -> str:
    return moment_in_words(_utc(stamp))


def _utc(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)
