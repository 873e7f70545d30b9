"""kill -9, a full disk, or a single error at every file operation of something.

    for where in kills(tmp_path, act):      # act(): what is tried, always from the state that the folder had at first
        ...                                 # the folder is as the dead process left it: look, clean up, look again

    for where, error in full_disks(tmp_path, act):   # from that operation on nothing more fits on the disk
        assert isinstance(error, StoreFull)

    for where, outcome in failures(tmp_path, act):   # that operation, reading ones too, fails once with EIO, EACCES …
        ...                                          # what act() returned, or the exception that it raised

    assert unsynced(root, act) == []    # each rename outlasts a power cut, in the order in which they were done

`kills` runs `act` again and again in a forked child, which dies before its first, second, third … operation below the
folder, and once more in the middle of each write. `full_disks` does the same in this process. `where` says which operation
it was, for the message of a failing assertion. Counted are the functions of `os` that change something, and `open` for
writing; what SQLite and other C code write is not.
"""

from __future__ import annotations

import builtins
import errno
import gc
import io
import os
import shutil
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BY_PATH = (
    "mkdir",
    "rmdir",
    "unlink",
    "remove",
    "chmod",
    "chown",
    "lchown",
    "truncate",
    "utime",
    "symlink",
    "link",
    "rename",
    "replace",
)
BY_HANDLE = ("write", "pwrite", "fsync", "fdatasync", "ftruncate", "fchmod", "fchown")
SYNCS = ("fsync", "fdatasync")
READING = ("stat", "lstat", "readlink", "listdir", "scandir")
ERRORS = (errno.EIO, errno.ENOSPC, errno.EROFS, errno.EACCES)
"""What a system call that changes something may fail with; one that reads fails with the first or the last."""
FILLING = ("open", "write", "pwrite", "mkdir", "symlink", "link", "ftruncate", "truncate", "fsync")
"""What a full disk refuses; renaming and removing go on working."""

Strike = Callable[[str, str, bool], None]


def kills(root: Path, act: Callable[[], object]) -> Iterator[str]:
    """Yield once for each state in which a process that does `act` can leave `root` when it dies, and once for its end."""
    with _restored(root) as restore:
        restore()  # as before each kill: files that were put back have other inodes
        names = _operations(root, act)
        for number, name in enumerate(names, 1):
            # A kill loses nothing that was written: before and after a sync the folder is the same.
            is_new = number == 1 or names[number - 2] not in SYNCS
            for tears in [*([False] if is_new else []), *([True] if name == "write" else [])]:
                restore()
                where = _run_and_kill(root, act, number, tears=tears)
                if where is not None:
                    yield where
        restore()
        late = _run_and_kill(root, act, len(names) + 1, tears=False)
        assert late is None, f"more operations than before: {late}"
        yield "after everything"


def full_disks(
    root: Path, act: Callable[[], object], code: int = errno.ENOSPC
) -> Iterator[tuple[str, BaseException | None]]:
    """Yield once for each operation from which on the disk is full (or `code`), with what `act` raised."""
    with _restored(root) as restore:
        number = 1
        while True:
            restore()
            seen = 0
            where = ""

            def strike(name: str, path: str, is_over: bool, number: int = number) -> None:
                nonlocal seen, where
                if is_over or name not in FILLING:
                    return
                seen += 1
                if seen == number:
                    where = f"full at {number}: {name} {path}"
                if seen >= number:
                    raise OSError(code, os.strerror(code), path)

            error: BaseException | None = None
            with _watched(root, strike):
                try:
                    act()
                except Exception as exc:  # noqa: BLE001 - the test judges it
                    error = exc
            if not where:
                assert error is None, error
                return
            yield where, error
            number += 1


