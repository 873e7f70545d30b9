"""Files that somebody names for an upload, read once, within bounds. The one module here that touches the disk.

A name can lead to anything: a pipe that never ends, a device, a folder, a circle of links. Nothing but a regular file is read, and
opening it never waits.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from core.errors import UsageError
from core.upload.values import MOST_BYTES, Part
from core.x509.certificate import printable

_LONGEST_NAME = 120
_REASONS = {
    errno.ENOENT: ("There is no such file.", "See that the path is right."),
    errno.ENOTDIR: ("There is no such file.", "See that the path is right."),
    errno.EACCES: ("This user may not read it.", "Run certdeck as root, or make the file readable."),
    errno.EPERM: ("This user may not read it.", "Run certdeck as root, or make the file readable."),
    errno.ELOOP: ("Its links lead in a circle.", "Name the file itself."),
    errno.ENAMETOOLONG: ("No file can have a name that long.", "See that the path is right."),
}


def read_part(path: Path) -> Part:
    """Return a file as a part of an upload, called as the path was given. Raises UsageError (`usage`).

    Of a file that is too large, one byte more than is taken is read, and recognising it says so.
    """
    shown = printable(str(path), _LONGEST_NAME)
    try:
        # Looked at first as well: already opening a device may do something.
        _refuse_special(os.stat(path).st_mode, shown)
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError) as exc:
        why, fix = _REASONS.get(
            getattr(exc, "errno", None) or 0, ("It cannot be opened.", "See that the path is right.")
        )
        raise UsageError(f"{shown} cannot be read.", why, fix) from exc
    try:
        _refuse_special(os.fstat(handle).st_mode, shown)
        return Part(str(path), _read(handle))
    except OSError as exc:
        raise UsageError(f"{shown} cannot be read.", "The system could not read it.", "Copy it again.") from exc
    finally:
        os.close(handle)


def _refuse_special(mode: int, shown: str) -> None:
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise UsageError(f"{shown} cannot be read.", f"It is {kind}.", "Name a file with a certificate or a key in it.")


def _read(handle: int) -> bytes:
    found = bytearray()
    while len(found) <= MOST_BYTES:
        chunk = os.read(handle, MOST_BYTES + 1 - len(found))
        if not chunk:
            break
        found += chunk
    return bytes(found)
