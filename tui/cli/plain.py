"""An error as people read it."""

from __future__ import annotations

from collections.abc import Iterator

from core.errors import CertdeckError
from tui.cli.output import Stream
from tui.glyphs import printable


def error_lines(error: CertdeckError, stream: Stream, *, about: str = "certdeck") -> Iterator[str]:
    """Yield what, why and fix, one line each. Everything else about it is in the JSON."""
    yield f"{printable(about)}: {stream.painted(printable(error.what), 'red')}"
    yield f"   why: {printable(error.why)}"
    yield f"   fix: {printable(error.fix)}"
