"""Exit statuses: what scripts branch on. Nowhere else is one decided."""

from __future__ import annotations

from core.errors import CertdeckError, LockHeld, UsageError

DONE = 0
FAILED = 1
"""Refused or failed; what was live is still live."""
USAGE = 2
PENDING = 3
"""A manual DNS-01 order waits for a person."""
LOCKED = 4

OK, WARNING, CRITICAL = 0, 1, 2
"""Of `status --check`, as monitoring systems read them."""

MEANINGS = (
    (DONE, "done, or nothing to do"),
    (FAILED, "refused or failed; live certificates are unchanged"),
    (USAGE, "wrong usage"),
    (PENDING, "waiting for a person: a manual DNS-01 order is open"),
    (LOCKED, "another certdeck process is running"),
)
"""For the help texts."""


def status_of(error: CertdeckError) -> int:
    """Return the exit status that an error becomes."""
    if isinstance(error, UsageError):
        return USAGE
    return LOCKED if isinstance(error, LockHeld) else FAILED