def failures(
    root: Path, act: Callable[[], object], errors: Sequence[int] = ERRORS, *, every: int = 1, for_good: bool = False
) -> Iterator[tuple[str, object]]:
    """Yield once for each operation that fails alone, with what `act` returned or raised.

    Args:
        errors: the operations fail with these in turn.
        every: of those that only read, one in so many.
        for_good: all changing operations after it fail with the same error, as on a file system that has become read-only.
    """
    lock = threading.Lock()
    with _restored(root) as restore:
        number = 1
        while True:
            restore()
            seen = looks = 0
            where = ""
            code = errors[number % len(errors)]

            def strike(name: str, path: str, is_over: bool, number: int = number, code: int = code) -> None:
                nonlocal seen, looks, where
                if is_over:
                    return
                changes = name not in READING and name != "open to read"
                with lock:
                    looks += not changes
                    if not changes and looks % every:
                        return
                    seen += 1
                    if seen == number:
                        where = f"{errno.errorcode[code]} at {number}: {name} {path}"
                    strikes = seen >= number if for_good else seen == number
                if strikes:
                    error = code if changes or code == errno.EACCES else errno.EIO
                    raise OSError(error, os.strerror(error), path)

            outcome: object
            with _watched(root, strike, reads=not for_good):
                try:
                    outcome = act()
                except Exception as exc:  # noqa: BLE001 - the test judges it
                    outcome = exc
            if not where:
                return
            yield where, outcome
            number += 1


def unsynced(root: Path, act: Callable[[], object]) -> list[str]:
    """Do `act` here; return what got its name below `root` by a rename that a power cut may undo or leave without content.

    What was written has to be synced before the rename, and the folder at once after it: a file system may forget a rename and keep
    what was done later.
    """
    done: list[tuple[str, str]] = []
    lock = threading.Lock()

    def strike(name: str, path: str, is_over: bool) -> None:
        with lock:
            if not is_over:
                done.append((name, path))

    with _watched(root, strike):
        act()
    found, unwritten = [], set[str]()
    for (name, path), after in zip(done, [*done[1:], ("", "")], strict=True):
        if name in ("write", "pwrite"):
            unwritten.add(path)
        elif name in SYNCS:
            unwritten.discard(path)
        elif name in ("rename", "replace"):
            if unwritten or after not in [(sync, os.path.dirname(path)) for sync in SYNCS]:
                found.append(os.path.relpath(path, os.path.realpath(root)))
            unwritten.clear()
    return found


def leftovers(root: Path) -> list[str]:
    """Return the temporary names that are still somewhere below `root`."""
    return sorted(str(path.relative_to(root)) for path in root.rglob(".tmp-*"))


@contextmanager
def _restored(root: Path) -> Iterator[Callable[[], None]]:
    """Keep a copy of `root` beside it, to begin from again and again."""
    first = root.with_name(root.name + ".first")
    shutil.copytree(root, first, symlinks=True)

    def restore() -> None:
        for path in root.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        shutil.copytree(first, root, symlinks=True, dirs_exist_ok=True)

    try:
        yield restore
    finally:
        shutil.rmtree(first)


def _operations(root: Path, act: Callable[[], object]) -> list[str]:
    """Let a child do `act` to its end, and return the names of its operations."""
    names: list[str] = []

    def strike(name: str, path: str, is_over: bool) -> None:
        if not is_over:
            names.append(name)

    def watched(say: Callable[[str], object]) -> None:
        with _watched(root, strike):
            act()
        say(" ".join(names))

    status, said = _child(watched)
    assert status == 0, f"the child failed by itself:\n{said}"
    return said.split()


def _run_and_kill(root: Path, act: Callable[[], object], number: int, *, tears: bool) -> str | None:
    """Run `act` in a child that dies at its operation `number`; None when it came to its end before."""

    def watched(say: Callable[[str], object]) -> None:
        seen = 0
        lock = threading.Lock()

        def strike(name: str, path: str, is_over: bool) -> None:
            nonlocal seen
            with lock:
                seen += not is_over
                if seen == number and not is_over:
                    say(f"{'in' if tears else 'before'} {number}: {name} {path}")
                    os.kill(os.getpid(), signal.SIGKILL)

        with _watched(root, strike, tears=tears):
            act()

    status, said = _child(watched)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL, said
        return said
    assert os.WEXITSTATUS(status) == 0, f"the child failed by itself:\n{said}"
    return None


