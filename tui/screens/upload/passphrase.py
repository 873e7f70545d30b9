"""Asking for the passphrase of the input: automatically up to three times, then only on request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tui.screens.page import Page
from tui.wording import text

_MOST_TRIES: Final = 3


class PassphraseAsking:
    """Asks on behalf of one screen. `given` is called when there is a new passphrase to check with."""

    def __init__(self, page: Page[None], given: Callable[[], None]) -> None:
        self._page, self._given = page, given
        self._tries = 0
        self._asks = True
        self.value: bytes | None = None
        """The passphrase to check with. Never shown, never stored."""

    def forget(self) -> None:
        """Start over because the input has changed."""
        self.value, self._tries, self._asks = None, 0, True

    def checked(self, outcome: str) -> None:
        """Ask if a passphrase is `needed`, or was `wrong` and an attempt is left."""
        if outcome == "wrong" and self.value is not None:
            self._tries += 1
            self.value = None
        if self._asks and self._tries < _MOST_TRIES and self._page.is_current:
            self._ask()

    def ask_again(self) -> None:
        """Ask with three new attempts."""
        self._tries, self._asks = 0, True
        self._ask()

    def _ask(self) -> None:
        from tui.screens.dialogs.passphrase import PassphraseDialog

        words = "It is protected by a passphrase. The passphrase is not stored."
        if self._tries:
            left = text.plural(_MOST_TRIES - self._tries, "try")
            words = f"✖ Wrong passphrase. It is case-sensitive. {left} left."

        def answered(passphrase: bytes | None) -> None:
            if passphrase is None:
                self._asks = False
            else:
                self.value = passphrase
                self._given()

        self._page.app.push_screen(PassphraseDialog("Passphrase", words), answered)
