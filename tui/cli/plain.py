"""An error as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from core.errors import CertdeckError
from tui.cli.output import Stream
from tui.glyphs import printable

_MOST_LINES = 20
"""Limit of a program's output: `nginx -t` needs fewer."""


def error_lines(error: CertdeckError, stream: Stream, *, about: str = "certdeck") -> Iterator[str]:
    """Yield what, why and fix, in one line each, and the output of the service's program, if there is any."""
    yield f"{printable(about)}: {stream.painted(printable(error.what), 'red')}"
    yield f"   why: {printable(error.why)}"
    yield f"   fix: {printable(error.fix)}"
    for line in _output(error.details, f"{error.what} {error.why} {error.fix}"):
        yield f"   | {printable(line)}"


def _output(details: Mapping[str, object], said: str) -> list[str]:
    output = details.get("output")
    if not isinstance(output, str):
        return []
    return [line.strip() for line in output.splitlines() if line.strip() and line.strip() not in said][-_MOST_LINES:]
