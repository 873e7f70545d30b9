"""The base of the six steps of the wizard."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, cast

from textual.containers import VerticalScroll
from textual.widget import Widget

from tui.screens.asking import AskingPage
from tui.screens.issue.draft import Draft, Offer


class Wizard(AskingPage[None]):
    """The wizard screen as a step sees it."""

    offer: Offer | None
    """What the box offers; None for the moment until it has been read."""

    def show_title(self) -> None:
        """Draw the title from the current input."""
        raise NotImplementedError

    def action_next(self) -> None:
        """Go on to the next step."""
        raise NotImplementedError

    def action_add_provider(self) -> None:
        """Open the form of a DNS provider, and select the new provider afterwards."""
        raise NotImplementedError


class WizardStep(VerticalScroll, can_focus=False):
    """One page of the wizard. It writes to the draft immediately, and draws itself from the draft when it is opened."""

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
        """Draw the step from the draft when it is shown."""

    def leave(self) -> None:
        """React to being hidden."""

    def first(self) -> Widget | None:
        """Return the widget that gets the focus when the step is entered."""
        return None

    def proceed(self, go: Callable[[], None]) -> None:
        """Call `go` if this step is valid, otherwise show the error and focus its field. `go` may be called later."""
        go()
