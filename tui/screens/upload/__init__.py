"""The screen that takes a certificate from elsewhere: everything in one box, checks as one goes, old beside new, apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.actions import ACTIONS
from tui.screens.page import Page
from tui.screens.upload.screen import UploadScreen

if TYPE_CHECKING:
    from tui.app import CertdeckApp

__all__ = ["UploadScreen", "open_upload"]


def open_upload(deck: CertdeckApp) -> None:
    """Open it for the certificate under the cursor. Keys of the app are not asked whether they apply: here it is."""
    screen = deck.screen
    if isinstance(screen, Page):
        situation = screen.situation()
        if next(action for action in ACTIONS if action.id == "upload").applies(situation):
            deck.push_screen(UploadScreen(situation.lineage))
