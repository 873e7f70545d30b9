"""Reads and writes a web server's configuration files, as files of another owner: by descriptor, keeping owner and mode."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from core.errors import StoreError
from core.foreign.walk import open_folder
from core.store.atomic import store_error
from core.text import safe_line

ENCODING = "latin-1"
"""One character for each byte, so that any content is preserved."""
_TEMPORARY = ".certdeck-web-new"


def read(path: Path) -> str | None:
    """Return the content of a file, following links. None: it does not exist. Raises StoreError."""
    real = Path(os.path.realpath(path))
    try:
        with open_folder(real.parent) as folder:
            return folder.read(real.name).content.decode(ENCODING)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        raise store_error(exc, real, "read") from exc


def read_if_possible(path: Path) -> str | None:
    """Return the content of a file. None: it does not exist or cannot be read."""
    with suppress(StoreError):
        return read(path)
    return None


def write(texts: Mapping[str, str]) -> None:
    """Replace the contents of existing files (path -> content), each in one step. Raises StoreError."""
    for name, text in texts.items():
        real = Path(os.path.realpath(name))
        try:
            with open_folder(real.parent) as folder:
                attributes = folder.read(real.name).attributes
                folder.put_file(real.name, text.encode(ENCODING), attributes, f"{_TEMPORARY}-{real.name}"[:250])
        except OSError as exc:
            raise store_error(exc, real, "written") from exc


def restore(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """Restore the files that a change wrote. Returns the files that were changed since by another program, and stay as they are.

    Raises StoreError.
    """
    changed = []
    for name, old in before.items():
        now = read(Path(name))
        if now == after.get(name):
            write({name: old})
        elif now != old:
            changed.append(safe_line(name))
    return tuple(changed)
