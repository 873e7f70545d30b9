"""The help of the screen it was opened from: its purpose, and every key that works on it."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult

from tui.actions import Action, bindings, of_scope
from tui.deck import Deck
from tui.screens.page import Page
from tui.widgets.ink import Ink
from tui.widgets.lines import BLANK, Line, fit, wrap
from tui.widgets.sheet import Sheet
from tui.wording.text import MARKS

_MOVES = (
    ("↑ ↓", "move; PgUp, PgDn, Home and End too, or j k g G"),
    ("tab", "to the next part of the screen, to scroll it"),
)


class HelpScreen(Page[None]):
    """Built from the other screen's own text and the table of actions, so it cannot become outdated."""

    SCOPE = "help"
    BINDINGS: ClassVar = bindings(of_scope("page"))
    page_title = "Help"

    def __init__(self, about: Page[Any]) -> None:
        super().__init__()
        self._words = about.HELP_TEXT
        self._actions = about.actions()
        self.page_detail = about.help_title or about.page_title

    @classmethod
    def opened_from(cls, deck: Deck) -> HelpScreen | None:
        return cls(deck.screen) if isinstance(deck.screen, Page) else None

    def body(self) -> ComposeResult:
        sheet = Sheet(self._write, id="words")
        sheet.border_title = "This screen"
        yield sheet

    def _write(self, width: int, ink: Ink) -> list[Line]:
        measure = min(width, 100)
        lines: list[Line] = []
        for paragraph in self._words.split("\n\n"):
            lines += [[(line, ink("foreground"))] for line in wrap(paragraph, measure)]
            lines.append([])
        own = [action for action in self._actions if action.scope not in ("app", "page")]
        everywhere = [action for action in self._actions if action.scope in ("app", "page")]
        lines += _keys("Here", own, measure, ink)
        lines += _keys("Everywhere", everywhere, measure, ink)
        for key, words in _MOVES:
            lines += _entry(key, words, "", measure, ink)
        lines += [[], [("Signs", ink("frame-title", bold=True))]]
        for name in ("red", "warned", "waits", "green", "unknown"):
            mark = MARKS[name]
            lines.append([(f"  {mark.glyph}  ", ink(mark.colour)), (mark.word, ink("foreground"))])
        return lines


def _keys(title: str, actions: list[Action], width: int, ink: Ink) -> list[Line]:
    if not actions:
        return []
    lines: list[Line] = [[(title, ink("frame-title", bold=True))]]
    for action in actions:
        lines += _entry(action.key_shown or "^p", action.title, action.help, width, ink)
    return [*lines, []]


def _entry(key: str, title: str, words: str, width: int, ink: Ink) -> list[Line]:
    indent = 8
    lines: list[Line] = [[("  ", BLANK), (fit(key, indent - 2), ink("key", bold=True)), (title, ink("foreground"))]]
    lines += (
        [[(" " * indent, BLANK), (line, ink("text-muted"))] for line in wrap(words, width - indent)] if words else []
    )
    return lines
