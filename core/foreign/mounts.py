"""Mount points: containers often mount single files. A file cannot be replaced by a rename if it is a mount point (EBUSY)."""

from __future__ import annotations

import re

TABLE = "/proc/self/mountinfo"
_ESCAPED = re.compile(r"\\([0-7]{3})")
"""Spaces, tabs, newlines and backslashes in a path (proc_pid_mountinfo(5))."""


def mount_points(table: str = TABLE) -> frozenset[str]:
    """Return the mount points that this process sees; empty if the system does not list them."""
    try:
        with open(table, encoding="utf-8", errors="surrogateescape") as lines:
            fields = [line.split(" ", 5) for line in lines]
    except OSError:
        return frozenset()
    return frozenset(_ESCAPED.sub(lambda found: chr(int(found[1], 8)), each[4]) for each in fields if len(each) == 6)
