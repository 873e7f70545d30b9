"""The two streams of a command: results on stdout, everything else on stderr.

Whatever is written has lost what a terminal would obey, and what the stream's encoding cannot say. A reader that went away
(`certdeck log | head`) ends the writing and not the operation; neither does a terminal that hung up.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TextIO

from core.errors import CertdeckError
from tui.glyphs import printable, to_ascii

_COLOURS: Final = {"red": "31", "yellow": "33", "green": "32", "dim": "2", "bold": "1"}


class Stream:
    """One stream. `is_terminal`, `colour` and `unicode` say what it can show."""

    def __init__(self, raw: TextIO | None, variables: Mapping[str, str], *, must_arrive: bool) -> None:
        """Take a stream of the process.

        Args:
            raw: None when it was closed before we began.
            variables: the environment, for NO_COLOR and TERM.
            must_arrive: a text that cannot be written is an error; without, it is dropped.
        """
        self._raw = raw
        self._must_arrive = must_arrive
        encoding = (getattr(raw, "encoding", None) or "ascii").lower().replace("-", "").replace("_", "")
        self.unicode = encoding in ("utf8", "utf16", "utf32")
        self.is_terminal = raw is not None and raw.isatty()
        self.colour = self.is_terminal and not variables.get("NO_COLOR") and variables.get("TERM") != "dumb"

    @property
    def is_lost(self) -> bool:
        """Whether nothing that is written arrives: it was closed, or broke."""
        return self._raw is None

    def line(self, text: str = "") -> None:
        """Write a line that may hold our own colours. What came from outside has been through `printable` by now."""
        self.raw(f"{text if self.unicode else to_ascii(text)}\n")

    def lines(self, texts: Iterable[str]) -> None:
        """Write lines in one go."""
        joined = "".join(f"{text}\n" for text in texts)
        self.raw(joined if self.unicode else to_ascii(joined))

    def raw(self, text: str) -> None:
        """Write text as it is. Raises CertdeckError when it cannot be written, e.g. onto a full disk."""
        if self._raw is not None:
            with self._honest():
                self._raw.write(text.encode("utf-8", "replace").decode("utf-8"))

    def painted(self, text: str, colour: str) -> str:
        """Return `text` in a colour (`red`, `yellow`, `green`, `dim`, `bold`), where there are colours."""
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self.colour and colour in _COLOURS else text

    def finish(self) -> None:
        """Flush. Raises CertdeckError as `raw` does."""
        if self._raw is not None:
            with self._honest():
                self._raw.flush()

    @contextmanager
    def _honest(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            self._break()
        except OSError as exc:
            self._break()
            if not self._must_arrive:
                return
            raise CertdeckError(
                "The result could not be written.",
                f"Writing the output failed: {printable(exc.strerror or 'unknown error')}.",
                "The command itself has finished. Check the result with `certdeck status`.",
            ) from exc

    def _break(self) -> None:
        """Drop what comes from now on, and what Python would flush when it ends."""
        raw, self._raw = self._raw, None
        if raw is None:
            return
        try:
            descriptor = raw.fileno()
        except (OSError, ValueError):
            return
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, descriptor)
        os.close(silence)


class Output:
    """Both streams of this process, as they are now."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.out = Stream(sys.stdout, variables, must_arrive=True)
        self.err = Stream(sys.stderr, variables, must_arrive=False)

    @property
    def can_ask(self) -> bool:
        """Whether a person sits there: questions go to stderr and answers come from stdin."""
        return self.err.is_terminal and sys.stdin is not None and sys.stdin.isatty()

    def finish(self) -> None:
        """Flush both. Raises CertdeckError when stdout cannot be written."""
        self.err.finish()
        self.out.finish()
