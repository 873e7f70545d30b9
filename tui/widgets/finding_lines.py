"""Findings of the doctor as lines: a sign and its word, the finding, and below a problem what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from core.operations import Finding
from tui.widgets.ink import Ink
from tui.widgets.lines import Line, wrap
from tui.widgets.prose import to_do
from tui.wording.text import MARKS, name_shown, printable

_WORD: Final = 9
"""Cells for the word of a state, including the gap."""


def finding_lines(findings: Iterable[Finding], width: int, ink: Ink) -> list[Line]:
    """Return the lines, in the order of the findings."""
    lines: list[Line] = []
    for each in findings:
        mark = MARKS.get(each.status, MARKS["skip"])
        head = f"{mark.glyph} {mark.word:{_WORD}}"
        title = name_shown(each.title)
        words = wrap(printable(f"{title}: {each.sentences}" if each.detail else title), width - len(head))
        for number, line in enumerate(words):
            lines.append([(head if not number else " " * len(head), ink(mark.colour)), (line, ink("foreground"))])
        if each.fix and each.status in ("fail", "warn"):
            indent = (" " * len(head), ink("foreground"))
            lines += [[indent, *line] for line in to_do(each.fix, width - len(head), ink)]
    return lines
