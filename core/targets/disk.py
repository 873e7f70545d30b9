"""The few durable steps from which a switch of files is made. Each is one rename; each leaves the old or the new.

Unlike the store's own writes these happen in folders of others: they keep foreign owners, modes and access lists, and
their temporary names are fixed for each place, so that what a killed run left is found without looking through a folder
where other programs have their own temporary files.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.store.atomic import sync_dir
from core.targets.attributes import Attributes, give


def write_new(path: Path | str, content: bytes, attributes: Attributes, folder: int | None = None) -> None:
    """Write a file that must not exist yet; readable by nobody else until it has its owner.

    With `folder`, an open folder, `path` is a name in it.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
        give(descriptor, attributes)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes, attributes: Attributes, temporary: Path) -> None:
    """Put a file in the place of whatever is at `path`, a link included."""
    clear(temporary)
    try:
        write_new(temporary, content, attributes)
        os.replace(temporary, path)
    except OSError:
        clear(temporary)
        raise
    sync_dir(path.parent)


def replace_link(path: Path, text: str, temporary: Path) -> None:
    """Make `path` a symlink with `text`, whatever it was."""
    clear(temporary)
    os.symlink(text, temporary)
    try:
        os.replace(temporary, path)
    except OSError:
        clear(temporary)
        raise
    sync_dir(path.parent)


def remove(path: Path) -> None:
    """Remove a file or link, if it is there."""
    if clear(path):
        sync_dir(path.parent)


def clear(path: Path) -> bool:
    """Remove a file or link without waiting for the disk; returns whether it was there."""
    is_there = os.path.lexists(path)
    if is_there:
        path.unlink()
    return is_there


def make_folder(path: Path, like: Path) -> None:
    """Make a folder that those can enter who can enter `like`, and in which nobody but this process's account can write."""
    with new_folder(path, like):
        pass


@contextmanager
def new_folder(path: Path, like: Path) -> Iterator[int]:
    """Make a folder and give it open, to be filled through the descriptor; at the end it gets the reading rights of `like`.

    Whoever owns the folder above may put a link in its place at any moment. So the path is looked up once, links are refused, and
    the folder stays ours: in one that belonged to the service's account, that account could do the same further down. It opens
    to all where `like` is somebody else's: it lies in `like`, so only those get to it who may enter there.
    """
    os.mkdir(path, 0o700)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor
        status, ours = os.stat(like), os.fstat(descriptor)
        if ours.st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(path))
        if os.geteuid() == 0:
            os.fchown(descriptor, -1, status.st_gid)
        os.fchmod(descriptor, 0o700 | (status.st_mode & 0o755 if status.st_uid == ours.st_uid else 0o755))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def discard(folder: Path, name: str) -> None:
    """Remove the subfolder `name`. It loses its name first: a half-removed folder is never mistaken for a whole one."""
    doomed = folder / f".gone-{name}"
    if doomed.exists():
        shutil.rmtree(doomed)
    if not (folder / name).exists():
        return
    os.rename(folder / name, doomed)
    sync_dir(folder)
    shutil.rmtree(doomed)
