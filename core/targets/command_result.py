"""The result of a service's command.

A command's output is foreign text: for the user, control characters are removed and only the last lines are kept.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from msgspec import Struct

from core.text import tail

MAX_LINES = 12
MAX_LINE_CHARACTERS = 300


class CommandResult(Struct, frozen=True, kw_only=True):
    """The result of a target's command."""

    ok: bool
    why: str = ""
    """One sentence; empty after a success."""
    output: str = ""
    is_idle: bool = False
    """The service is not running, so there was nothing to reload."""
    did_run: bool = True
    """False: the target has no command for this step."""


def shown(argv: Sequence[str]) -> str:
    """Return a command as a user would type it."""
    return plain(shlex.join(argv))


def plain(text: str) -> str:
    """Return the last lines of a program's output, without terminal control characters."""
    return tail(text, MAX_LINES, MAX_LINE_CHARACTERS)
