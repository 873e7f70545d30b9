"""Files that a user names: opened once, read within limits of size and time.

A name can lead to anything. A regular file is read; so is a pipe that the shell has opened for us (`/dev/stdin`, `<(command)`),
for a limited time. A named pipe, a device, a directory or a socket is refused: opening or reading one may block forever, or have
side effects.
"""

from __future__ import annotations

import errno
import os
import re
import select
import stat
import time
from pathlib import Path

from core.errors import UsageError
from core.text import visible

PIPE_SECONDS = 120.0
"""Time limit for a command in `<(command)`."""
FILE_SECONDS = 2.0
"""Time limit for a file, which never blocks if it really is a file."""
SECRET_BYTES = 64 * 1024
"""Larger than any secret: a private key in PEM has a few kilobytes."""
_HANDED_OVER = re.compile(r"/dev/stdin|/dev/fd/\d+|/proc/(?:self|\d+)/fd/\d+")
"""Names of descriptors that this process inherited."""
_LOOK_MILLISECONDS = 200
_REASONS = {
    errno.ENOENT: "There is no such file.",
    errno.ENOTDIR: "There is no such file.",
    errno.EACCES: "This user does not have permission to read it.",
    errno.EPERM: "This user does not have permission to read it.",
    errno.ELOOP: "Its symbolic links form a loop.",
    errno.ENAMETOOLONG: "The name is too long.",
    errno.EISDIR: "It is a directory.",
    errno.EFBIG: "It is too large.",
    errno.ETIMEDOUT: "Reading it took too long.",
    errno.EINVAL: "It is neither a regular file nor a pipe from the shell.",
}


def read_input(path: Path, *, limit: int, pipe_seconds: float = PIPE_SECONDS) -> bytes:
    """Return the content of a file that a user named. A result longer than `limit` bytes (by one) means that it is too long.

    Raises OSError, as reading does; EINVAL if it is neither a regular file nor an inherited pipe, EISDIR for a directory, ETIMEDOUT
    for a pipe that has not ended after `pipe_seconds`; ValueError for an invalid file name.
    """
    # Checked before it is opened, too: opening a device may have side effects.
    _refuse_special(path, os.stat(path))
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        found = os.fstat(handle)
        _refuse_special(path, found)
        # A file in /proc counts as regular, and some (kmsg) block like a pipe.
        seconds = FILE_SECONDS if stat.S_ISREG(found.st_mode) else pipe_seconds
        return read_descriptor(handle, limit=limit, seconds=seconds)
    finally:
        os.close(handle)


def read_descriptor(handle: int, *, limit: int, seconds: float = PIPE_SECONDS) -> bytes:
    """Return what an open descriptor yields until its end, at most `limit` bytes and one more. Raises OSError, as `read_input`.

    A terminal has no time limit: a person types there.
    """
    deadline = None if os.isatty(handle) else time.monotonic() + seconds
    found = bytearray()
    while len(found) <= limit:
        _await(handle, deadline)
        try:
            chunk = os.read(handle, limit + 1 - len(found))
        except BlockingIOError:
            continue
        if not chunk:
            break
        found += chunk
    return bytes(found)


def read_secret_file(path: Path, *, pipe_seconds: float = PIPE_SECONDS) -> bytes:
    """Return the content of a file with a secret; `/dev/null` is empty. Raises UsageError (`usage`), which never shows it."""
    if str(path) == os.devnull:
        return b""
    try:
        content = read_input(path, limit=SECRET_BYTES, pipe_seconds=pipe_seconds)
        if len(content) > SECRET_BYTES:
            raise OSError(errno.EFBIG, "")
    except (OSError, ValueError) as exc:
        raise UsageError(
            f"{_shown(path)} cannot be read.", reason(exc), "Name a regular file that this user can read."
        ) from exc
    return content


def reason(exc: OSError | ValueError) -> str:
    """Return why a file could not be read, in a sentence."""
    if isinstance(exc, OSError):
        return _REASONS.get(exc.errno or 0, f"The system reports: {exc.strerror or 'no reason'}.")
    return "The name is not a valid file name."


def _refuse_special(path: Path, found: os.stat_result) -> None:
    if stat.S_ISREG(found.st_mode):
        return
    if stat.S_ISDIR(found.st_mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not _HANDED_OVER.fullmatch(str(path)):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(path))


def _await(handle: int, deadline: float | None) -> None:
    """Block until data or the end is available. Raises OSError (ETIMEDOUT) after the deadline."""
    poller = select.poll()
    poller.register(handle, select.POLLIN)
    while not poller.poll(_LOOK_MILLISECONDS):
        if deadline is not None and time.monotonic() >= deadline:
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))


def _shown(path: Path) -> str:
    return visible(str(path), 200)
