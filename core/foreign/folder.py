"""A folder of somebody else's, held open to work in.

The durable steps (`put_file`, `put_link`, `discard`) are one rename each; each leaves the old or the new. Temporary names are fixed
for each place, so that what a killed run left is found without looking through a folder where other programs have their own files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from stat import S_ISDIR, S_ISLNK, S_ISREG

from core.foreign.attributes import Attributes, give
from core.foreign.opened import OpenFolder, link_of
from core.foreign.trust import Level
from core.foreign.untrusted import UntrustedPath

_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Folder(OpenFolder):
    """An open folder in which files, links and subfolders are made, replaced and removed."""

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

    @contextmanager
    def _given_up(self, temporary: str) -> Iterator[None]:
        try:
            yield
        except OSError:
            with suppress(OSError):
                self.clear(temporary)
            raise
