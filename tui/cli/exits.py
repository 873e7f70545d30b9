"""Exit statuses, for scripts. They are decided only here."""

from __future__ import annotations

from core.errors import CertdeckError, LockHeld, UsageError

DONE = 0
FAILED = 1
"""Refused or failed. The live certificate is unchanged."""
USAGE = 2
PENDING = 3
"""An order waits for manual DNS records."""
LOCKED = 4

OK, WARNING, CRITICAL = 0, 1, 2
"""Statuses of `status --check`, as used by monitoring systems."""

MEANINGS = (
    (DONE, "done, or nothing to do"),
    (FAILED, "refused or failed; live certificates are unchanged"),
    (USAGE, "wrong usage"),
    (PENDING, "waiting for a person: a manual DNS-01 order is open"),
    (LOCKED, "another certdeck process is running"),
)
"""Meanings of the statuses, for the help texts."""


def status_of(error: CertdeckError) -> int:
    """Return the exit status for an error."""
    if isinstance(error, UsageError):
        return USAGE
    return LOCKED if isinstance(error, LockHeld) else FAILED
