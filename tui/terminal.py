"""Detects the capabilities of the terminal before Textual is loaded: whether to start at all, and with which symbols and colors.

Pure: depends only on its arguments. The console calls `look` first. The command line's `main` can call it too, to refuse without
loading Textual.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from core.errors import UsageError

SMALLEST: Final = (60, 16)
"""Columns and rows below which the console only asks for a larger terminal."""

_BAUDS: Final = (300, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
_PSEUDO_TERMINAL_BAUD: Final = 38400
"""Speed that a terminal over SSH or in a window reports. A lower speed means a serial line."""
_DEC: Final = ("vt1", "vt2", "vt3", "vt4", "vt5")
"""Terminals of DEC, and consoles with such names: no Unicode, and no colors."""
_COMMANDS: Final = "Use the commands instead: `certdeck status`, `certdeck issue -d NAME`, `certdeck --help`"


class Terminal(Struct, frozen=True, kw_only=True):
    ascii: bool = False
    """Draw only with ASCII."""
    colours: int = 1 << 24
    """0, 16, 256 or 2^24."""
    is_slow: bool = False
    """A serial line, or one to treat like it: no animations, and only the terminal's own colors."""

    is_linear: bool = False
    """For a screen reader: no frames, no columns, no bars, and the terminal's cursor on the selected row."""

    @property
    def native(self) -> bool:
        """Use the terminal's own sixteen colors, or none, instead of RGB, which it would approximate badly."""
        return self.colours <= 16


def look(
    variables: Mapping[str, str],
    *,
    stdin_is_terminal: bool,
    stdout_is_terminal: bool,
    encoding: str | None,
    baud: int = 0,
    plain: bool = False,
) -> Terminal:
    """Return the capabilities of the terminal. Raises UsageError (`usage`) if the console cannot work.

    Args:
        baud: the speed of the line in bits per second. 0: not known. A pseudo-terminal reports 38,400.
        plain: use ASCII, few colors, no animation and no frames, whatever the terminal supports.
    """
    if not (stdin_is_terminal and stdout_is_terminal):
        which = "input" if not stdin_is_terminal else "output"
        raise UsageError(
            "The console needs a terminal.",
            f"Standard {which} is a pipe or a file, or a scheduler started certdeck.",
            f"{_COMMANDS}. Over SSH, `ssh -t` gives a terminal.",
        )
    term = variables.get("TERM", "")
    if term in ("", "dumb", "unknown"):
        said = f"TERM is {term!r}" if term else "TERM is not set"
        raise UsageError(
            "The console cannot draw on this terminal.",
            f"{said}, so its capabilities are unknown.",
            f"{_COMMANDS}. If the terminal supports more, set TERM, for example TERM=vt100.",
        )
    utf8 = (encoding or "").lower().replace("-", "").replace("_", "") == "utf8" and not _is_c(variables)
    is_slow = plain or 0 < baud < _PSEUDO_TERMINAL_BAUD
    colours = _colours(variables, term)
    return Terminal(
        ascii=plain or not utf8 or term.partition("-")[0] == "linux" or term.startswith(_DEC),
        # Codes for sixteen colors need a third of the bytes of others.
        colours=min(colours, 16) if is_slow else colours,
        is_slow=is_slow,
        is_linear=plain,
    )


def _is_c(variables: Mapping[str, str]) -> bool:
    """Tell whether the character locale is C, which asks for ASCII. Python reports UTF-8 even then (PEP 540)."""
    return (variables.get("LC_ALL") or variables.get("LC_CTYPE", "")) in ("C", "POSIX")


def baud_of(descriptor: int) -> int:
    """Return the speed of a descriptor's line in bits per second. 0: it has none, or an unknown one."""
    import termios

    try:
        speed = termios.tcgetattr(descriptor)[5]
    except (termios.error, OSError, ValueError):
        return 0
    known = {getattr(termios, f"B{baud}", None): baud for baud in _BAUDS}
    return known.get(speed, 0)


def _colours(variables: Mapping[str, str], term: str) -> int:
    if "NO_COLOR" in variables or term.startswith(_DEC):
        return 0
    if variables.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return 1 << 24
    if term.endswith("-direct"):
        return 1 << 24
    if "256color" in term or term.startswith(("xterm-kitty", "alacritty", "foot", "xterm-ghostty", "wezterm")):
        return 256
    return 16
