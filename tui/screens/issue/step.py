"""What the six steps of the wizard have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual.containers import VerticalScroll
from textual.widget import Widget

from core.operations import Finding
from tui.screens.issue.draft import Draft, Offer
from tui.text import MARKS, printable
from tui.widgets.ink import Ink
from tui.widgets.lines import Line, wrap
from tui.widgets.prose import marked

if TYPE_CHECKING:
    from tui.screens.issue.wizard import IssueScreen


_WORD = 9
"""Cells for the word of a state, the gap included."""


class Step(VerticalScroll, can_focus=False):
    """One page of the wizard. It writes into the draft at once, and draws itself from the draft when it is opened."""

    TITLE: ClassVar[str] = ""
    HELP: ClassVar[str] = ""
    """A paragraph for the help screen."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(id=f"step-{type(self).__name__.removesuffix('Step').lower()}", classes="step")
        self.draft = draft

    @property
    def wizard(self) -> IssueScreen:
        return cast("IssueScreen", self.screen)

    @property
    def offer(self) -> Offer | None:
        """What the box offers; None for the moment until it has been read."""
        return self.wizard.offer

    def enter(self) -> None:
        """Be shown: draw from the draft."""

    def leave(self) -> None:
        """Be hidden."""

    def first(self) -> Widget | None:
        """Return what has the focus when the step is entered."""
        return None

    def proceed(self, go: Callable[[], None]) -> None:
        """Call `go` when this step is right; else say what is wrong and put the focus there. `go` may be called later."""
        go()


def finding_lines(findings: tuple[Finding, ...], width: int, ink: Ink) -> list[Line]:
    """Return findings as signs with words, and what to do below those that need something."""
    lines: list[Line] = []
    for each in findings:
        mark = MARKS.get(each.status, MARKS["skip"])
        head = f"{mark.glyph} {mark.word:{_WORD}}"
        words = wrap(printable(f"{each.title}: {each.detail}" if each.detail else each.title), width - len(head))
        for number, line in enumerate(words):
            lines.append([(head if not number else " " * len(head), ink(mark.colour)), (line, ink("foreground"))])
        if each.fix and each.status in ("fail", "warn"):
            indent = (" " * len(head), ink("foreground"))
            lines += [[indent, *line] for line in marked("→", "key", each.fix, width - len(head), ink)]
    return lines
