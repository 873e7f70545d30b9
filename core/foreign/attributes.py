"""Owner, group, mode and access list of a file, read from the same descriptor as its content and set on another one.

A service that could read the old key must be able to read the new one, and no other account may.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Sequence
from stat import S_IMODE

from msgspec import Struct
from msgspec.structs import replace

from core.foreign.trust import Level

GIVEN_BITS = 0o666
"""The only bits that certdeck ever sets: neither set-ID nor sticky nor execute, whatever the source has."""
ACCESS_LIST = "system.posix_acl_access"
KEPT_XATTRS = (ACCESS_LIST, "security.selinux")

_GROUP, _OTHERS = 0o070, 0o007
_ACL_VERSION = 2
_ACL_OTHER = 0x20
_ACL_ENTRY = struct.Struct("<HHI")
"""Tag, permissions, ID; they follow a header of four bytes (linux/posix_acl_xattr.h)."""


class Attributes(Struct, frozen=True, kw_only=True):
    """Attributes of a file. None for owner and group: those of the process."""

    mode: int
    uid: int | None = None
    gid: int | None = None
    xattrs: tuple[tuple[str, bytes], ...] = ()


def attributes_of(descriptor: int) -> Attributes:
    """Return the attributes of an open file, with a mode limited to GIVEN_BITS. Raises OSError."""
    status = os.fstat(descriptor)
    xattrs: list[tuple[str, bytes]] = []
    for name in KEPT_XATTRS:
        try:
            value = os.getxattr(descriptor, name)
        except OSError:
            continue  # the file has none, or the file system does not support it
        if name == ACCESS_LIST:
            kept = _only(value, GIVEN_BITS)
            if kept is None:
                continue
            value = kept
        xattrs.append((name, value))
    mode = S_IMODE(status.st_mode) & GIVEN_BITS
    return Attributes(mode=mode, uid=status.st_uid, gid=status.st_gid, xattrs=tuple(xattrs))


def give(descriptor: int, attributes: Attributes) -> None:
    """Set owner, group, mode and access list of an open file. Raises OSError if the owner cannot be set.

    The owner comes first: no account may read the file through the new mode while it has the wrong owner.
    """
    status = os.fstat(descriptor)
    uid = status.st_uid if attributes.uid is None else attributes.uid
    gid = status.st_gid if attributes.gid is None else attributes.gid
    if (uid, gid) != (status.st_uid, status.st_gid):
        os.fchown(descriptor, uid, gid)
    os.fchmod(descriptor, attributes.mode & GIVEN_BITS)
    for name, value in attributes.xattrs:
        try:
            os.setxattr(descriptor, name, value)
        except OSError:
            continue  # the folder of the pair may be on a file system without access lists


def closed_like(attributes: Attributes, source: Sequence[Level], copy: Iterable[Level]) -> Attributes:
    """Return the attributes for a copy at the end of the path `copy`, of a file at the end of the path `source`.

    A file that is world-readable except for a closed folder around it must not become readable outside that folder. Each folder
    on the path to the source that is not on the path to the copy has to let a class of readers through; otherwise the copy
    is closed to that class:

    - all others, through the execute bit for others;
    - the file's group, through the same bit, or through the group's bit if folder and file have the same group;
    - those on the file's access list, through either bit: if the folder has a list, too, the group's bit is its mask.

    The file's owner can still read it. So a file that only root could read stays readable only for root.
    """
    shared = {level.identity for level in copy}
    gates = [level for level in source if level.identity not in shared]
    if all(level.mode & 0o001 for level in gates):
        return attributes
    has_list = any(name == ACCESS_LIST for name, _ in attributes.xattrs)
    lets_group = all(
        level.mode & 0o001 or (level.mode & 0o010 and (has_list or level.gid == attributes.gid)) for level in gates
    )
    if lets_group:
        return without_others(attributes)
    xattrs = tuple((name, value) for name, value in attributes.xattrs if name != ACCESS_LIST)
    return replace(attributes, mode=attributes.mode & ~(_GROUP | _OTHERS), xattrs=xattrs)


def without_others(attributes: Attributes) -> Attributes:
    """Return attributes that give no access to accounts other than owner and group; an access list is limited equally. Pure."""
    xattrs = []
    for name, value in attributes.xattrs:
        kept = _only(value, GIVEN_BITS & ~_OTHERS) if name == ACCESS_LIST else value
        if kept is not None:
            xattrs.append((name, kept))
    return replace(attributes, mode=attributes.mode & ~_OTHERS, xattrs=tuple(xattrs))


def _only(access_list: bytes, mode: int) -> bytes | None:
    """Return an access list without the bits that `mode` does not have; None if it does not have the known format.

    Otherwise the list would set a wider mode again after `fchmod`.
    """
    header, entries = access_list[:4], access_list[4:]
    if header != struct.pack("<I", _ACL_VERSION) or len(entries) % _ACL_ENTRY.size:
        return None
    kept = header
    for tag, permissions, owner in _ACL_ENTRY.iter_unpack(entries):
        bits = mode & 0o007 if tag == _ACL_OTHER else mode >> 3 & 0o007
        kept += _ACL_ENTRY.pack(tag, permissions & bits, owner)
    return kept
