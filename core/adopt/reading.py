"""Reads another client's files, within its folder: a link leads no further than the client itself would lay it.

certbot's `live/NAME/cert.pem` leads to `../../archive`, and dehydrated's links stay in one folder; so whatever a path leads to has
to lie below the client's own folder. Which links are believed at all is decided by `core.foreign`, which looks nothing up twice.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from core.foreign.walk import look_through, open_folder

LONGEST = 256 * 1024
"""Bytes of a file that is read: no certificate with its chain, no key and no settings come near."""


class Outside(OSError):
    """A path leads out of the client's folder."""

    def __init__(self, path: Path, base: Path) -> None:
        super().__init__(errno.ELOOP, f"it points outside {base}", str(path))


def read_within(base: Path, path: Path) -> bytes:
    """Return what a path below `base` shows. Raises OSError; Outside for a link that leads out of `base`."""
    with open_folder(base) as root, open_folder(path.parent) as folder:
        home = root.level.identity
        if home not in {level.identity for level in folder.way}:
            raise Outside(path, base)
        shown = look_through(folder, path.name)
        if shown is None or shown.copy is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        if home not in {level.identity for level in shown.copy.way}:
            raise Outside(path, base)
        return _short(shown.copy.content, path)


def read_named(path: Path) -> bytes:
    """Return what stands in a file that a client's settings name, wherever that is. Raises OSError."""
    with open_folder(path.parent) as folder:
        shown = look_through(folder, path.name)
        if shown is None or shown.copy is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return _short(shown.copy.content, path)


def text_within(base: Path, path: Path) -> str:
    """Return the text of a settings file, bytes that are no UTF-8 replaced; empty where it cannot be read."""
    try:
        return read_within(base, path).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""


def _short(content: bytes, path: Path) -> bytes:
    if len(content) > LONGEST:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content
