"""Atomic writes: a file exists completely or not at all.

Everything is written in the same folder under a temporary name, flushed, and renamed: a crash, a kill or a full disk at any
instruction leaves the old content or the new one. Temporary names start with `.tmp-` and the process id, so that a later
run can tell what a dead one left behind and `sweep` it without touching what a living one is writing. New files are never
readable by others, not even for a moment and whatever the umask. System errors end here: everything raised is a StoreError
that names the path.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from core.concurrently import map_concurrently
from core.errors import StoreError, StoreFull, StoreNotWritable
from core.foreign.untrusted import UntrustedPath

TEMPORARY = ".tmp-"
_numbers = count(1)
_in_use: set[str] = set()
"""Names of the temporary files that this process is writing. Its number alone would not tell: in a container all have the same."""


def write_file(
    path: Path,
    data: bytes,
    mode: int = 0o600,
    *,
    owner: int = -1,
    group: int = -1,
    durable: bool = True,
    beside: Path | None = None,
) -> None:
    """Put `data` at `path` in one step, with `mode` from the first byte on.

    Args:
        owner, group: numeric ids; -1 leaves those of this process.
        durable: False for derived files that may be lost with the power.
        beside: folder of the same file system for the temporary file; default: that of `path`.

    Raises:
        StoreFull (`store-full`), StoreNotWritable (`store-not-writable`), StoreError (`store-error`): nothing changed.
    """
    folder = path.parent if beside is None else beside
    with storing(path):
        temporary, handle = _open_temporary(folder)
        try:
            try:
                if owner != -1 or group != -1:
                    os.fchown(handle, owner, group)
                os.fchmod(handle, mode)
                write_all(handle, data)
                if durable:
                    os.fsync(handle)
            finally:
                os.close(handle)
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        finally:
            _in_use.discard(temporary.name)
        if durable:
            flush(path.parent)


def check_writable(folder: Path) -> None:
    """Raise now what writing a file into `folder` would raise: StoreNotWritable. Where it is not there, the one above counts.

    Only asks: nothing is written that a kill could leave behind.
    """
    with storing(folder):
        while not folder.is_dir() and folder != folder.parent:
            folder = folder.parent
        if not os.access(folder, os.W_OK | os.X_OK):
            is_read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
            code = errno.EROFS if is_read_only else errno.EACCES
            raise OSError(code, os.strerror(code), str(folder))


class TemporaryFile:
    """A derived file in the making: a time first, its content later. A failure to write it is no failure of anything."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._temporary: Path | None = None
        self._handle = -1
        self.changed_at = 0
        """Nanoseconds of the file system's own clock when this was entered; 0 when the file cannot be made."""

    def __enter__(self) -> TemporaryFile:
        with suppress(OSError):
            self._temporary, self._handle = _open_temporary(self._path.parent)
            self.changed_at = os.fstat(self._handle).st_ctime_ns
        return self

    def keep(self, data: bytes) -> None:
        """Put `data` in its place; not flushed."""
        if self._temporary is not None:
            with suppress(OSError):
                write_all(self._handle, data)
                self._temporary.replace(self._path)
                _in_use.discard(self._temporary.name)
                self._temporary = None

    def __exit__(self, *_: object) -> None:
        if self._handle != -1:
            os.close(self._handle)
        if self._temporary is not None:
            with suppress(OSError):
                self._temporary.unlink()
            _in_use.discard(self._temporary.name)


def replace_symlink(link: Path, target: str) -> None:
    """Make `link` point to `target` in one step, whatever it was before. Raises StoreError."""
    with storing(link):
        while True:
            temporary = _temporary_in(link.parent)
            with suppress(FileExistsError):
                temporary.symlink_to(target)
                break
        try:
            os.replace(temporary, link)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        flush(link.parent)


def make_dir(path: Path, mode: int = 0o700) -> None:
    """Make a folder, and those above it, unless it is there; one that is there keeps its mode. Raises StoreError."""
    with storing(path):
        if path.is_dir():
            return
        missing = [path]
        while not missing[-1].parent.is_dir():
            missing.append(missing[-1].parent)
        for folder in reversed(missing):
            with suppress(FileExistsError):
                _make_dir(folder, mode)
                flush(folder.parent)


def _make_dir(path: Path, mode: int) -> None:
    os.mkdir(path, mode)
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchmod(handle, mode)  # the umask may have taken more than it should
    finally:
        os.close(handle)


def new_temporary_dir(folder: Path) -> Path:
    """Make a folder (0700) below `folder` that `sweep` would clear away; fill it, then `settle` it. Raises StoreError."""
    with storing(folder):
        while True:
            temporary = _temporary_in(folder)
            with suppress(FileExistsError):
                _make_dir(temporary, 0o700)
                return temporary


