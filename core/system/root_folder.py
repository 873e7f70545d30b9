"""Tells whether a process sees the files of this box. Containers and units with `RootDirectory=` do not, sandboxed units only
partly."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_MOST_PARENTS = 64


def is_contained(proc: Path, pid: int) -> bool:
    """Tell whether a process has another root folder: that of a container, of `RootDirectory=`, or of chroot(8).

    Many services change into an empty root after they have read their configuration (haproxy, postfix, dovecot). These do not
    count: they started outside. A process that this user may not inspect does not count either.
    """
    own, process = _identity(proc / "self" / "root"), proc / str(pid)
    root, link = _identity(process / "root"), _text(process / "root")
    if root is None or own is None or root == own:
        return False
    if link in ("", "/"):
        return True
    if _text(process / "exe").startswith(f"{link}/"):
        return True  # chroot(8) started it in that folder
    if not is_private(proc, pid):
        return False
    for parent in _same_namespace(proc, pid):
        if _text(proc / str(parent) / "root") == "/":
            return _identity(proc / str(parent) / "root") != own
    return root[0] != own[0]


def is_private(proc: Path, pid: int) -> bool:
    """Tell whether a process has its own mount namespace, as units with `PrivateTmp=` have."""
    own, its = _text(proc / "self" / "ns" / "mnt"), _text(proc / str(pid) / "ns" / "mnt")
    return bool(own and its and own != its)


def parent_of(process: Path) -> int:
    """Return the parent's pid of a process. 0: it has none, or it is not readable."""
    try:
        # After the name, which may contain spaces and parentheses: state, then the parent.
        return int((process / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def _same_namespace(proc: Path, pid: int) -> Iterator[int]:
    namespace = _text(proc / str(pid) / "ns" / "mnt")
    for _ in range(_MOST_PARENTS):
        pid = parent_of(proc / str(pid))
        if pid == 0 or _text(proc / str(pid) / "ns" / "mnt") != namespace:
            return
        yield pid


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _text(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""
