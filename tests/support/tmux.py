"""A real terminal to type into: a program in a private tmux server, driven by keys and read back as text."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.support.programs import NotThere, find_program, wait_until


class Terminal:
    """A program in a terminal of a given size.

    The program gets exactly `env`, plus TERM. The terminal stays after the program has ended, so that its last screen and its
    exit status can be looked at.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        socket: Path,
        env: Mapping[str, str],
        columns: int = 80,
        rows: int = 24,
        term: str = "tmux-256color",
        cwd: Path | None = None,
    ) -> None:
        self._tmux = [find_program("tmux"), "-S", str(socket), "-f", "/dev/null"]
        variables = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", **env, "TERM": term}
        settings = {
            "default-terminal": term,
            "status": "off",  # else the program gets a row less than asked for
            "remain-on-exit": "on",
            "remain-on-exit-format": "",  # else tmux writes a line of its own over the last screen
            "escape-time": "0",
            "set-clipboard": "on",  # what a program copies (OSC 52) lands in tmux's buffer
            "history-limit": "2000",
        }
        commands = ["start-server"]
        for name, value in settings.items():
            commands += [";", "set-option", "-g", name, value]
        commands += [";", "new-session", "-d", "-s", "main", "-x", str(columns), "-y", str(rows)]
        commands += ["-c", str(cwd or Path.cwd())]
        child = ["env", "-i", *(f"{name}={value}" for name, value in variables.items()), *argv]
        self._run(*commands, *child)
        self.pid = int(self._run("display-message", "-p", "-t", "main", "#{pane_pid}"))
        """Of the program itself."""

    def _run(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            [*self._tmux, *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            env={"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "TERM": "xterm-256color"},
        )
        if check and done.returncode:
            raise NotThere(f"tmux {arguments[0]} failed: {done.stderr.strip()}")
        return done.stdout

    # -- hands -------------------------------------------------------------------------------------------------------

    def type(self, text: str) -> None:
        """Type characters as they are."""
        self._run("send-keys", "-t", "main", "-l", "--", text)

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names: `Enter Escape Tab BTab Space BSpace Up Down PageDown Home F1 C-p M-x` …"""
        self._run("send-keys", "-t", "main", "--", *keys)

    def paste(self, text: str) -> None:
        """Paste, as a terminal does it (bracketed where the program asked for that)."""
        self._run("set-buffer", "-b", "pasted", "--", text)
        self._run("paste-buffer", "-p", "-d", "-b", "pasted", "-t", "main")

    def resize(self, columns: int, rows: int) -> None:
        """Change the size; the program gets SIGWINCH."""
        self._run("resize-window", "-t", "main", "-x", str(columns), "-y", str(rows))

    # -- eyes --------------------------------------------------------------------------------------------------------

    def screen(self, *, escapes: bool = False) -> str:
        """Return the visible lines, without blanks at their ends; with `escapes` colours and attributes too."""
        return self._run("capture-pane", "-p", *(["-e"] if escapes else []), "-t", "main")

    def shows(self, wanted: str | re.Pattern[str]) -> bool:
        """Tell whether the screen shows this text, or something that matches, right now."""
        return self._matches(wanted, self.screen())

    def wait_for(self, wanted: str | re.Pattern[str], timeout: float = 60.0) -> str:
        """Return the screen as soon as it shows `wanted`; NotThere with the last screen in it when it never does."""
        return self._wait(lambda screen: self._matches(wanted, screen), f"{wanted!r}", timeout)

    def wait_gone(self, unwanted: str | re.Pattern[str], timeout: float = 60.0) -> str:
        """Return the screen as soon as it does not show `unwanted` any more."""
        return self._wait(lambda screen: not self._matches(unwanted, screen), f"the end of {unwanted!r}", timeout)

    @staticmethod
    def _matches(wanted: str | re.Pattern[str], screen: str) -> bool:
        return wanted in screen if isinstance(wanted, str) else wanted.search(screen) is not None

    def _wait(self, holds: Callable[[str], bool], what: str, timeout: float) -> str:
        try:
            wait_until(lambda: holds(self.screen()), what, timeout=timeout, every=0.02)
        except NotThere as never:
            raise NotThere(f"{never}; the screen shows:\n{self.screen()}") from None
        return self.screen()

    @property
    def clipboard(self) -> str:
        """What the program has copied through the terminal (OSC 52), or nothing."""
        return self._run("show-buffer", check=False)

    @property
    def title(self) -> str:
        """The title that the program has given the terminal."""
        return self._run("display-message", "-p", "-t", "main", "#{pane_title}").rstrip("\n")

    @property
    def is_running(self) -> bool:
        return self._run("display-message", "-p", "-t", "main", "#{pane_dead}").strip() == "0"

    def wait_exit(self, timeout: float = 60.0) -> int:
        """Wait for the program's end and return its exit status (128 + signal when one ended it)."""
        self._wait(lambda _: any(self._end()), "the end of the program", timeout)
        code, number = self._end()
        return int(code) if code else 128 + int(number)

    def _end(self) -> tuple[str, str]:
        """Exit status and signal: both empty while the program runs.

        tmux 3.3 now and then misses that its child has died and leaves it a zombie; it looks again when it is told so.
        """
        ended = self._run(
            "display-message", "-p", "-t", "main", "#{pane_dead_status} #{pane_dead_signal} #{pane_dead} #{pid}"
        )
        code, number, dead, server = ended.rstrip("\n").split(" ")
        if dead == "1" and not (code or number):
            os.kill(int(server), signal.SIGCHLD)
        return code, number

    def close(self) -> None:
        """Drop the connection: the program gets SIGHUP, and the terminal is gone. Idempotent."""
        self._run("kill-server", check=False)
