"""Where the tests keep their files: in memory where there is room, because certdeck syncs each file that it writes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM_BYTES = 2 * 2**30
"""A container has 64 MiB there unless it is told otherwise; a whole run needs less than this."""


def keep_files_in_memory() -> None:
    """Let `tmp_path` and `tempfile` make their folders in memory, unless the caller has chosen a place (TMPDIR)."""
    if "TMPDIR" not in os.environ and _is_fit(MEMORY):
        # pytest names it so, and hands it on to the processes of xdist.
        tempfile.tempdir = os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def _is_fit(folder: Path) -> bool:
    """Tell whether a file system has room, and programs can be started from it."""
    try:
        facts = os.statvfs(folder)
    except OSError:
        return False
    return (
        os.access(folder, os.W_OK) and not facts.f_flag & os.ST_NOEXEC and facts.f_bavail * facts.f_frsize >= ROOM_BYTES
    )
