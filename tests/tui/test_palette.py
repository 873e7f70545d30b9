"""The palette finds every command that applies, and every certificate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App

from tests.support.deck import NARROW, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tui.actions import offered
from tui.palette import PaletteDialog, commands
from tui.screens.dialogs.confirm import ConfirmDialog
from tui.screens.lineages import LineagesScreen
from tui.screens.log import LogScreen
from tui.screens.page import Page


async def test_offers_what_applies(snap: Callable[[App[Any], str], None]) -> None:
    """Everything that can be done on the screen is in the palette, with its key, and nothing that cannot."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        page = app.screen
        assert isinstance(page, Page)
        wanted = [action.title for action in offered(page.actions(), page.situation()) if action.palette]
        titles = [command.title for command in commands(page)]
        assert titles[: len(wanted)] == wanted
        assert "Theme: light" in titles
        await pilot.press("ctrl+p")
        await pilot.pause()
        snap(app, "palette")


async def test_runs_what_is_chosen() -> None:
    """Typing narrows the list, the arrows choose, Enter does it on the screen below."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("ctrl+p", *"renew this", "enter")
        await settled(pilot)
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.press("escape", "ctrl+p", *"open the log", "enter")
        await settled(pilot)
        assert isinstance(app.screen, LogScreen)


async def test_goes_to_a_certificate_from_anywhere() -> None:
    """A certificate is found by its name or a domain, and the first screen opens with the cursor on it."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        await pilot.press("ctrl+p", *"b2b.example.net", "enter")
        await settled(pilot)
        assert isinstance(app.screen, LineagesScreen)
        chosen = app.screen.situation().lineage
        assert chosen is not None
        assert chosen.name == "partner"


async def test_nothing_found_is_said_and_harmless() -> None:
    """Where nothing matches that is said, Enter does nothing, and Esc closes."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("ctrl+p", *"zzzz")
        await pilot.pause()
        assert "Nothing is called that." in shown(app)
        await pilot.press("enter")
        assert isinstance(app.screen, PaletteDialog)
        await pilot.press("escape")
        assert isinstance(app.screen, LineagesScreen)


async def test_stays_quick_with_thousands() -> None:
    """With a thousand certificates only what was found is listed."""
    app = deck(FakeEngine.with_lineages(1000))
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("ctrl+p", "e")
        await pilot.pause()
        assert isinstance(app.screen, PaletteDialog)
        assert len(app.screen._found) == 60
