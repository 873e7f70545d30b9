"""What the six steps of the wizard have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, cast

from textual.containers import VerticalScroll
from textual.widget import Widget

from tui.screens.asking import AskingPage
from tui.screens.issue.draft import Draft, Offer


class Wizard(AskingPage[None]):
    """What a step may ask of the screen that it is a part of."""

    offer: Offer | None
    """What the box offers; None for the moment until it has been read."""

    def show_title(self) -> None:
        """Draw the title for what is entered."""
        raise NotImplementedError

    def action_next(self) -> None:
        """Go on to the next step."""
        raise NotImplementedError

    def action_add_provider(self) -> None:
        """Open the form of a DNS provider, and come back with it chosen."""
        raise NotImplementedError


class WizardStep(VerticalScroll, can_focus=False):
    """One page of the wizard. It writes into the draft at once, and draws itself from the draft when it is opened."""

    TITLE: ClassVar[str] = ""
    HELP: ClassVar[str] = ""
    """A paragraph for the help screen."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(id=f"step-{type(self).__name__.removesuffix('Step').lower()}", classes="step")
        self.draft = draft

    @property
    def wizard(self) -> Wizard:
        return cast("Wizard", self.screen)

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
