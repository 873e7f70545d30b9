"""The hands of an administrator at a terminal: they press keys, wait until the screen shows what they expect, and are counted."""

from __future__ import annotations

import re

from tests.support.tmux import Terminal


class Hands:
    """Presses keys in the console and counts them; typed text is not counted, as nobody can do with less of it."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.keys = 0
        terminal.wait_for("Certificates")
        # The first screen is drawn before everything on it was read.
        terminal.wait_for("? Keys")

    def press(self, *keys: str, until: str | re.Pattern[str] = "") -> str:
        """Press keys one after the other and return the screen once it shows `until`."""
        for key in keys:
            self.terminal.press(key)
            self.keys += 1
        return self.terminal.wait_for(until) if until else self.terminal.screen()

    def type(self, text: str) -> None:
        """Type into the field that has the cursor, or gets it by the keys before, and look at it."""
        self.terminal.type(text)
        self.terminal.wait_for(re.compile(rf"{re.escape(text[-20:])}|•{{{len(text)}}}"))

    def start_counting(self) -> None:
        """Forget what was pressed so far."""
        self.keys = 0
