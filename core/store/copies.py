"""The sealed copies of deleted lineages as files: which exist, and which have expired. Opens none of them.

A scheduled run with nothing to do uses this too, so nothing heavy is imported.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from core.errors import StoreError
from core.paths import Paths
from core.store.atomic import remove_file, store_error
from core.stored_times import DELETED_AT, is_void

KEPT_FOR = timedelta(days=30)
SUFFIX = ".sealed"
_FILE = re.compile(r"(?P<name>.+)-(?P<stamp>\d{8}T\d{6}Z)(-\d+)?")


class DeletedCopy(Struct, frozen=True):
    """A sealed copy."""

    name: str
    at: datetime
    """When the lineage was deleted; read from the file's name."""
    path: Path

    def counts_from(self, now: datetime) -> datetime:
        """Return what its 30 days begin with: a deletion that is still to come was written under a wrong clock."""
        if not is_void(self.at.timestamp(), now.timestamp(), DELETED_AT):
            return self.at
        with suppress(OSError, ValueError, OverflowError):
            changed = datetime.fromtimestamp(self.path.stat().st_mtime, UTC)
            if not is_void(changed.timestamp(), now.timestamp(), DELETED_AT):
                return changed
        return now


def list_deleted(paths: Paths) -> tuple[DeletedCopy, ...]:
    """Return the copies that are there, newest first. One listing. Raises StoreError."""
    found = []
    try:
        files = os.listdir(paths.deleted)
    except FileNotFoundError:
        return ()
    except OSError as exc:
        raise store_error(exc, paths.deleted, "read") from exc
    for file in files:
        match = _FILE.fullmatch(file.removesuffix(SUFFIX))
        if match is None or not file.endswith(SUFFIX) or file.startswith("."):
            continue
        with suppress(ValueError):  # a foreign file, whose date is none
            at = datetime.strptime(match["stamp"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            found.append(DeletedCopy(match["name"], at, paths.deleted / file))
    return tuple(sorted(found, key=lambda copy: (copy.at, copy.path.name), reverse=True))


def has_old_copies(paths: Paths, now: datetime) -> bool:
    """Tell whether `purge_deleted` would remove something. Never raises: whoever removes says what is wrong."""
    with suppress(StoreError):
        return bool(_old(paths, now))
    return False


def purge_deleted(paths: Paths, now: datetime) -> int:
    """Remove the copies older than 30 days; returns how many. Wants the writers' lock. Raises StoreError."""
    repair_times(paths, now)
    old = _old(paths, now)
    for copy in old:
        remove_file(copy.path)
    return len(old)


def repair_times(paths: Paths, now: datetime) -> None:
    """Let the 30 days of copies whose own time lies in the future begin now. Their names stay: they are sealed under them."""
    for copy in list_deleted(paths):
        if copy.at > now and copy.counts_from(now) == now:
            with suppress(OSError):
                os.utime(copy.path, (now.timestamp(), now.timestamp()))


def _old(paths: Paths, now: datetime) -> list[DeletedCopy]:
    return [copy for copy in list_deleted(paths) if copy.counts_from(now) + KEPT_FOR <= now]
