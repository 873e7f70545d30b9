"""Reads another client's files within its folder: a link must not point further than the client itself would create it.

certbot's `live/NAME/cert.pem` points to `../../archive`, and dehydrated's links stay in one folder. So the target of every path
has to be below the client's own folder. `core.foreign` decides which links are trusted at all; it looks nothing up twice.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

LONGEST = 256 * 1024
"""Maximum size of a file in bytes: certificates with their chain, keys and settings are much smaller."""


class Outside(OSError):
    """A path points outside the client's folder."""

    def __init__(self, path: Path, base: Path) -> None:
        super().__init__(errno.ELOOP, f"it points outside {base}", str(path))


def read_within(base: Path, path: Path) -> bytes:
    """Return the content of a path below `base`. Raises OSError; Outside for a link that points outside `base`."""
    from core.foreign.walk import look_through, open_folder  # a search that finds no client needs none of it

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
    """Return the content of a file that a client's settings name, wherever it is. Raises OSError."""
    from core.foreign.walk import look_through, open_folder

    with open_folder(path.parent) as folder:
        shown = look_through(folder, path.name)
        if shown is None or shown.copy is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return _short(shown.copy.content, path)


def text_within(base: Path, path: Path) -> str:
    """Return the text of a settings file, with invalid UTF-8 replaced; empty if it cannot be read."""
    try:
        return read_within(base, path).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""


def _short(content: bytes, path: Path) -> bytes:
    if len(content) > LONGEST:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content
