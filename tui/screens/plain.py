"""Text on the bare terminal, without frames, so that the terminal's own selection takes it whole."""

from __future__ import annotations

import sys
from typing import Any

from textual.app import App, SuspendNotSupported

from tui.glyphs import printable


def print_plainly(app: App[Any], words: str) -> None:
    """Leave the console, print `words`, and come back on Enter."""
    try:
        with app.suspend():
            sys.stdout.write(f"\n{printable(words, lines=True)}\nEnter goes back to certdeck. ")
            sys.stdout.flush()
            sys.stdin.readline()
    except SuspendNotSupported:
        app.notify("This terminal cannot be left for a moment.", markup=False)
