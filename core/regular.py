"""Reads files whose names people give: a pipe would hold the reader for ever, and a device might never end.

Costs two system calls more than reading outright.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from stat import S_ISREG


def read_regular(path: Path, longest: int = 2_000_000) -> bytes:
    """Return what stands in a regular file.

    Raises OSError, as reading does; also for anything that is not a regular file (EINVAL) or longer than `longest` (EFBIG).
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(handle, "rb") as file:
        if not S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "It is not a regular file", str(path))
        text = file.read(longest + 1)
    if len(text) > longest:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return text
