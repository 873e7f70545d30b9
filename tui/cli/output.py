"""The two streams of a command: results on stdout, everything else on stderr.

Output contains no foreign control characters, and no characters that the stream's encoding lacks. If the reader closes the pipe
(`certdeck log | head`) or the terminal hangs up, the output ends, but not the operation.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TextIO

from core.errors import CertdeckError
from tui.glyphs import Drawing, printable, to_ascii

_COLOURS: Final = {"red": "31", "yellow": "33", "green": "32", "dim": "2", "bold": "1"}


class Stream:
    """One stream. `is_terminal`, `colour` and `unicode` tell what it supports."""

    def __init__(self, raw: TextIO | None, variables: Mapping[str, str], *, must_arrive: bool) -> None:
        """Wrap a stream of the process.

        Args:
            raw: None: it was closed before the start.
            variables: environment variables, for NO_COLOR and TERM.
            must_arrive: whether a failed write is an error. If not, the text is dropped.
        """
        self._raw = raw
        self._must_arrive = must_arrive
        encoding = (getattr(raw, "encoding", None) or "ascii").lower().replace("-", "").replace("_", "")
        self.unicode = encoding in ("utf8", "utf16", "utf32")
        self.is_terminal = raw is not None and raw.isatty()
        self.colour = self.is_terminal and not variables.get("NO_COLOR") and variables.get("TERM") != "dumb"

    @property
    def is_lost(self) -> bool:
        """Whether the stream was closed or broken, so that no output arrives."""
        return self._raw is None

    def line(self, text: str = "") -> None:
        """Write a line, which may contain our own color codes. Foreign text must have been through `printable`."""
        self.raw(f"{text if self.unicode else to_ascii(text)}\n")

    def lines(self, texts: Iterable[str]) -> None:
        """Write lines in one go."""
        joined = "".join(f"{text}\n" for text in texts)
        self.raw(joined if self.unicode else to_ascii(joined))

    def raw(self, text: str) -> None:
        """Write text unchanged. Raises CertdeckError if it cannot be written, for example to a full disk."""
        if self._raw is not None:
            with self._honest():
                self._raw.write(text.encode("utf-8", "replace").decode("utf-8"))

    def painted(self, text: str, colour: str) -> str:
        """Return `text` in a color (`red`, `yellow`, `green`, `dim`, `bold`) if the stream supports colors."""
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self.colour and colour in _COLOURS else text

    def finish(self) -> None:
        """Flush. Raises what `raw` raises."""
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
        """Drop all further output, including what Python would flush at its end."""
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
    """Both output streams of this process."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.out = Stream(sys.stdout, variables, must_arrive=True)
        self.err = Stream(sys.stderr, variables, must_arrive=False)
        Drawing.ascii = not self.out.unicode

    @property
    def can_ask(self) -> bool:
        """Whether the user can answer questions: stderr and stdin are terminals."""
        return self.err.is_terminal and sys.stdin is not None and sys.stdin.isatty()

    def finish(self) -> None:
        """Flush both. Raises CertdeckError if stdout cannot be written."""
        self.err.finish()
        self.out.finish()
