"""Finds out which programs listen on a port, and on which addresses, from /proc alone."""

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
"""TCP_LISTEN as /proc/net/tcp writes it."""
UNCONNECTED = "07"
"""The state of a UDP socket without a peer (TCP_CLOSE), as /proc/net/udp writes it."""


class Holder(Struct, frozen=True):
    program: str
    """Empty where it cannot be seen: other users' processes need root."""
    pid: int
    address: str
    """Of the listening socket; `0.0.0.0` and `::` are all addresses."""

    def __str__(self) -> str:
        return f"{self.program} (process {self.pid})" if self.program else "Another program"

    @property
    def is_everywhere(self) -> bool:
        return ipaddress.ip_address(self.address).is_unspecified


def holders_of(port: int, proc: Path = Path("/proc")) -> tuple[Holder, ...]:
    """Return who listens on `port`, one entry for each address."""
    sockets = {inode: address for inode, address, number in listening_sockets(proc) if number == port}
    if not sockets:
        return ()
    found: dict[str, tuple[str, int]] = {}
    pids = sorted(int(name) for name in os.listdir(proc) if name.isdigit())
    for pid in pids:  # the lowest one first: the master process, not a worker
        with contextlib.suppress(OSError):
            for inode in sockets_of(proc / str(pid)) & sockets.keys() - found.keys():
                found[inode] = (name_of(proc / str(pid)), pid)
    return tuple(Holder(*found.get(inode, ("", 0)), address) for inode, address in sockets.items())


def in_the_way(holders: Sequence[Holder], address: str) -> tuple[Holder, ...]:
    """Return those because of whom `address` cannot be had. Pure.

    A socket on all addresses is in the way of each single one, and `::` is in the way of IPv4 unless it was opened for IPv6 alone,
    which cannot be seen.
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
    """Return an address of this machine on which nobody of `holders` listens; None where another address does not help. Pure."""
    return next((each for each in own if not in_the_way(holders, each)), None)


def listening_sockets(proc: Path) -> Iterator[tuple[str, str, int]]:
    """Yield inode, address and port of each listening TCP socket."""
    return _sockets(proc, ("tcp", "tcp6"), LISTEN)


def datagram_sockets(proc: Path) -> Iterator[tuple[str, str, int]]:
    """Yield inode, address and port of each UDP socket that takes datagrams from anybody."""
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
    """Return the inodes of the sockets that a process holds; none where it cannot be looked at."""
    try:
        names = os.listdir(process / "fd")
    except OSError:
        return set()
    held = (_target(process / "fd" / name) for name in names)
    return {link[len("socket:[") : -1] for link in held if link.startswith("socket:[")}


def _address(text: str) -> str:
    """Read an address as the kernel writes it: 32-bit words in the machine's own byte order. Raises ValueError."""
    raw = bytes.fromhex(text)
    words = [raw[at : at + 4] for at in range(0, len(raw), 4)]
    if sys.byteorder == "little":
        words = [word[::-1] for word in words]
    return str(ipaddress.ip_address(b"".join(words)))


def name_of(process: Path) -> str:
    """Return what a process calls itself. Raises OSError."""
    name = (process / "comm").read_text("utf-8", "replace")
    return visible(name.strip(), 64) or "?"


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""