def _child(work: Callable[[Callable[[str], object]], object]) -> tuple[int, str]:
    """Fork and do `work`, which may say something; returns how the child ended, as `waitpid` has it, and what it said."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        gc.disable()  # it ends before that pays
        write = os.write  # the real one, also while operations are watched
        status = 1
        try:
            work(lambda text: write(writing, text.encode()))
            status = 0
        except BaseException:  # noqa: BLE001 - the parent is told
            write(writing, traceback.format_exc().encode())
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    return os.waitpid(child, 0)[1], said


@contextmanager
def _watched(root: Path, strike: Strike, *, tears: bool = False, reads: bool = False) -> Iterator[None]:
    """Call `strike(function, path, is_over)` before and after every operation below `root`; with `reads` those, too."""
    real: dict[tuple[Any, str], Any] = {}
    top = os.path.realpath(root)
    busy = threading.local()

    def concerns(*paths: str) -> str | None:
        """Return what an operation is about, if that is below the folder; of a rename the new name."""
        return next((path for path in reversed(paths) if path == top or path.startswith(top + os.sep)), None)

    def replaced(holder: Any, name: str, make: Callable[[Any], Any]) -> None:
        real[holder, name] = getattr(holder, name)
        setattr(holder, name, make(real[holder, name]))

    def around(name: str, paths_of: Callable[..., tuple[str, ...]]) -> Callable[[Any], Any]:
        def make(function: Any) -> Any:
            def call(*args: Any, **options: Any) -> Any:
                if getattr(busy, "looking", False):
                    return function(*args, **options)  # finding out what a path leads to is no operation
                busy.looking = True
                try:
                    path = concerns(*paths_of(*args, **options))
                finally:
                    busy.looking = False
                if path is None:
                    return function(*args, **options)
                if tears and name == "write":
                    return _torn(function, strike, path, *args)
                strike(name, path, False)
                result = function(*args, **options)
                strike(name, path, True)
                return result

            return call

        return make

    for name in BY_PATH:
        replaced(os, name, around(name, _paths))
    for name in BY_HANDLE:
        replaced(os, name, around(name, lambda handle, *_a, **_o: (_path_of(handle),)))
    replaced(os, "open", around("open", _opened))
    for holder in (builtins, io):
        replaced(holder, "open", around("open", _opened_for_writing))
    if reads:
        for name in READING:
            replaced(os, name, around(name, _looked_at))
        wrapped = {key: getattr(*key) for key in ((os, "open"), (builtins, "open"), (io, "open"))}
        for holder, name in wrapped:
            setattr(holder, name, around("open to read", _read)(wrapped[holder, name]))
    try:
        yield
    finally:
        for (holder, name), function in real.items():
            setattr(holder, name, function)


def _torn(function: Any, strike: Strike, path: str, handle: int, data: Any) -> int:
    """Write the first half before the strike, the second after it."""
    half = len(data) // 2
    done = function(handle, data[:half]) if half else 0
    strike("write", path, False)
    return int(done + function(handle, data[done:]))


def _paths(*args: Any, **options: Any) -> tuple[str, ...]:
    base = options.get("dir_fd") or options.get("src_dir_fd")
    return tuple(_absolute(arg, base) for arg in args[:2] if isinstance(arg, (str, bytes, os.PathLike)))


def _looked_at(*args: Any, **options: Any) -> tuple[str, ...]:
    if args and isinstance(args[0], int):
        return (_path_of(args[0]),)
    return tuple(
        _absolute(arg, options.get("dir_fd")) for arg in args[:1] if isinstance(arg, (str, bytes, os.PathLike))
    )


def _read(file: Any, how: Any = "r", *_: Any, **options: Any) -> tuple[str, ...]:
    writes = _opened(file, how, **options) if isinstance(how, int) else _opened_for_writing(file, how)
    is_path = isinstance(file, (str, bytes, os.PathLike))
    return (_absolute(file, options.get("dir_fd")),) if is_path and not writes else ()


def _absolute(path: Any, base: int | None) -> str:
    text = os.fsdecode(path)
    if base is not None and not os.path.isabs(text):
        text = os.path.join(_path_of(base), text)
    return os.path.join(os.path.realpath(os.path.dirname(text) or "."), os.path.basename(text))


def _path_of(handle: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{handle}")
    except OSError:
        return ""


def _opened(path: Any, flags: int, *_: Any, **options: Any) -> tuple[str, ...]:
    writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    return (_absolute(path, options.get("dir_fd")),) if writes else ()


def _opened_for_writing(file: Any, mode: str = "r", *_: Any, **__: Any) -> tuple[str, ...]:
    is_path = isinstance(file, (str, bytes, os.PathLike))
    return (_absolute(file, None),) if is_path and set(mode) & set("wax+") else ()
