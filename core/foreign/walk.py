"""Walks to a folder or a file, one level after the other. The system follows no link: each is read and judged first."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from stat import S_ISDIR, S_ISLNK

from msgspec import Struct

from core.foreign.folder import Folder
from core.foreign.opened import Copy, Link, link_of
from core.foreign.trust import Level, may_lead
from core.foreign.untrusted import UntrustedPath

MOST_LINKS = 40
"""The same limit as the kernel's (path_resolution(7))."""
_STEP = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


class Shown(Struct, frozen=True, kw_only=True):
    """What is found at a name."""

    link: Link | None = None
    """Set if the name is a link."""
    copy: Copy | None = None
    """The file at the name; None for a dangling link."""


def open_folder(path: Path) -> Folder:
    """Open a folder by its path.

    Raises OSError as opening does; UntrustedPath for a link on the way that must not be followed.
    """
    return _opened(_go(None, path.parts[1:] if path.is_absolute() else path.absolute().parts[1:], _Budget()))


def descend(folder: Folder, name: str) -> Folder:
    """Open a subfolder, also through a link that may be followed. Raises OSError, UntrustedPath."""
    return _opened(_go(folder, [name], _Budget()))


def look_through(folder: Folder, name: str) -> Shown | None:
    """Return what is at a name, read from one descriptor, or None if nothing is.

    Raises OSError, with EINVAL if it is not a file; UntrustedPath for a link that must not be followed, and for a file that may
    have been planted.
    """
    return _look(folder, name, _Budget())


class _Budget:
    """The number of links that may still be followed."""

    def __init__(self) -> None:
        self.left = MOST_LINKS

    def spend(self, path: Path) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))


def _look(folder: Folder, name: str, budget: _Budget) -> Shown | None:
    try:
        with folder.opened(name) as (descriptor, status):
            if not S_ISLNK(status.st_mode):
                return Shown(copy=folder.read_opened(name, descriptor, status))
            link = link_of(descriptor, status)
    except FileNotFoundError:
        return None
    budget.spend(folder.path / name)
    *parts, last = link.text.split("/")
    try:
        with _opened(_go(None if link.text.startswith("/") else folder, parts, budget)) as reached:
            found = _look(reached, last, budget) if last not in ("", ".", "..") else None
    except FileNotFoundError:
        return Shown(link=link)
    if found is None or found.copy is None:
        return Shown(link=link)
    owner = found.copy.attributes.uid
    if owner is None or not may_lead(link.uid, folder.level, owner, to_folder=False):
        raise _not_followed(folder.path / name, link, owner)
    return Shown(link=link, copy=found.copy)


class _Spot(Struct):
    """A position of a walk: a descriptor that only identifies the folder (O_PATH), so that no read permission is needed."""

    descriptor: int
    path: Path
    way: tuple[Level, ...]


def _go(start: Folder | _Spot | None, parts: Sequence[str], budget: _Budget) -> _Spot:
    """Walk on from `start`, which stays open; None: from /."""
    if start is None:
        descriptor = os.open("/", _STEP | os.O_DIRECTORY)
        here = _Spot(descriptor, Path("/"), (Level.of(os.fstat(descriptor)),))
    else:
        here = _Spot(os.dup(start.descriptor), start.path, start.way)
    try:
        for part in parts:
            if part not in ("", "."):
                following = _step(here, part, budget)
                os.close(here.descriptor)
                here = following
    except BaseException:
        os.close(here.descriptor)
        raise
    return here


def _step(here: _Spot, part: str, budget: _Budget) -> _Spot:
    path = here.path.parent if part == ".." else here.path / part
    try:
        descriptor = os.open(part, _STEP, dir_fd=here.descriptor)
    except OSError as exc:
        exc.filename = str(path)
        raise
    status = os.fstat(descriptor)
    level = Level.of(status)
    if S_ISDIR(status.st_mode):
        way = (*here.way, level)
        if part == "..":
            way = here.way[:-1] or here.way
            if way[-1].identity != level.identity:
                os.close(descriptor)
                raise UntrustedPath(
                    path, "a folder was moved while its path was being followed", "Run the command again."
                )
        return _Spot(descriptor, path, way)
    try:
        if not S_ISLNK(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
        link = link_of(descriptor, status)
    finally:
        os.close(descriptor)
    budget.spend(path)
    reached = _go(None if link.text.startswith("/") else here, link.text.split("/"), budget)
    if not may_lead(link.uid, here.way[-1], reached.way[-1].uid, to_folder=True):
        os.close(reached.descriptor)
        raise _not_followed(path, link, reached.way[-1].uid)
    return reached


def _opened(spot: _Spot) -> Folder:
    """Open the folder of a spot for reading; this closes the spot."""
    try:
        descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=spot.descriptor)
    except OSError as exc:
        exc.filename = str(spot.path)
        raise
    finally:
        os.close(spot.descriptor)
    return Folder(descriptor, spot.path, spot.way)


def _not_followed(path: Path, link: Link, owner: int | None) -> UntrustedPath:
    return UntrustedPath(
        path,
        f"it is a link of user {link.uid} to something that belongs to user {owner}; in a folder that other accounts can write to, "
        "certdeck follows links only to what belongs to the same account",
        f"Replace {path} with a file or folder, or configure the path that it points to.",
    )