def write_folder(place: Path, files: Mapping[str, bytes], *, inside: str = "") -> None:
    """Put a folder (0700) with these files (0600) at `place`, which must not be there, in one step. Raises StoreError.

    Args:
        inside: name of a folder (0700) in it that gets the files.
    """
    temporary = new_temporary_dir(place.parent)
    try:
        with storing(place):
            folder = temporary / inside
            if inside:
                _make_dir(folder, 0o700)
            for file, data in files.items():
                _write_new(folder / file, data)
            flush(*{temporary, folder}, *(folder / file for file in files))
            temporary.rename(place)
            flush(place.parent)
    except BaseException:
        discard(temporary)
        raise


def _write_new(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(handle, 0o600)
        write_all(handle, data)
    finally:
        os.close(handle)


def settle(temporary: Path, place: Path) -> None:
    """Flush a folder made by `new_temporary_dir` and give it its name. Raises StoreError; `place` must not be there."""
    with storing(place):
        flush(temporary)
        temporary.rename(place)
        flush(place.parent)


def remove_file(path: Path, *, durable: bool = True) -> None:
    """Remove a file or link if it is there. Raises StoreError.

    Args:
        durable: False where it does no harm that the power goes and the file is there again.
    """
    with storing(path), suppress(FileNotFoundError):
        path.unlink()
        if durable:
            flush(path.parent)


def remove_tree(path: Path, *, durable: bool = True) -> None:
    """Remove a folder with all it holds: gone from its place in one step, then cleared away.

    Links are removed, never followed. Raises StoreError. A crash leaves a temporary name for `sweep`. `durable`: see `remove_file`.
    """
    with storing(path):
        temporary = _temporary_in(path.parent)
        try:
            path.rename(temporary)
        except FileNotFoundError:
            return
        if durable:
            flush(path.parent)
        _clear(temporary)


def discard(temporary: Path) -> None:
    """Clear away a folder of `new_temporary_dir` that will not be needed. Never raises: `sweep` is there too."""
    with suppress(OSError):
        _clear(temporary)


def sweep(folder: Path, *, is_shared: bool = False) -> int:
    """Clear away what dead processes left in `folder`; returns how many things. Call it with the writers' lock held.

    Args:
        is_shared: somebody may be writing into it without the lock. Then only what nobody alive can be writing goes.
    """
    try:
        left = [path for path in folder.iterdir() if path.name.startswith(TEMPORARY)]
    except OSError:
        return 0
    swept = 0
    for path in left:
        # The number of a dead process may be another one's by now, in a container even our own.
        if not is_shared or not _writer_lives(path.name):
            with suppress(OSError):
                _clear(path)
                swept += 1
    return swept


def flush(*paths: Path) -> None:
    """Make the content of files, and what happened to the names in folders, outlast a power cut. Raises OSError.

    Side by side: a disk writes together what is waited for together.
    """
    map_concurrently(_flush, paths)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def storing(path: Path, action: str = "written") -> Iterator[None]:
    """Turn an OSError within into the StoreError that says what to do. `action`: past participle for the sentence."""
    try:
        yield
    except OSError as exc:
        raise store_error(exc, path, action) from exc


def store_error(exc: OSError, path: Path | str, action: str = "written") -> StoreError:
    """Return the error for what the system said about `path`."""
    what = f"{path} could not be {action}."
    if isinstance(exc, UntrustedPath):
        return StoreError(what, f"{exc.filename}: {exc.strerror}.", exc.fix)
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        why = "The disk is full." if exc.errno == errno.ENOSPC else "The disk quota is exceeded."
        return StoreFull(what, why, "Free some space, then try again; existing files are unchanged.")
    if exc.errno == errno.EROFS:
        return StoreNotWritable(
            what,
            "The file system is read-only.",
            "Mount it writable, then try again; existing files are unchanged.",
        )
    if exc.errno in (errno.EACCES, errno.EPERM):
        return StoreNotWritable(
            what,
            "This user does not have permission for it.",
            "Run certdeck as root (with sudo), or correct the owner of the folder.",
        )
    why = f"The system says: {exc.strerror or 'input/output error'}."
    return StoreError(what, why, "Fix the cause, then try again; existing files are unchanged.")


def _temporary_in(folder: Path) -> Path:
    return folder / f"{TEMPORARY}{os.getpid()}-{next(_numbers)}"


def _open_temporary(folder: Path) -> tuple[Path, int]:
    while True:
        temporary = _temporary_in(folder)
        with suppress(FileExistsError):
            handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            _in_use.add(temporary.name)
            return temporary, handle


def write_all(handle: int, data: bytes) -> None:
    """Write all of `data`, however small the pieces the system takes. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _writer_lives(name: str) -> bool:
    owner = name.removeprefix(TEMPORARY).split("-", 1)[0]
    if not owner.isdigit() or int(owner) == 0:
        return False
    if int(owner) == os.getpid():
        return name in _in_use
    try:
        os.kill(int(owner), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _clear(path: Path) -> None:
    if not stat.S_ISDIR(path.lstat().st_mode):
        path.unlink()
        return
    for inner in list(path.iterdir()):
        _clear(inner)
    path.rmdir()
