"""The text of an empty list: no certificates yet, nothing found, or a configuration that cannot be read."""

from __future__ import annotations

from collections.abc import Callable

from core.errors import CertdeckError
from tui.glyphs import printable
from tui.widgets.details import told_error
from tui.widgets.ink import Ink
from tui.widgets.lines import Line, wrap

Writer = Callable[[int, Ink], list[Line]]


def empty(filtered: str) -> Writer:
    """Return the text for a list without rows."""

    def write(width: int, ink: Ink) -> list[Line]:
        if filtered:
            return [
                [("No certificate matches ", ink("foreground")), (printable(filtered), ink("foreground", bold=True))],
                [],
                [("esc ", ink("key", bold=True)), ("shows all of them again", ink("text-muted"))],
            ]
        lines: list[Line] = [[("There is no certificate yet.", ink("foreground", bold=True))], []]
        for key, words in (
            ("i", "Issue the first one: the wizard asks for names, checks them, and orders."),
            ("f", "First boot: a self-signed certificate now, so that HTTPS works until then."),
            ("?", "Help for this screen. Every command is behind ^p."),
        ):
            for number, line in enumerate(wrap(words, width - 5)):
                lines.append([(f"  {key if number == 0 else ' '}  ", ink("key", bold=True)), (line, ink("foreground"))])
        return lines

    return write


def failed(error: CertdeckError) -> Writer:
    """Return what, why, what to do, and every problem that a configuration has."""

    def write(width: int, ink: Ink) -> list[Line]:
        lines = told_error({"what": error.what, "why": error.why, "fix": error.fix}, width, ink)
        problems = error.details.get("problems")
        if isinstance(problems, list | tuple) and problems:
            lines += [[], [("Every problem found", ink("text-muted"))]]
            for problem in problems:
                for number, line in enumerate(wrap(printable(str(problem)), width - 4)):
                    lines.append([("  · " if number == 0 else "    ", ink("faint")), (line, ink("foreground"))])
        return lines

    return write
