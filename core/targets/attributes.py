"""Owner, group, mode and access list of a target's file: read from what is there, given to what takes its place.

A service that could read the old key must be able to read the new one, and nobody else may.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from core.config.model import TargetConfig
from core.errors import StageFailed

KEPT_XATTRS = ("system.posix_acl_access", "security.selinux")
KEY_MODE = 0o600
CERTIFICATE_MODE = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """None for owner and group: those of the process."""

    mode: int
    uid: int | None = None
    gid: int | None = None
    xattrs: tuple[tuple[str, bytes], ...] = ()


def attributes_of(path: str | os.PathLike[str]) -> Attributes:
    """Return the attributes of the file at `path`, links followed. Raises OSError."""
    status = os.stat(path)
    xattrs: list[tuple[str, bytes]] = []
    for name in KEPT_XATTRS if hasattr(os, "getxattr") else ():
        try:
            xattrs.append((name, os.getxattr(path, name)))
        except OSError:
            continue  # the file has none, or the file system knows none
    return Attributes(mode=stat.S_IMODE(status.st_mode), uid=status.st_uid, gid=status.st_gid, xattrs=tuple(xattrs))


def attributes_for_new(target: TargetConfig, *, is_key: bool) -> Attributes:
    """Return the attributes for a file that was not there, as the configuration says.

    Raises StageFailed (`stage-failed`) for an owner or group that this machine does not have.
    """
    import grp
    import pwd

    uid = gid = None
    try:
        if target.owner is not None:
            uid = int(target.owner) if target.owner.isdigit() else pwd.getpwnam(target.owner).pw_uid
        if target.group is not None:
            gid = int(target.group) if target.group.isdigit() else grp.getgrnam(target.group).gr_gid
    except KeyError as exc:
        wanted = "owner" if uid is None and target.owner is not None else "group"
        raise StageFailed(
            f"The files of target {target.name} cannot be given to the {wanted} that is configured.",
            f"This machine has no such account: {getattr(target, wanted)!r}.",
            f"Correct {wanted} in [targets.{target.name}], or create the account.",
            details={"target": target.name, "live": "old"},
        ) from exc
    mode = CERTIFICATE_MODE
    if is_key:
        mode = int(target.file_mode, 8) if target.file_mode else KEY_MODE
    return Attributes(mode=mode, uid=uid, gid=gid)


def give(descriptor: int, attributes: Attributes) -> None:
    """Give an open file its owner, group, mode and access list. Raises OSError when the owner cannot be given.

    The owner comes first: nobody may read the file through the new mode while the wrong one has it.
    """
    status = os.fstat(descriptor)
    uid = status.st_uid if attributes.uid is None else attributes.uid
    gid = status.st_gid if attributes.gid is None else attributes.gid
    if (uid, gid) != (status.st_uid, status.st_gid):
        os.fchown(descriptor, uid, gid)
    os.fchmod(descriptor, attributes.mode)
    for name, value in attributes.xattrs:
        try:
            os.setxattr(descriptor, name, value)
        except OSError:
            continue  # the folder of the pair may lie on a file system that knows no access lists
