"""Decides which accounts are trusted on the way to a folder or a file, from `fstat` results. Accesses no files.

An account is our own if it is root or the one that certdeck runs as. A folder is our own if it belongs to one of these and
no other account may write in it: then we have created everything in it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from stat import S_IMODE, S_ISVTX

from msgspec import Struct

WRITABLE_BY_OTHERS = 0o022
WRITABLE_BY_ALL = 0o002


class Level(Struct, frozen=True):
    """One folder on the way from / to the current one, as it was when it was opened."""

    device: int
    inode: int
    uid: int
    gid: int
    mode: int
    """Permission bits."""

    @classmethod
    def of(cls, status: os.stat_result) -> Level:
        return cls(status.st_dev, status.st_ino, status.st_uid, status.st_gid, S_IMODE(status.st_mode))

    @property
    def identity(self) -> tuple[int, int]:
        """Device and inode, which identify the folder."""
        return self.device, self.inode

    @property
    def is_ours(self) -> bool:
        """Whether only we can have created its entries. A user's group usually has one member; root's groups have several."""
        others = WRITABLE_BY_OTHERS if os.geteuid() == 0 else WRITABLE_BY_ALL
        return is_own(self.uid) and not self.mode & others


def is_own(uid: int) -> bool:
    """Return whether an account is root or the one that this process runs as."""
    return uid in (0, os.geteuid())


def may_lead(link_uid: int, folder: Level, reached_uid: int, *, to_folder: bool) -> bool:
    """Return whether a link in `folder` may be followed.

    - In a folder of our own, a link of our own may point anywhere: an administrator set it.
    - Anywhere else, the link has to belong to the folder's own account, or to us, and its target to the link's account, or
      to the folder's. That account could create the same there itself.
    - A link of ours in the folder of another account may have been moved by that account, and so have replaced another link.
      It is never followed into a folder of ours, where we would write. It may still point to a file of ours, because no account can
      read a copy of that which could not read the file itself (`attributes.closed_like`).
    """
    if folder.is_ours and is_own(link_uid):
        return True
    if not is_own(link_uid) and link_uid != folder.uid:
        return False
    if to_folder and is_own(reached_uid):
        return False
    return reached_uid == link_uid or (is_own(link_uid) and reached_uid == folder.uid)


def may_be_planted(folder: Level, status: os.stat_result) -> bool:
    """Return whether a file may be a hard link to another account's file, created by an account that can write in `folder`.

    The kernel prevents that with `protected_hardlinks`, which can be disabled.
    """
    if folder.is_ours or status.st_nlink == 1:
        return False
    return is_own(folder.uid) or status.st_uid != folder.uid


def open_to_all(way: Sequence[Level]) -> Level | None:
    """Return the level at which any account could replace our folder or files with its own; None if there is none.

    In a sticky folder only the owner of an entry can replace it, but any account can add an entry, so the last level must not be
    world-writable even if it is sticky.
    """
    for level in way[:-1]:
        if level.mode & WRITABLE_BY_ALL and not level.mode & S_ISVTX:
            return level
    return way[-1] if way and way[-1].mode & WRITABLE_BY_ALL else None
