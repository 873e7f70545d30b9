"""Text on the plain terminal without frames, so that the terminal's own selection can take all of it."""

from __future__ import annotations

import os
import sys
import termios
from typing import Any, Final

from textual.app import App, SuspendNotSupported

from tui.glyphs import printable

_LEAVES: Final = (b"\n", b"\r", b"\x1b", b"q", b"Q", b"\x03", b"\x04", b"")
"""Enter, Esc, q, Ctrl+C, Ctrl+D, and a closed terminal. An arrow also begins with Esc, but arrives as several bytes."""


def print_plainly(app: App[Any], words: str) -> None:
    """Suspend the console, print `words`, and return on Enter, Esc or q."""
    try:
        with app.suspend():
            sys.stdout.write(f"\n{printable(words, lines=True)}\nq, Esc or Enter goes back to certdeck. ")
            sys.stdout.flush()
            wait_to_leave(sys.stdin.fileno())
    except SuspendNotSupported:
        app.notify("This terminal cannot be left for a moment.", markup=False)


def wait_to_leave(descriptor: int) -> None:
    """Read keys without echo until one of them returns to the console; the terminal settings are restored afterwards."""
    try:
        before = termios.tcgetattr(descriptor)
    except termios.error:
        os.read(descriptor, 1)  # not a terminal: no keys, only end of file
        return
    silent = termios.tcgetattr(descriptor)
    silent[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
    try:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, silent)
        while os.read(descriptor, 64) not in _LEAVES:
            pass
    finally:
        # Surplus input must not reach the console as keys.
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)
