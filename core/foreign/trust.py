"""Whose word counts on the way to a folder or a file: decided from what `fstat` said, nothing is touched here.

An account is our own when it is root or the one that certdeck runs as. A folder is our own when it belongs to one of these and
nobody else may write in it: whatever it holds was put there by us.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from stat import S_IMODE, S_ISVTX

from msgspec import Struct

WRITABLE_BY_OTHERS = 0o022
WRITABLE_BY_ALL = 0o002


class Level(Struct, frozen=True):
    """One folder on the way from / to where we are, as it was when it was opened."""

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
        return self.device, self.inode

    @property
    def is_ours(self) -> bool:
        """Only we can have put there what is in it. A user's group is commonly the user's alone; root's groups have members."""
        others = WRITABLE_BY_OTHERS if os.geteuid() == 0 else WRITABLE_BY_ALL
        return is_own(self.uid) and not self.mode & others


def is_own(uid: int) -> bool:
    """Tell whether an account is root or the one that this process works as."""
    return uid in (0, os.geteuid())


def may_lead(link_uid: int, folder: Level, reached_uid: int, *, to_folder: bool) -> bool:
    """Tell whether a link may be followed that lies in `folder`.

    - In a folder of our own, a link of our own may lead anywhere: an administrator set it.
    - Anywhere else it has to be a link of the folder's own account, or ours; and to lead to what belongs to the link's account, or
      to the folder's. That account could put the same there itself.
    - A link of ours in the folder of another account may have been moved by that account, and so have taken the place of another.
      It never leads into a folder of ours: we would write there. It may still lead to a file of ours, because a copy of that can be
      read by nobody who could not read it anyway (`attributes.closed_like`).
    """
    if folder.is_ours and is_own(link_uid):
        return True
    if not is_own(link_uid) and link_uid != folder.uid:
        return False
    if to_folder and is_own(reached_uid):
        return False
    return reached_uid == link_uid or (is_own(link_uid) and reached_uid == folder.uid)


def may_be_planted(folder: Level, status: os.stat_result) -> bool:
    """Tell whether a file may be a hard link to a file of somebody else's, made by whoever can write in `folder`.

    The kernel forbids that with `protected_hardlinks`, which can be off.
    """
    if folder.is_ours or status.st_nlink == 1:
        return False
    return is_own(folder.uid) or status.st_uid != folder.uid


def open_to_all(way: Sequence[Level]) -> Level | None:
    """Return the level at which any account could put another folder, or other files, in the place of ours; None: there is none.

    In a sticky folder only the owner of an entry can exchange it; but a new entry can be anybody's, so the last level may not be
    one.
    """
    for level in way[:-1]:
        if level.mode & WRITABLE_BY_ALL and not level.mode & S_ISVTX:
            return level
    return way[-1] if way and way[-1].mode & WRITABLE_BY_ALL else None
