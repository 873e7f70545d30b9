"""A folder of another account, held open for work in it.

The durable operations (`put_file`, `put_link`) are one rename each, which leaves the old or the new state. Temporary
names are fixed for each path, so that what a killed run left is found without searching a folder with files of other programs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from stat import S_ISDIR, S_ISLNK, S_ISREG

from core.concurrently import map_concurrently
from core.foreign.attributes import Attributes, give
from core.foreign.opened import OpenFolder, link_of
from core.foreign.trust import Level
from core.foreign.untrusted import UntrustedPath

_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Folder(OpenFolder):
    """An open folder in which files, links and subfolders are created, replaced and removed."""

    def make_folder(self, name: str, mode: int = 0o700) -> Folder:
        """Create a subfolder and open it. Raises OSError; FileExistsError if the name exists.

        The owner of this folder could have replaced it: a subfolder that is not empty, or not ours, is refused.
        """
        with self._at(name):
            os.mkdir(name, mode, dir_fd=self.descriptor)
        made = self.enter(name)
        if made.level.uid != os.geteuid() or made.names():
            made.close()
            raise UntrustedPath(made.path, "it was replaced while it was being created", "Run the command again.")
        return made

    def set_mode(self, mode: int, group: int | None = None) -> None:
        """Set the mode of this folder, which is our own, and its group if we are root or a member of it. Raises OSError."""
        with self._at(""):
            if group is not None and (os.geteuid() == 0 or group in os.getgroups()):
                os.fchown(self.descriptor, -1, group)
            os.fchmod(self.descriptor, mode)
        self.way = (*self.way[:-1], Level.of(os.fstat(self.descriptor)))

    def open_like(self, other: Folder) -> None:
        """Let the accounts that can enter the parent `other` also enter this folder, which is our own; only we may write in it.

        It stays ours: if it belonged to the service's account, that account could exchange what is inside. It is open to all if
        `other` belongs to another account: only accounts that may enter `other` can reach it.
        """
        status = os.fstat(other.descriptor)
        mode = status.st_mode & 0o755 if status.st_uid == self.level.uid else 0o755
        self.set_mode(0o700 | mode, status.st_gid)

    def write_new(self, name: str, content: bytes, attributes: Attributes, *, durable: bool = True) -> None:
        """Write a file that must not exist yet; no other account can read it before its owner is set. Raises OSError."""
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
        """Replace whatever is at `name`, also a link, with a file that has a newer modification time. Raises OSError.

        Args:
            past: a second (epoch) that it also has to be newer than.
        """
        self.clear(temporary)
        with self._given_up(temporary):
            self.write_new(temporary, content, attributes, durable=durable)
            self._make_newer(temporary, max(past, self.changed_at(name)))
            self.move(temporary, name)
        if durable:
            self.sync()

    def write_in_place(self, name: str, content: bytes) -> None:
        """Write into an existing regular file whose name cannot be replaced by a rename. Owner, mode and inode stay.

        This is not atomic: a reader may see a part of it, also after a crash. Raises OSError; UntrustedPath for a link, and
        for a file with a second hard link, through which another name would be changed, too.
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
        """Set the modification time of our own entry to now, and later than `past`, a second (epoch). Raises OSError."""
        with self._at(name):
            os.utime(name, dir_fd=self.descriptor, follow_symlinks=False)
        self._make_newer(name, past)

    def _make_newer(self, name: str, past: int) -> None:
        """Set an entry's modification time to the second after `past`, unless it is newer anyway. Raises OSError.

        Some services compare times in whole seconds, and read a file again only if it is newer than the loaded one (ejabberd
        23.01): after two changes within a second, or after the clock was set back, they would keep the old file.
        """
        if self.changed_at(name) <= past:
            with self._at(name):
                os.utime(name, (past + 1, past + 1), dir_fd=self.descriptor, follow_symlinks=False)

    @contextmanager
    def put_stream(self, name: str, attributes: Attributes, temporary: str) -> Iterator[Callable[[bytes], None]]:
        """Replace whatever is at `name` with a file after the block has succeeded; the yielded function writes a piece of it.

        Raises OSError; after any exception in the block, the previous file stays.
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

    def put_link(
        self, name: str, text: str, temporary: str, owner: tuple[int, int] | None = None, *, durable: bool = True
    ) -> None:
        """Make `name` a symlink with `text`, whatever it was; with `owner` (user and group) if we are root. Raises OSError.

        A link that was not ours must not become ours when it is restored, because a link of root is trusted more.
        """
        self.clear(temporary)
        with self._given_up(temporary):
            with self._at(temporary):
                os.symlink(text, temporary, dir_fd=self.descriptor)
            if owner is not None and os.geteuid() == 0:
                self._give_link(temporary, text, owner)
            self.move(temporary, name)
        if durable:
            self.sync()

    def _give_link(self, name: str, text: str, owner: tuple[int, int]) -> None:
        with self.opened(name) as (descriptor, status):
            # Through /proc, exactly this link changes its owner, not what has its name by now, nor its target.
            if not S_ISLNK(status.st_mode) or link_of(descriptor, status).text != text:
                raise UntrustedPath(
                    self.path / name, "it was replaced while it was being created", "Run the command again."
                )
            if (status.st_uid, status.st_gid) != owner:
                os.chown(f"/proc/self/fd/{descriptor}", *owner)

    def move(self, old: str, new: str) -> None:
        """Rename an entry, replacing an existing one with the new name. Raises OSError."""
        with self._at(new):
            os.replace(old, new, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)

    def sync(self, files: Iterable[str] = ()) -> None:
        """Make changes of names, and the content of `files`, durable across a power failure. Raises OSError."""
        with self._at(""), ExitStack() as opened:
            handles = [self.descriptor]
            for name in files:
                handles.append(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.descriptor))
                opened.callback(os.close, handles[-1])
            map_concurrently(os.fsync, handles)  # a disk writes together what is waited for together

    # -- removing ----------------------------------------------------------------------------------------------------------

    def clear(self, name: str) -> bool:
        """Remove a file or link without waiting for the disk; return whether it existed. Raises OSError."""
        with self._at(name):
            try:
                os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
                os.unlink(name, dir_fd=self.descriptor)
            except FileNotFoundError:
                return False
        return True

    def remove(self, name: str) -> None:
        """Remove a file or link if it exists. Raises OSError."""
        if self.clear(name):
            self.sync()

    def remove_folder(self, name: str) -> None:
        """Remove an empty subfolder. Raises OSError."""
        with self._at(name):
            os.rmdir(name, dir_fd=self.descriptor)

    def remove_tree(self, name: str) -> None:
        """Remove an entry with everything in it; links are removed, never followed. Raises OSError."""
        with self._at(name):
            is_folder = S_ISDIR(os.stat(name, dir_fd=self.descriptor, follow_symlinks=False).st_mode)
        if not is_folder:
            self.clear(name)
            return
        with self.enter(name) as inner:
            inner.empty()
        self.remove_folder(name)

    def empty(self) -> None:
        """Remove everything in this folder. Raises OSError."""
        for name in self.names():
            self.remove_tree(name)

    def discard(self, name: str) -> None:
        """Remove a subfolder. It is renamed first: a half-removed folder is never mistaken for a complete one. Not durable.

        Raises OSError.
        """
        doomed = f".gone-{name}"
        if self.holds(doomed):
            self.remove_tree(doomed)
        if self.holds(name):
            self.move(name, doomed)
            self.remove_tree(doomed)

    @contextmanager
    def _given_up(self, temporary: str) -> Iterator[None]:
        try:
            yield
        except OSError:
            with suppress(OSError):
                self.clear(temporary)
            raise
