"""Reads regular files only: a pipe would block the reader forever, and a device might never end.

Every file of the store and every user-defined path is read this way. It costs no more than plain reading.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from stat import S_ISDIR, S_ISREG

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


class NotRegular(OSError):
    """Something else has the name of a file: a folder (EISDIR), a pipe, a socket or a device (EINVAL)."""


def read_stored(path: Path | str) -> bytes:
    """Return the whole content of a file of ours. Raises OSError, as reading does; NotRegular."""
    handle = os.open(path, _READ)
    try:
        size = _size(handle, path)
        data = os.read(handle, size + 1)
        if len(data) == size:  # one more was asked for, so this is the end
            return data
        parts = [data]
        while data:
            data = os.read(handle, 1_000_000)
            parts.append(data)
        return b"".join(parts)
    finally:
        os.close(handle)


def read_regular(path: Path, longest: int = 2_000_000) -> bytes:
    """Return the content of a regular file.

    Raises OSError, as reading does; NotRegular; also if it is longer than `longest` bytes (EFBIG).
    """
    return _read(os.open(path, _READ), path, longest)


def read_without_waking(path: Path, longest: int = 2_000_000) -> bytes:
    """Return the content of a regular file at a path that others control, and open nothing else: opening a device can start it.

    A file of size 0 is not opened either: files in /proc have no size, and reading one can consume its content. Use this to
    compare content and to identify a certificate; to store or copy such a file, use `core.foreign`. Raises as `read_regular` does.
    """
    found = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        status = os.fstat(found)
        if not S_ISREG(status.st_mode):
            raise _not_regular(status.st_mode, path)
        if status.st_size == 0:
            return b""
        # Through /proc, exactly the examined file is opened, whatever has its name by now.
        return _read(os.open(f"/proc/self/fd/{found}", _READ), path, longest)
    finally:
        os.close(found)


def _read(handle: int, path: Path, longest: int) -> bytes:
    with open(handle, "rb") as file:
        _size(handle, path)
        text = file.read(longest + 1)
    if len(text) > longest:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return text


def _size(handle: int, path: Path | str) -> int:
    status = os.fstat(handle)
    if not S_ISREG(status.st_mode):
        raise _not_regular(status.st_mode, path)
    return status.st_size


def _not_regular(mode: int, path: Path | str) -> NotRegular:
    number, text = (errno.EISDIR, "It is a folder") if S_ISDIR(mode) else (errno.EINVAL, "It is not a regular file")
    return NotRegular(number, text, str(path))
