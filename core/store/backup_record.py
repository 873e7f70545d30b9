"""Whether the master key was ever backed up (`state/backup.json`): without a copy, a lost `etc/` costs every secret.

The check costs two `lstat` calls: it is part of every `status`.
"""

from __future__ import annotations

import os
from datetime import datetime

from msgspec import Struct

from core.errors import StoreTooNew
from core.paths import Paths
from core.regular import read_stored
from core.store.atomic import remove_file
from core.store.records import from_json, to_json, write_record

BACKUP = "backup"
ELSEWHERE = "elsewhere"
RESTORED = "restored"


class BackupRecord(Struct, frozen=True, kw_only=True):
    """The last backup of the master key that this box has now."""

    at: datetime
    how: str
    """`backup`, `elsewhere` (by other means, as somebody said), `restored` (the box itself came from a backup)."""


def is_missing(paths: Paths) -> bool:
    """Tell whether there is a master key on this box that was never backed up."""
    if os.path.lexists(paths.backup_record):
        return False
    return os.path.lexists(paths.master_key) or os.path.lexists(paths.master_parameters)


def load(paths: Paths) -> BackupRecord | None:
    """Return the record; None where there is none, or none that can be read: then it is only told once more."""
    try:
        return from_json(BackupRecord, read_stored(paths.backup_record), paths.backup_record)
    except (OSError, ValueError, TypeError, StoreTooNew):
        return None


def save(paths: Paths, at: datetime, how: str) -> None:
    """Keep that there is a backup. Wants the writers' lock. Raises StoreError."""
    write_record(paths.backup_record, to_json(BackupRecord(at=at, how=how)))


def forget(paths: Paths) -> None:
    """Drop the record, because the master key changes. Raises StoreError."""
    remove_file(paths.backup_record)
