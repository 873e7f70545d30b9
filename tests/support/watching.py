"""Sees each file operation of this process below a folder, before it is done and afterwards.

Counted are the functions of `os` that change something, and `open` for writing; on request those that read, too. What SQLite and
other C code write is not.
"""

from __future__ import annotations

import builtins
import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

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
READING = ("stat", "lstat", "readlink", "listdir", "scandir")
Moment = Literal["before", "in", "after"]
Strike = Callable[[str, str, Moment], None]


@contextmanager
def watched(root: Path, strike: Strike, *, tears: bool = False, reads: bool = False) -> Iterator[None]:
    """Call `strike(function, path, moment)` around every operation below `root`; with `reads` those that read, too."""
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
                strike(name, path, "before")
                result = function(*args, **options)
                strike(name, path, "after")
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
    """Write the first half, strike, and write the second one."""
    strike("write", path, "before")
    half = len(data) // 2
    done = function(handle, data[:half]) if half else 0
    strike("write", path, "in")
    done += function(handle, data[done:])
    strike("write", path, "after")
    return int(done)


def _paths(*args: Any, **options: Any) -> tuple[str, ...]:
    base = options.get("dir_fd") or options.get("src_dir_fd")
    return tuple(_absolute(arg, base) for arg in args[:2] if isinstance(arg, (str, bytes, os.PathLike)))


def _looked_at(*args: Any, **options: Any) -> tuple[str, ...]:
    if args and isinstance(args[0], int):
        return (_path_of(args[0]),)
    return tuple(_named(arg, options.get("dir_fd")) for arg in args[:1] if isinstance(arg, (str, bytes, os.PathLike)))


def _read(file: Any, how: Any = "r", *_: Any, **options: Any) -> tuple[str, ...]:
    writes = _opened(file, how, **options) if isinstance(how, int) else _opened_for_writing(file, how)
    is_path = isinstance(file, (str, bytes, os.PathLike))
    return (_named(file, options.get("dir_fd")),) if is_path and not writes else ()


def _named(path: Any, base: int | None) -> str:
    text = os.fsdecode(path)
    return text if base is None or os.path.isabs(text) else os.path.join(_path_of(base), text)


def _absolute(path: Any, base: int | None) -> str:
    """Return a path without links: finding that out takes many calls, which reading often is not worth."""
    text = _named(path, base)
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
