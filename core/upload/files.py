"""Reads the files of an upload, each once and up to a limit. The only module here that reads from disk."""

from __future__ import annotations

import errno
from pathlib import Path

from core.errors import UsageError
from core.input_file import read_input, reason
from core.upload.values import MOST_BYTES, Part
from core.x509.certificate import printable

_LONGEST_NAME = 120
_NAME_ANOTHER = "Name a file that contains a certificate or a key."
_REASONS = {
    errno.EISDIR: ("It is a directory.", _NAME_ANOTHER),
    errno.EINVAL: ("It is a pipe or a device.", _NAME_ANOTHER),
    errno.ENOENT: ("There is no such file.", "Check the path."),
    errno.ENOTDIR: ("There is no such file.", "Check the path."),
    errno.EACCES: (
        "This user does not have permission to read it.",
        "Run certdeck as root, or make the file readable.",
    ),
    errno.EPERM: ("This user does not have permission to read it.", "Run certdeck as root, or make the file readable."),
    errno.ELOOP: ("Its symbolic links form a loop.", "Name the file itself."),
    errno.ENAMETOOLONG: ("The file name is too long.", "Check the path."),
}


def read_part(path: Path) -> Part:
    """Read a file as a part of an upload, labelled with the given path. Raises UsageError (`usage`).

    Of a file that is too large, it reads one byte more than the limit, so that parsing reports the size.
    """
    shown = printable(str(path), _LONGEST_NAME)
    try:
        return Part(str(path), read_input(path, limit=MOST_BYTES))
    except (OSError, ValueError) as exc:
        kind = exc.errno if isinstance(exc, OSError) else None
        why, fix = _REASONS.get(kind or 0, (reason(exc), "Check the path."))
        raise UsageError(f"{shown} cannot be read.", why, fix) from exc
