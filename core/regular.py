"""Reads regular files at user-defined paths: a pipe would block the reader forever, and a device might never end.

Costs two more system calls than plain reading.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from stat import S_ISREG

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


def read_regular(path: Path, longest: int = 2_000_000) -> bytes:
    """Return the content of a regular file.

    Raises OSError, as reading does; also if it is not a regular file (EINVAL) or longer than `longest` bytes (EFBIG).
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
            raise OSError(errno.EINVAL, "It is not a regular file", str(path))
        if status.st_size == 0:
            return b""
        # Through /proc, exactly the examined file is opened, whatever has its name by now.
        return _read(os.open(f"/proc/self/fd/{found}", _READ), path, longest)
    finally:
        os.close(found)


def _read(handle: int, path: Path, longest: int) -> bytes:
    with open(handle, "rb") as file:
        if not S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "It is not a regular file", str(path))
        text = file.read(longest + 1)
    if len(text) > longest:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return text
