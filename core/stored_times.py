"""All times that certdeck stores, and how far from now each can be at most. Pure.

A run under a wrong clock stores times that no correct clock could have written: a next attempt in ten years, a last run in the
future. They are void: a reader behaves as if nothing were stored, and the next write replaces them. Times from a CA or a
certificate are not judged here: the CA decides when an order expires, and a renewal window is bounded by the certificate's own
expiry (`core.renewal.due_at`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from core.errors import RateLimited
from core.renewal import DAILY, JITTER
from core.version import BUILT

TOLERANCE_SECONDS = 3600.0
"""Clocks are often corrected in small steps; the same tolerance applies to a comparison with a CA's clock."""
LONGEST_RETRY_SECONDS = DAILY.total_seconds() * (1 + JITTER)
LONGEST_LIMIT_SECONDS = 7 * 86400.0
"""No limit of a CA is longer (Let's Encrypt: 7 days, 2026-08); `core.http.retry_after` caps Retry-After at this."""
LONGEST_ARI_PAUSE_SECONDS = 86400.0
"""Between two requests for renewal information; `core.acme.renewal_info` caps Retry-After at this."""


class StoredTime(NamedTuple):
    """One stored time."""

    where: str
    """The file, relative to `state` unless it begins with `/`."""
    field: str
    ahead_seconds: float | None
    """How far in the future it can be; 0: it has to be past. None: it is not judged by the clock."""
    void: str
    """What happens if it is void, or why it is not judged."""


NEXT_ATTEMPT = StoredTime("lineages/NAME/renewal.json", "next_attempt", LONGEST_RETRY_SECONDS, "tried at once")
LIMITED_ATTEMPT = StoredTime(
    "lineages/NAME/renewal.json", "next_attempt after a rate limit", LONGEST_LIMIT_SECONDS, "tried at once"
)
LAST_ATTEMPT = StoredTime(
    "lineages/NAME/renewal.json",
    "last_attempt",
    0.0,
    "the failures counted until then, and next_attempt, no longer count",
)
LAST_ERROR = StoredTime("lineages/NAME/renewal.json", "last_error.at", 0.0, "shown without a date")
CHAIN_RETRY = StoredTime(
    "lineages/NAME/renewal.json", "chain_retry_at", LONGEST_RETRY_SECONDS, "the CA is asked for a newer chain at once"
)
ARI_CHECK = StoredTime("renewal-windows.json", "check_at", LONGEST_ARI_PAUSE_SECONDS, "the CA is asked again at once")
LAST_RUN = StoredTime("last-run.json", "at, before", 0.0, "counts as no run")
SCHEDULE_SINCE = StoredTime("schedule.json", "since", 0.0, "only the last run tells whether the timer lives")
DELETED_AT = StoredTime("deleted/NAME-STAMP.sealed", "STAMP", 0.0, "the 30 days begin again, at the file's own time")
LIMIT_NOTED = StoredTime("limits.json", "noted", 0.0, "the limit counts as over")
LIMIT_UNTIL = StoredTime("limits.json, ledger.json", "until", LONGEST_LIMIT_SECONDS, "the limit counts as over")
USED_AT = StoredTime("ledger.json", "at", 0.0, "does not count against a CA's limit")
NOTIFIED_AT = StoredTime("notified.json", "at", 0.0, "told again")
REVOCATION_ASKED = StoredTime("revocation.json", "asked_at", 0.0, "the CA is asked again at once")
CLOCK_SEEN = StoredTime(
    "clock.json", "at, since", 0.0, "the clock is in doubt until a CA confirms it or a day has passed"
)
CLOCK_ASKED = StoredTime("clock.json", "compared", 0.0, "the comparison with the CA's clock no longer counts")

STORED_TIMES = (
    NEXT_ATTEMPT,
    LIMITED_ATTEMPT,
    LAST_ATTEMPT,
    LAST_ERROR,
    CHAIN_RETRY,
    ARI_CHECK,
    LAST_RUN,
    SCHEDULE_SINCE,
    DELETED_AT,
    LIMIT_NOTED,
    LIMIT_UNTIL,
    USED_AT,
    NOTIFIED_AT,
    REVOCATION_ASKED,
    CLOCK_SEEN,
    CLOCK_ASKED,
    StoredTime("renewal-windows.json", "start, end, chosen", None, "bounded by the certificate's end"),
    StoredTime("lineages/NAME/renewal.json", "targets.*.at", None, "decides nothing and is not shown"),
    StoredTime("lineages/NAME/VERSION/version.json", "created", None, "decides nothing; versions are numbered"),
    StoredTime("orders/NAME/order.json", "created", None, "shown only"),
    StoredTime("orders/NAME/order.json", "expires", None, "the CA's word, compared with the CA's clock"),
    StoredTime("accounts/ID.json", "created", None, "shown only"),
    StoredTime("requests/NAME/request.json", "created", None, "shown only"),
    StoredTime("dns/ID.json", "created", None, "removed after 30 days, but not under a clock in doubt"),
    StoredTime("notified.json", "next_try, not_after", None, "shown only"),
    StoredTime("history.sqlite", "at", None, "entries are chained and numbered; a wrong time in one is evidence"),
    StoredTime("set-aside/STAMP-NAME", "STAMP", None, "part of a name"),
    StoredTime("/run/lock", "since", None, "shown only, while its writer lives"),
    StoredTime(
        "revocation.json", "until", None, "the CA's statement; after that, nothing is known without a newer response"
    ),
    StoredTime("revocation.json", "revoked_at", None, "shown only"),
    StoredTime("backup.json", "at", None, "shown only"),
    StoredTime("healthy.json", "at", None, "under an earlier clock nothing in the file is used"),
    StoredTime(
        "healthy.json", "until, expires", None, "the times of a certificate, at which it becomes due or expires"
    ),
    StoredTime("index.json", "at, signatures", None, "the file system's own change times, compared with each other"),
)
"""The complete list. A test searches the records for a time that is not in it."""


def is_void(at: float | None, now: float, kind: StoredTime) -> bool:
    """Return whether a stored time cannot be right. Epoch seconds; None is not void.

    A clock before the build date judges nothing, because the clock itself is wrong then.
    """
    if at is None or kind.ahead_seconds is None or at <= now + kind.ahead_seconds + TOLERANCE_SECONDS:
        return False
    return now >= BUILT.timestamp()


ERROR_AT = "last_error.at"


def void_times(
    now: float,
    *,
    last_attempt: float | None,
    next_attempt: float | None,
    ari_check_at: float | None,
    chain_retry_at: float | None,
    last_error: Mapping[str, object] | None,
) -> tuple[str, ...]:
    """Return the names of a lineage's times that are void. Epoch seconds."""
    found = []
    if is_void(last_attempt, now, LAST_ATTEMPT):
        found.append("last_attempt")
    is_limited = last_error is not None and last_error.get("code") == RateLimited.code
    if is_void(next_attempt, now, LIMITED_ATTEMPT if is_limited else NEXT_ATTEMPT):
        found.append("next_attempt")
    if is_void(ari_check_at, now, ARI_CHECK):
        found.append("ari_check_at")
    if is_void(chain_retry_at, now, CHAIN_RETRY):
        found.append("chain_retry_at")
    if last_error is not None and is_void(_time_of(last_error), now, LAST_ERROR):
        found.append(ERROR_AT)
    return tuple(found)


def _time_of(error: Mapping[str, object]) -> float | None:
    try:
        return datetime.fromisoformat(str(error.get("at"))).timestamp()
    except (ValueError, OverflowError):
        return None
