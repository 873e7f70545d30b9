"""Finds the programs that listen on a port, and their addresses, from /proc only."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from core.text import visible

LISTEN = "0A"
"""TCP_LISTEN in /proc/net/tcp."""
UNCONNECTED = "07"
"""State of a UDP socket without a peer (TCP_CLOSE) in /proc/net/udp."""


class Holder(Struct, frozen=True):
    program: str
    """Name of the program. Empty: not visible; other users' processes need root."""
    pid: int
    address: str
    """Address of the listening socket. `0.0.0.0` and `::` mean all addresses."""

    def __str__(self) -> str:
        return f"{self.program} (process {self.pid})" if self.program else "Another program"

    @property
    def is_everywhere(self) -> bool:
        return ipaddress.ip_address(self.address).is_unspecified


def holders_of(port: int, proc: Path = Path("/proc")) -> tuple[Holder, ...]:
    """Return the programs that listen on TCP `port`, one entry for each socket."""
    sockets = {inode: address for inode, address, number in listening_sockets(proc) if number == port}
    if not sockets:
        return ()
    found: dict[str, tuple[str, int]] = {}
    pids = sorted(int(name) for name in os.listdir(proc) if name.isdigit())
    for pid in pids:  # the lowest pid first: the main process, not a worker
        with contextlib.suppress(OSError):
            for inode in sockets_of(proc / str(pid)) & sockets.keys() - found.keys():
                found[inode] = (name_of(proc / str(pid)), pid)
    return tuple(Holder(*found.get(inode, ("", 0)), address) for inode, address in sockets.items())


def in_the_way(holders: Sequence[Holder], address: str) -> tuple[Holder, ...]:
    """Return the holders that prevent listening on `address`. Pure.

    A socket on all addresses blocks each single address. `::` also blocks IPv4 unless it was opened for IPv6 only, which /proc does
    not show.
    """
    wanted = ipaddress.ip_address(address or "0.0.0.0")  # noqa: S104 - it is what the configuration says
    if wanted.is_unspecified:
        return tuple(holders)
    return tuple(
        each
        for each in holders
        if each.address in (str(wanted), "::") or (each.address == "0.0.0.0" and wanted.version == 4)  # noqa: S104
    )


def free_address(holders: Sequence[Holder], own: Sequence[str]) -> str | None:
    """Return an address of this machine on which no holder listens. None: there is none. Pure."""
    return next((each for each in own if not in_the_way(holders, each)), None)


def listening_sockets(proc: Path) -> Iterator[tuple[str, str, int]]:
    """Yield inode, address and port of each listening TCP socket."""
    return _sockets(proc, ("tcp", "tcp6"), LISTEN)


def datagram_sockets(proc: Path) -> Iterator[tuple[str, str, int]]:
    """Yield inode, address and port of each UDP socket without a fixed peer."""
    return _sockets(proc, ("udp", "udp6"), UNCONNECTED)


def _sockets(proc: Path, tables: Sequence[str], state: str) -> Iterator[tuple[str, str, int]]:
    for table in tables:
        try:
            lines = (proc / "net" / table).read_text("ascii", "replace").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if len(fields) > 9 and fields[3] == state:
                with contextlib.suppress(ValueError):
                    address, _, port = fields[1].rpartition(":")
                    yield fields[9], _address(address), int(port, 16)


def sockets_of(process: Path) -> set[str]:
    """Return the inodes of a process's sockets. Empty: not readable."""
    try:
        names = os.listdir(process / "fd")
    except OSError:
        return set()
    held = (_target(process / "fd" / name) for name in names)
    return {link[len("socket:[") : -1] for link in held if link.startswith("socket:[")}


def _address(text: str) -> str:
    """Parse an address in the kernel's format: 32-bit words in the machine's byte order, in hex. Raises ValueError."""
    raw = bytes.fromhex(text)
    words = [raw[at : at + 4] for at in range(0, len(raw), 4)]
    if sys.byteorder == "little":
        words = [word[::-1] for word in words]
    return str(ipaddress.ip_address(b"".join(words)))


def name_of(process: Path) -> str:
    """Return the name of a process (`comm`). Raises OSError."""
    name = (process / "comm").read_text("utf-8", "replace")
    return visible(name.strip(), 64) or "?"


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""
