"""A screen is drawn once for everything that a key sets off, and it is drawn however much is going on."""

from __future__ import annotations

import asyncio
from typing import Any

from textual._compositor import LayoutUpdate
from textual.screen import Screen
from textual.widgets import Input

from tests.support.deck import NARROW, settled
from tests.support.fake_engine import FakeEngine
from tui.app import CertdeckApp
from tui.palette import PaletteDialog


class Drawn(CertdeckApp):
    """Keeps what goes to the terminal."""

    def __init__(self) -> None:
        engine: Any = FakeEngine.with_lineages(100)
        super().__init__(engine, loading=False)
        self.updates: list[Any] = []

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        # A test does not draw parts of the screen (tests.support.headless): of those only the call is seen.
        self.updates.append(renderable)
        super()._display(screen, renderable)


async def test_the_palette_is_drawn_once() -> None:
    """Its layout, its size, its commands and its focus are one picture."""
    app = Drawn()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        app.updates.clear()
        await pilot.press("ctrl+p")
        await settled(pilot)
        assert isinstance(app.screen, PaletteDialog)
        assert len([each for each in app.updates if isinstance(each, LayoutUpdate)]) == 1


async def test_a_letter_of_the_filter_is_drawn_with_what_it_finds() -> None:
    """The letter, the list and the title are one picture."""
    app = Drawn()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("slash")
        await settled(pilot)
        app.screen.query_one(Input).cursor_blink = False
        await settled(pilot)
        for letter in "site-0000":
            app.updates.clear()
            await pilot.press(letter)
            await settled(pilot)
            assert len(app.updates) == 1, letter


async def test_what_goes_on_for_ever_does_not_keep_it_from_being_drawn() -> None:
    """Where messages never end, what has changed is seen all the same."""
    app = Drawn()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        goes_on = True

        async def again() -> None:
            await asyncio.sleep(0)
            if goes_on:
                app.screen.call_later(again)

        app.screen.call_later(again)
        app.updates.clear()
        app.screen.refresh()
        for _ in range(1000):
            await pilot.pause(0.01)
            if app.updates:
                break
        goes_on = False
        assert app.updates
