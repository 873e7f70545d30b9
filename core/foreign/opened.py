"""A folder of somebody else's, held open to look at: all is relative to its descriptor, whatever happens to its path."""

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
"""Bytes; no file of a certificate comes near."""
_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_ENTER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Copy(Struct, frozen=True, kw_only=True):
    """What was read of a file, all of it from one descriptor."""

    content: bytes
    attributes: Attributes
    way: tuple[Level, ...]
    """The folders from / to the file."""
    changed_at: int
    """The whole second of its last change."""


class Link(Struct, frozen=True, kw_only=True):
    """A symlink, as it was found."""

    text: str
    uid: int
    gid: int


class OpenFolder:
    """An open folder. Close it, or use it as a context. Names are single names, never paths."""

    def __init__(self, descriptor: int, path: Path, way: tuple[Level, ...]) -> None:
        """Take over `descriptor`. `path`: where the folder was found, links resolved; for messages and for link texts."""
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
        """May be called again."""
        if self.descriptor != -1:
            os.close(self.descriptor)
            self.descriptor = -1

    def names(self) -> list[str]:
        """Return what is in it, sorted. Raises OSError."""
        with self._at(""):
            return sorted(os.listdir(self.descriptor))

    @contextmanager
    def opened(self, name: str) -> Iterator[tuple[int, os.stat_result]]:
        """Give an entry's status with a descriptor that only stands for it (O_PATH): a link is not followed, nothing is opened."""
        with self._at(name):
            descriptor = os.open(name, _LOOK, dir_fd=self.descriptor)
        try:
            yield descriptor, os.fstat(descriptor)
        finally:
            os.close(descriptor)

    def link(self, name: str) -> Link | None:
        """Return a symlink; None where there is none. Raises OSError."""
        try:
            with self.opened(name) as (descriptor, status):
                return link_of(descriptor, status) if S_ISLNK(status.st_mode) else None
        except FileNotFoundError:
            return None

    def holds(self, name: str) -> bool:
        """Tell whether an entry is there, whatever it is. Raises OSError."""
        with self._at(name):
            try:
                os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
            except FileNotFoundError:
                return False
        return True

    def changed_at(self, name: str) -> int:
        """Return the whole second at which an entry was last changed; 0 where there is none. Raises OSError."""
        with self._at(name):
            try:
                return int(os.stat(name, dir_fd=self.descriptor, follow_symlinks=False).st_mtime)
            except FileNotFoundError:
                return 0

    def read(self, name: str) -> Copy:
        """Read a regular file. Raises OSError, UntrustedPath for a link or for a hard link that may be planted."""
        with self.opened(name) as (descriptor, status):
            if S_ISLNK(status.st_mode):
                raise UntrustedPath(
                    self.path / name, "it is a symbolic link, not a file", f"Remove {self.path / name}."
                )
            return self.read_opened(name, descriptor, status)

    def read_opened(self, name: str, descriptor: int, status: os.stat_result) -> Copy:
        """Read the file that `opened` gave. Raises OSError."""
        path = self.path / name
        if not S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "It is not a regular file", str(path))
        # Through /proc it is the very file that was looked at: by its name it could be a device by now.
        with self._at(name):
            try:
                handle = os.open(f"/proc/self/fd/{descriptor}", _READ)
            except FileNotFoundError as exc:
                raise OSError(errno.ENOSYS, "/proc is not mounted", str(path)) from exc
        try:
            self._refuse_planted(name, status)
            if status.st_size > LONGEST_FILE:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
            # No more than its size: a file of /proc has none, belongs to the account whose process it is of, and shows root more.
            content = b""
            while chunk := os.read(handle, status.st_size - len(content)):
                content += chunk
            return Copy(
                content=content, attributes=attributes_of(handle), way=self.way, changed_at=int(status.st_mtime)
            )
        finally:
            os.close(handle)

    def _refuse_planted(self, name: str, status: os.stat_result) -> None:
        """Raise UntrustedPath where the open file may have its name here from somebody who may not read it.

        The count of links has to be that of a moment at which the name is still there: a link that was removed after it had been
        opened is not counted any more.
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
        """Let an OSError within name the whole path."""
        try:
            yield
        except UntrustedPath:
            raise
        except OSError as exc:
            exc.filename, exc.filename2 = str(self.path / name), None
            raise


def link_of(descriptor: int, status: os.stat_result) -> Link:
    """Return the symlink that a descriptor of `Folder.opened` stands for. Raises OSError."""
    return Link(text=os.readlink("", dir_fd=descriptor), uid=status.st_uid, gid=status.st_gid)
