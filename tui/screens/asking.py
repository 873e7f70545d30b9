"""The base of pages that ask for input: their subject matters more than the timer, and few keys work."""

from __future__ import annotations

from collections.abc import Container
from typing import Final, TypeVar

from textual.widget import Widget

from tui.actions import offered
from tui.screens.page import Page
from tui.widgets.footer import PageFooter
from tui.widgets.sheet import Sheet

T = TypeVar("T")

_ALWAYS: Final = ("menu", "help", "command_palette")


class AskingPage(Page[T]):
    """A page on which most keys are typed text."""

    letters_are_text = True

    @property
    def focus_chain(self) -> list[Widget]:
        """The fields first, then the panels that are only read: what is typed behind a Tab is meant for a field."""
        return sorted(super().focus_chain, key=lambda each: isinstance(each, Sheet))

    @property
    def kept(self) -> tuple[str, ...]:
        """The global actions that work on this page and are shown in its footer."""
        return _ALWAYS

    def refresh_actions(self) -> None:
        """Show the actions that work while typing; the others are listed under More."""
        hidden = self.hidden()
        shown = [each for each in offered(self.actions(), self.situation()) if each.footer and each.id not in hidden]
        own = [each for each in shown if each.scope != "app"]
        kept = [each for each in shown if each.scope == "app" and each.id in self.kept]
        self.query_one(PageFooter).show(self.while_typing([*own, *kept]))

    def hidden(self) -> Container[str]:
        """Return the ids of actions that apply but would do nothing now."""
        return ()
