"""Which accounts other than root and this process's own can change, or read, a file: pure decisions from `lstat` and ACL data.

Root must trust only what root alone can write: otherwise an account that can write a file that names a command, or a folder above
it, has root's rights. A folder with the sticky bit, such as /tmp, is harmless if the entry in it belongs to root.
"""

from __future__ import annotations

import shlex
import stat
import struct
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

ACL_ATTRIBUTE = "system.posix_acl_access"
_USER, _GROUP_OBJECT, _GROUP, _MASK = 0x02, 0x04, 0x08, 0x10
"""Tags of the entries of a POSIX ACL, as stored by Linux (linux/posix_acl_xattr.h)."""
_READ, _WRITE = 4, 2


class Entry(Struct, frozen=True, kw_only=True):
    """One entry on the way to a file: a folder above it, a symbolic link, or the file itself."""

    path: str
    mode: int
    """As returned by `lstat`, including the type bits."""
    uid: int
    gid: int
    acl: bytes = b""
    """The raw POSIX ACL; empty for none."""


class Accounts(Struct, frozen=True, kw_only=True):
    """The trusted accounts of this box."""

    uids: frozenset[int]
    """Root, this process's own effective user, and owners from outside a user namespace."""
    is_shared: Callable[[int], bool]
    """Returns whether a group (gid) has an untrusted member; an unknown group counts as shared."""


class Weakness(Struct, frozen=True, kw_only=True):
    """Why others can change an entry, and the commands that prevent it."""

    path: str
    why: str
    """A clause: `any account can write to it`."""
    fix: tuple[str, ...]
    """Shell commands."""


def weakness(entry: Entry, accounts: Accounts) -> Weakness | None:
    """Return why an untrusted account can change this entry, or the content of a folder; None if none can."""
    reasons, commands = [], []
    quoted = shlex.quote(entry.path)
    if entry.uid not in accounts.uids:
        reasons.append(f"it belongs to the account with uid {entry.uid}")
        commands.append(f"chown {'-h ' if stat.S_ISLNK(entry.mode) else ''}root {quoted}")
    is_sticky = stat.S_ISDIR(entry.mode) and bool(entry.mode & stat.S_ISVTX)
    if not stat.S_ISLNK(entry.mode) and not is_sticky:
        by_acl, by_group = _group_class(entry, accounts, _WRITE)
        if entry.mode & stat.S_IWOTH:
            reasons.append("any account can write to it")
        elif by_group:
            reasons.append(f"members of the group with gid {entry.gid} can write to it")
        if by_acl:
            reasons.append("its access control list lets another account write to it")
            commands.append(f"setfacl -b {quoted}")
        if entry.mode & stat.S_IWOTH or by_group:
            commands.append(f"chmod go-w {quoted}")
    if not reasons:
        return None
    return Weakness(path=entry.path, why=" and ".join(reasons), fix=tuple(commands))


def is_readable(way: Sequence[Entry], accounts: Accounts) -> bool:
    """Return whether an untrusted account can read the last entry of a path from / on."""
    *above, last = way
    if any(stat.S_ISDIR(each.mode) and not _lets_through(each, accounts) for each in above):
        return False
    return last.uid not in accounts.uids or bool(last.mode & stat.S_IROTH) or any(_group_class(last, accounts, _READ))


def _lets_through(folder: Entry, accounts: Accounts) -> bool:
    allowed = folder.mode & stat.S_IXOTH or folder.uid not in accounts.uids
    return bool(allowed) or any(_group_class(folder, accounts, 1))


def _group_class(entry: Entry, accounts: Accounts, wanted: int) -> tuple[bool, bool]:
    """Return whether named entries of the ACL, and whether the owning group, grant `wanted` to an untrusted account."""
    if not entry.mode >> 3 & wanted:  # with an ACL, these bits are its mask
        return False, False
    owning, named = 7, False
    for tag, allowed, who in _acl_entries(entry.acl):
        if tag == _GROUP_OBJECT:
            owning = allowed
        elif tag == _USER and allowed & wanted:
            named = named or who not in accounts.uids
        elif tag == _GROUP and allowed & wanted:
            named = named or accounts.is_shared(who)
    return named, bool(owning & wanted) and accounts.is_shared(entry.gid)


def _acl_entries(acl: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield tag, permissions and ID; nothing if the bytes are not an ACL of the known version."""
    if len(acl) < 4 or acl[:4] != struct.pack("<I", 2):
        return
    whole = len(acl) - (len(acl) - 4) % 8
    yield from struct.iter_unpack("<HHI", acl[4:whole])
