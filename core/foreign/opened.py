"""A folder of another account, held open for reading: all access is relative to its descriptor, whatever happens to its path."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISLNK, S_ISREG
from typing import Self

from msgspec import Struct

from core.foreign.attributes import Attributes, attributes_of
from core.foreign.trust import Level, may_be_planted
from core.foreign.untrusted import UntrustedPath

LONGEST_FILE = 2_000_000
"""Bytes; files of certificates are much smaller."""
_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_ENTER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Copy(Struct, frozen=True, kw_only=True):
    """The content and attributes of a file, all read from one descriptor."""

    content: bytes
    attributes: Attributes
    way: tuple[Level, ...]
    """The folders from / to the file."""
    changed_at: int
    """The second of its last modification."""


class Link(Struct, frozen=True, kw_only=True):
    """A symlink, as it was found."""

    text: str
    uid: int
    gid: int


class OpenFolder:
    """An open folder. Close it, or use it as a context manager. Names are single names, never paths."""

    def __init__(self, descriptor: int, path: Path, way: tuple[Level, ...]) -> None:
        """Take ownership of `descriptor`. `path`: the folder's path with links resolved; for messages and link texts."""
        self.descriptor = descriptor
        self.path = path
        self.way = way

    @property
    def level(self) -> Level:
        return self.way[-1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the folder. May be called again."""
        if self.descriptor != -1:
            os.close(self.descriptor)
            self.descriptor = -1

    def names(self) -> list[str]:
        """Return the names in it, sorted. Raises OSError."""
        with self._at(""):
            return sorted(os.listdir(self.descriptor))

    @contextmanager
    def opened(self, name: str) -> Iterator[tuple[int, os.stat_result]]:
        """Yield a descriptor that only identifies an entry (O_PATH), and its status: no link is followed, nothing is opened."""
        with self._at(name):
            descriptor = os.open(name, _LOOK, dir_fd=self.descriptor)
        try:
            yield descriptor, os.fstat(descriptor)
        finally:
            os.close(descriptor)

    def link(self, name: str) -> Link | None:
        """Return a symlink; None if there is none. Raises OSError."""
        try:
            with self.opened(name) as (descriptor, status):
                return link_of(descriptor, status) if S_ISLNK(status.st_mode) else None
        except FileNotFoundError:
            return None

    def holds(self, name: str) -> bool:
        """Return whether an entry of any type exists. Raises OSError."""
        with self._at(name):
            try:
                os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
            except FileNotFoundError:
                return False
        return True

    def changed_at(self, name: str) -> int:
        """Return the second of an entry's last modification; 0 if there is none. Raises OSError."""
        with self._at(name):
            try:
                return int(os.stat(name, dir_fd=self.descriptor, follow_symlinks=False).st_mtime)
            except FileNotFoundError:
                return 0

    def read(self, name: str) -> Copy:
        """Read a regular file. Raises OSError; UntrustedPath for a link, or for a hard link that may have been planted."""
        with self.opened(name) as (descriptor, status):
            if S_ISLNK(status.st_mode):
                raise UntrustedPath(
                    self.path / name, "it is a symbolic link, not a file", f"Remove {self.path / name}."
                )
            return self.read_opened(name, descriptor, status)

    def read_opened(self, name: str, descriptor: int, status: os.stat_result) -> Copy:
        """Read the file behind the descriptor from `opened`. Raises OSError."""
        path = self.path / name
        if not S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "It is not a regular file", str(path))
        # Through /proc, exactly the examined file is opened: its name could be a device by now.
        with self._at(name):
            try:
                handle = os.open(f"/proc/self/fd/{descriptor}", _READ)
            except FileNotFoundError as exc:
                raise OSError(errno.ENOSYS, "/proc is not mounted", str(path)) from exc
        try:
            self._refuse_planted(name, status)
            if status.st_size > LONGEST_FILE:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
            # Read no more than its size: files in /proc have size 0, belong to the account of their process, and show more to root.
            content = b""
            while chunk := os.read(handle, status.st_size - len(content)):
                content += chunk
            return Copy(
                content=content, attributes=attributes_of(handle), way=self.way, changed_at=int(status.st_mtime)
            )
        finally:
            os.close(handle)

    def _refuse_planted(self, name: str, status: os.stat_result) -> None:
        """Raise UntrustedPath if an account that may not read the open file may have given it this name.

        The link count has to be from a moment when the name still exists: a link that was removed after it had been
        opened is no longer counted.
        """
        if self.level.is_ours:
            return
        with self._at(name):
            named = os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        path = self.path / name
        if (named.st_dev, named.st_ino) != (status.st_dev, status.st_ino):
            raise UntrustedPath(path, "it was replaced while it was being read", "Run the command again.")
        if may_be_planted(self.level, named):
            raise UntrustedPath(
                path,
                "it has a second name (a hard link) and belongs to another account than its folder",
                f"Replace it with a copy: cp {path} {path}.new && mv {path}.new {path}.",
            )

    def enter(self, name: str) -> Self:
        """Open a subfolder, never through a link. Raises OSError."""
        with self._at(name):
            descriptor = os.open(name, _ENTER, dir_fd=self.descriptor)
        return type(self)(descriptor, self.path / name, (*self.way, Level.of(os.fstat(descriptor))))

    @contextmanager
    def _at(self, name: str) -> Iterator[None]:
        """Make an OSError in the block name the full path."""
        try:
            yield
        except UntrustedPath:
            raise
        except OSError as exc:
            exc.filename, exc.filename2 = str(self.path / name), None
            raise


def link_of(descriptor: int, status: os.stat_result) -> Link:
    """Return the symlink that a descriptor from `OpenFolder.opened` identifies. Raises OSError."""
    return Link(text=os.readlink("", dir_fd=descriptor), uid=status.st_uid, gid=status.st_gid)
