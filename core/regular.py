"""Reads files whose names people give: a pipe would hold the reader for ever, and a device might never end.

Costs two system calls more than reading outright.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from stat import S_ISREG

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


def read_regular(path: Path, longest: int = 2_000_000) -> bytes:
    """Return what stands in a regular file.

    Raises OSError, as reading does; also for anything that is not a regular file (EINVAL) or longer than `longest` (EFBIG).
    """
    return _read(os.open(path, _READ), path, longest)


def read_without_waking(path: Path, longest: int = 2_000_000) -> bytes:
    """Return what stands in a regular file, at a path that others arrange, and open nothing else: to open a device can start it.

    A file without a size is not opened either: those of /proc have none, and reading one can take away what it shows. Good for
    comparing, and for naming a certificate; what is kept or copied of such a file is read by `core.foreign`. Raises as
    `read_regular` does.
    """
    found = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        status = os.fstat(found)
        if not S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "It is not a regular file", str(path))
        if status.st_size == 0:
            return b""
        # Through /proc it is the very file that was looked at, whatever has its name by now.
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
