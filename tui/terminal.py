"""What the terminal can do, decided before Textual is loaded: whether to start at all, in which signs and colours.

Pure: everything comes in as arguments. The console asks `look` first; the command line's `main` may ask too, to refuse
without paying for Textual.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from core.errors import UsageError

SMALLEST: Final = (60, 16)
"""Columns and rows below which the console only says that it needs more."""

_COMMANDS: Final = "Use the commands instead: `certdeck status`, `certdeck issue -d NAME`, `certdeck --help`"


class Terminal(Struct, frozen=True, kw_only=True):
    ascii: bool = False
    """Draw with ASCII alone."""
    colours: int = 1 << 24
    """0, 16, 256 or 2^24."""

    @property
    def native(self) -> bool:
        """Use the terminal's own sixteen colours, or none, instead of RGB that it would round badly."""
        return self.colours <= 16


def look(
    variables: Mapping[str, str], *, stdin_is_terminal: bool, stdout_is_terminal: bool, encoding: str | None
) -> Terminal:
    """Return what the terminal can do. Raises UsageError (`usage`) where the console cannot work."""
    if not (stdin_is_terminal and stdout_is_terminal):
        which = "input" if not stdin_is_terminal else "output"
        raise UsageError(
            "The console needs a terminal.",
            f"Standard {which} is not one: it is a pipe, a file or a scheduler.",
            f"{_COMMANDS}. Over SSH, `ssh -t` gives a terminal.",
        )
    term = variables.get("TERM", "")
    if term in ("", "dumb", "unknown"):
        said = f"TERM is {term!r}" if term else "TERM is not set"
        raise UsageError(
            "The console cannot draw on this terminal.",
            f"{said}, so nothing is known of what it can do.",
            f"{_COMMANDS}. If the terminal is better than that, set TERM, for example TERM=vt100.",
        )
    utf8 = (encoding or "").lower().replace("-", "").replace("_", "") == "utf8"
    return Terminal(ascii=not utf8 or term.partition("-")[0] == "linux", colours=_colours(variables, term))


def _colours(variables: Mapping[str, str], term: str) -> int:
    if "NO_COLOR" in variables or term.startswith(("vt1", "vt2", "vt5")):
        return 0
    if variables.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return 1 << 24
    if term.endswith("-direct"):
        return 1 << 24
    if "256color" in term or term.startswith(("xterm-kitty", "alacritty", "foot", "xterm-ghostty", "wezterm")):
        return 256
    return 16
