"""A folder of somebody else's, held open: all work in it is relative to its descriptor, whatever happens to its path.

The durable steps (`put_file`, `put_link`, `discard`) are one rename each; each leaves the old or the new. Temporary names are fixed
for each place, so that what a killed run left is found without looking through a folder where other programs have their own files.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG

from msgspec import Struct

from core.foreign.attributes import Attributes, attributes_of, give
from core.foreign.trust import Level, may_be_planted
from core.foreign.untrusted import UntrustedPath

LONGEST_FILE = 2_000_000
"""Bytes; no file of a certificate comes near."""
_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_ENTER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


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


class Folder:
    """An open folder. Close it, or use it as a context. Names are single names, never paths."""

    def __init__(self, descriptor: int, path: Path, way: tuple[Level, ...]) -> None:
        """Take over `descriptor`. `path`: where the folder was found, links resolved; for messages and for link texts."""
        self.descriptor = descriptor
        self.path = path
        self.way = way

    @property
    def level(self) -> Level:
        return self.way[-1]

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """May be called again."""
        if self.descriptor != -1:
            os.close(self.descriptor)
            self.descriptor = -1

    # -- looking -----------------------------------------------------------------------------------------------------------

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

    def enter(self, name: str) -> Folder:
        """Open a subfolder, never through a link. Raises OSError."""
        with self._at(name):
            descriptor = os.open(name, _ENTER, dir_fd=self.descriptor)
        return Folder(descriptor, self.path / name, (*self.way, Level.of(os.fstat(descriptor))))

    # -- making ------------------------------------------------------------------------------------------------------------

    def make_folder(self, name: str, mode: int = 0o700) -> Folder:
        """Make a subfolder and open it. Raises OSError; FileExistsError where there is something.

        Whoever owns this folder could have put another one in its place: one that is not empty, or not ours, is refused.
        """
        with self._at(name):
            os.mkdir(name, mode, dir_fd=self.descriptor)
        made = self.enter(name)
        if made.level.uid != os.geteuid() or made.names():
            made.close()
            raise UntrustedPath(made.path, "it was replaced while it was being created", "Run the command again.")
        return made

    def set_mode(self, mode: int, group: int | None = None, *, durable: bool = True) -> None:
        """Give this folder, which is our own, its mode, and its group where we are root or a member of it. Raises OSError."""
        with self._at(""):
            if group is not None and (os.geteuid() == 0 or group in os.getgroups()):
                os.fchown(self.descriptor, -1, group)
            os.fchmod(self.descriptor, mode)
            if durable:
                os.fsync(self.descriptor)
        self.way = (*self.way[:-1], Level.of(os.fstat(self.descriptor)))

    def open_like(self, other: Folder) -> None:
        """Let those into this folder, which is our own, who can enter `other`, in which it lies; nobody else may write in it.

        It stays ours: in one that belonged to the service's account, that account could exchange what is further down. It opens to
        all where `other` is somebody else's: only those get to it who may enter there.
        """
        status = os.fstat(other.descriptor)
        mode = status.st_mode & 0o755 if status.st_uid == self.level.uid else 0o755
        self.set_mode(0o700 | mode, status.st_gid)

    def write_new(self, name: str, content: bytes, attributes: Attributes, *, durable: bool = True) -> None:
        """Write a file that must not exist yet; readable by nobody else until it has its owner. Raises OSError."""
        with self._at(name):
            descriptor = os.open(name, _MAKE, 0o600, dir_fd=self.descriptor)
            try:
                left = memoryview(content)
                while left:
                    left = left[os.write(descriptor, left) :]
                give(descriptor, attributes)
                if durable:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def put_file(
        self,
        name: str,
        content: bytes,
        attributes: Attributes,
        temporary: str,
        *,
        durable: bool = True,
        past: int = 0,
    ) -> None:
        """Put a file in the place of whatever is at `name`, a link included; it is newer than that. Raises OSError.

        Args:
            past: a second (epoch) that it has to be newer than, too.
        """
        self.clear(temporary)
        with self._given_up(temporary):
            self.write_new(temporary, content, attributes, durable=durable)
            self._make_newer(temporary, max(past, self.changed_at(name)))
            self.move(temporary, name)
        if durable:
            self.sync()

    def write_in_place(self, name: str, content: bytes) -> None:
        """Write into a regular file that is there, for a name that nothing can be renamed onto. Owner, mode and inode stay.

        This is not one step: whoever reads meanwhile, or after a crash, sees a part. Raises OSError; UntrustedPath for a link, and
        for a file with a second name, through which it would be written to elsewhere.
        """
        with self.opened(name) as (descriptor, status):
            if not S_ISREG(status.st_mode) or status.st_nlink != 1:
                what = (
                    "it has a second name (a hard link)"
                    if S_ISREG(status.st_mode)
                    else "it is a link, or no regular file"
                )
                raise UntrustedPath(
                    self.path / name, f"{what}, and certdeck writes to it", f"Replace {self.path / name} with a file."
                )
            with self._at(name):
                handle = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_CLOEXEC)
                try:
                    left = memoryview(content)
                    while left:
                        left = left[os.write(handle, left) :]
                    os.ftruncate(handle, len(content))
                    os.fsync(handle)
                finally:
                    os.close(handle)
        self._make_newer(name, int(status.st_mtime))

    def refresh(self, name: str, *, past: int = 0) -> None:
        """Give an entry, which is our own, the present time; it is newer than `past`, a second (epoch). Raises OSError."""
        with self._at(name):
            os.utime(name, dir_fd=self.descriptor, follow_symlinks=False)
        self._make_newer(name, past)

    def _make_newer(self, name: str, past: int) -> None:
        """Give an entry the second after `past`, unless it is newer anyway. Raises OSError.

        Some services compare times in whole seconds, and read a file again only where it is newer than the one they have (ejabberd
        23.01): two changes within a second, or a clock that was set back, would leave them with the old file.
        """
        if self.changed_at(name) <= past:
            with self._at(name):
                os.utime(name, (past + 1, past + 1), dir_fd=self.descriptor, follow_symlinks=False)

    @contextmanager
    def put_stream(self, name: str, attributes: Attributes, temporary: str) -> Iterator[Callable[[bytes], None]]:
        """Put a file in the place of whatever is at `name` once the block has ended well: what is yielded writes a piece of it.

        Raises OSError; whatever the block raises leaves what was there.
        """
        self.clear(temporary)
        try:
            with self._at(temporary):
                descriptor = os.open(temporary, _MAKE, 0o600, dir_fd=self.descriptor)

            def write(piece: bytes) -> None:
                with self._at(temporary):
                    left = memoryview(piece)
                    while left:
                        left = left[os.write(descriptor, left) :]

            try:
                yield write
                with self._at(temporary):
                    give(descriptor, attributes)
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            self.move(temporary, name)
        except BaseException:
            with suppress(OSError):
                self.clear(temporary)
            raise
        self.sync()

    def put_link(self, name: str, text: str, temporary: str, owner: tuple[int, int] | None = None) -> None:
        """Make `name` a symlink with `text`, whatever it was; with `owner` (user and group) where we are root. Raises OSError.

        A link that was not ours does not become ours by being put back: a link of root's is believed more.
        """
        self.clear(temporary)
        with self._given_up(temporary):
            with self._at(temporary):
                os.symlink(text, temporary, dir_fd=self.descriptor)
            if owner is not None and os.geteuid() == 0:
                self._give_link(temporary, text, owner)
            self.move(temporary, name)
        self.sync()

    def _give_link(self, name: str, text: str, owner: tuple[int, int]) -> None:
        with self.opened(name) as (descriptor, status):
            # Through /proc it is this link that changes hands, not what has its name by now, nor what it leads to.
            if not S_ISLNK(status.st_mode) or link_of(descriptor, status).text != text:
                raise UntrustedPath(
                    self.path / name, "it was replaced while it was being created", "Run the command again."
                )
            if (status.st_uid, status.st_gid) != owner:
                os.chown(f"/proc/self/fd/{descriptor}", *owner)

    def move(self, old: str, new: str) -> None:
        """Give an entry another name, replacing what has that. Raises OSError."""
        with self._at(new):
            os.replace(old, new, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)

    def sync(self) -> None:
        """Make what happened to the names outlast a power cut. Raises OSError."""
        with self._at(""):
            os.fsync(self.descriptor)

    # -- removing ----------------------------------------------------------------------------------------------------------

    def clear(self, name: str) -> bool:
        """Remove a file or link without waiting for the disk; returns whether it was there. Raises OSError."""
        with self._at(name):
            try:
                os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
                os.unlink(name, dir_fd=self.descriptor)
            except FileNotFoundError:
                return False
        return True

    def remove(self, name: str) -> None:
        """Remove a file or link, if it is there. Raises OSError."""
        if self.clear(name):
            self.sync()

    def remove_folder(self, name: str) -> None:
        """Remove an empty subfolder. Raises OSError."""
        with self._at(name):
            os.rmdir(name, dir_fd=self.descriptor)

    def remove_tree(self, name: str) -> None:
        """Remove an entry with all it holds; links are removed, never followed. Raises OSError."""
        with self._at(name):
            is_folder = S_ISDIR(os.stat(name, dir_fd=self.descriptor, follow_symlinks=False).st_mode)
        if not is_folder:
            self.clear(name)
            return
        with self.enter(name) as inner:
            inner.empty()
        self.remove_folder(name)

    def empty(self) -> None:
        """Remove all that is in this folder. Raises OSError."""
        for name in self.names():
            self.remove_tree(name)

    def discard(self, name: str) -> None:
        """Remove a subfolder. It loses its name first: a half-removed folder is never mistaken for a whole one. Raises OSError."""
        doomed = f".gone-{name}"
        if self.holds(doomed):
            self.remove_tree(doomed)
        if self.holds(name):
            self.move(name, doomed)
            self.sync()
            self.remove_tree(doomed)

    # -- errors ------------------------------------------------------------------------------------------------------------

    @contextmanager
    def _given_up(self, temporary: str) -> Iterator[None]:
        try:
            yield
        except OSError:
            with suppress(OSError):
                self.clear(temporary)
            raise

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
