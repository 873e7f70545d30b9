"""How a command of a service ended, in words.

A command's output comes from outside: what reaches a person is stripped of control characters and cut to its last lines.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from msgspec import Struct

from core.text import tail

MAX_LINES = 12
MAX_LINE_CHARACTERS = 300


class CommandResult(Struct, frozen=True, kw_only=True):
    """How a command of a target ended."""

    ok: bool
    why: str = ""
    """One sentence; empty when it went well."""
    output: str = ""
    is_idle: bool = False
    """The service does not run at all, so there was nothing to reload."""
    did_run: bool = True
    """False: the target names no command for this step."""


def shown(argv: Sequence[str]) -> str:
    """Return a command as a person would type it."""
    return plain(shlex.join(argv))


def plain(text: str) -> str:
    """Return the last lines of what a program said, without anything that a terminal would act on."""
    return tail(text, MAX_LINES, MAX_LINE_CHARACTERS)
