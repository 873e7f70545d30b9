"""Finds the programs that accept TCP connections or datagrams on this box, from /proc only."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from core.ports import RunningProgram
from core.system.port_holder import datagram_sockets, listening_sockets, name_of, sockets_of
from core.system.root_folder import is_contained, is_private, parent_of
from core.text import visible

_TOLD_VARIABLES = ("MAIL_CONFIG", "PGDATA", "RABBITMQ_CONFIG_FILE", "EJABBERD_CONFIG_PATH")
"""Variables that tell a service where its configuration is. No others are read: they may contain secrets."""
_MOST_BYTES = 64 * 1024


def listening_programs(proc: Path = Path("/proc")) -> tuple[RunningProgram, ...]:
    """Return the programs that accept TCP connections or datagrams, each once. Only root sees those of other users."""
    sockets = {inode: (address, port) for inode, address, port in listening_sockets(proc)}
    datagrams = {inode for inode, _, _ in datagram_sockets(proc)}
    every = sockets.keys() | datagrams
    holders: dict[str, list[int]] = {}
    for pid in sorted(int(name) for name in os.listdir(proc) if name.isdigit()) if every else ():
        for inode in sockets_of(proc / str(pid)) & every:
            holders.setdefault(inode, []).append(pid)
    listens: dict[int, list[tuple[str, int]]] = {}
    for inode, pids in holders.items():
        own = listens.setdefault(_first(proc, pids), [])
        if inode in sockets:
            own.append(sockets[inode])
    return tuple(_programs(proc, listens))


def _first(proc: Path, pids: Sequence[int]) -> int:
    """Return the process that opened a socket, not children that inherited it, and not systemd, which opens some for others."""
    served = [pid for pid in pids if pid != 1] or pids
    return next((pid for pid in served if parent_of(proc / str(pid)) not in served), served[0])


def _programs(proc: Path, listens: Mapping[int, Sequence[tuple[str, int]]]) -> Iterator[RunningProgram]:
    for pid in sorted(listens):
        process = proc / str(pid)
        with contextlib.suppress(OSError):  # the process has ended in the meantime
            path = _executable(process)
            yield RunningProgram(
                name=visible(os.path.basename(path), 64) or name_of(process),
                path=path,
                pid=pid,
                uid=process.stat().st_uid,
                arguments=tuple(_texts(process / "cmdline")),
                variables={
                    name: value
                    for name, _, value in (text.partition("=") for text in _environment(process))
                    if name in _TOLD_VARIABLES
                },
                sockets=tuple(sorted(set(listens[pid]))),
                is_contained=is_contained(proc, pid),
                is_private=is_private(proc, pid),
                folder=_linked(process / "cwd"),
            )


def _executable(process: Path) -> str:
    """Return the path of a process's program at its start. Empty: not readable."""
    return _linked(process / "exe").removesuffix(" (deleted)")


def _linked(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""


def _environment(process: Path) -> list[str]:
    with contextlib.suppress(OSError):
        return _texts(process / "environ")
    return []


def _texts(file: Path) -> list[str]:
    with open(file, "rb") as opened:
        return [os.fsdecode(each) for each in opened.read(_MOST_BYTES).split(b"\0") if each]
