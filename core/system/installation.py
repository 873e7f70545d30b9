"""Finds the command of the running installation."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

_NAME = "certdeck"


def program(variables: Mapping[str, str], started_as: str | None = None, python: str | None = None) -> str | None:
    """Return the absolute path of the `certdeck` script. None: it was not found.

    Never returns `python -m tui`, which would prefer a `core` in the current folder. Symbolic links are not resolved: a link, for
    example in ~/.local/bin, survives an upgrade better than its target.

    Args:
        started_as, python: None: sys.argv[0] and sys.executable.
    """
    begun = Path(sys.argv[0] if started_as is None else started_as)
    beside = Path(sys.executable if python is None else python).with_name(_NAME)
    for candidate in [begun, beside] if begun.name == _NAME and begun.parent != Path() else [beside]:
        found = candidate.absolute()
        if found.is_file() and os.access(found, os.X_OK):
            return os.path.normpath(found)
    on_path = shutil.which(_NAME, path=variables.get("PATH"))
    return None if on_path is None else os.path.abspath(on_path)
