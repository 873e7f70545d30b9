"""Text for people: errors, and results that are more than a line. Tables live in `tables`, the status in `status_text`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from core.errors import CertdeckError
from tui.cli.output import Stream
from tui.glyphs import printable

_MOST_LINES = 20
"""Of a program's output in an error: `nginx -t` says all in fewer."""


def error_lines(error: CertdeckError, stream: Stream, *, about: str = "certdeck") -> Iterator[str]:
    """Yield what, why and fix, one line each, and below them what a program or a check said in its own words."""
    yield f"{printable(about)}: {stream.painted(printable(error.what), 'red')}"
    yield f"   why: {printable(error.why)}"
    yield f"   fix: {printable(error.fix)}"
    if error.retry_at is not None:
        from tui.text import moment

        yield f"   not before: {moment(error.retry_at)}"
    for line in _details(error.details, f"{error.what} {error.why} {error.fix}"):
        yield f"   | {printable(line)}"


def _details(details: Mapping[str, object], said: str) -> Iterator[str]:
    output = details.get("output")
    if isinstance(output, str):
        lines = [line for line in output.splitlines() if line.strip() and line.strip() not in said]
        yield from lines[-_MOST_LINES:]
    problems = details.get("problems")
    if isinstance(problems, Mapping):
        problems = [f"{name}: {_sentence_of(problem)}" for name, problem in problems.items()]
    if isinstance(problems, Sequence) and not isinstance(problems, str) and len(problems) > 1:
        yield from (text for text in map(_sentence_of, problems) if text not in said)


def _sentence_of(problem: object) -> str:
    if not isinstance(problem, Mapping):
        return str(problem)
    parts = [str(problem[key]) for key in ("name", "what", "why", "detail", "fix") if problem.get(key)]
    return " ".join(parts)
