"""Finds out which program listens on a port, from /proc alone."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.text import visible

LISTEN = "0A"
"""TCP_LISTEN as /proc/net/tcp writes it."""


@dataclass(frozen=True, slots=True)
class Holder:
    program: str
    pid: int

    def __str__(self) -> str:
        return f"{self.program} (process {self.pid})"


def holder_of(port: int, proc: Path = Path("/proc")) -> Holder | None:
    """Return who listens on `port`; None when that cannot be seen (other users' processes need root)."""
    inodes = set(_listening_inodes(port, proc))
    if not inodes:
        return None
    wanted = {f"socket:[{inode}]" for inode in inodes}
    pids = sorted(int(name) for name in os.listdir(proc) if name.isdigit())
    for pid in pids:  # the lowest one first: the master process, not a worker
        with contextlib.suppress(OSError):
            if any(_target(proc / str(pid) / "fd" / name) in wanted for name in os.listdir(proc / str(pid) / "fd")):
                name = (proc / str(pid) / "comm").read_text("utf-8", "replace")
                return Holder(visible(name.strip(), 64) or "?", pid)
    return None


def _listening_inodes(port: int, proc: Path) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / table).read_text("ascii", "replace").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if len(fields) > 9 and fields[3] == LISTEN and fields[1].rpartition(":")[2] == f"{port:04X}":
                yield fields[9]


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""
