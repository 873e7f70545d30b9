"""A screen is drawn once for everything that a key sets off, and it is drawn however much is going on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from tests.support.deck import NARROW, settled
from tests.support.fake_engine import FakeEngine
from tui import drawing
from tui.app import CertdeckApp
from tui.drawing import DrawnOnce
from tui.palette import PaletteDialog
from tui.widgets.sheet import Sheet


class Drawn(CertdeckApp):
    """Keeps what goes to the terminal."""

    def __init__(self, *, loading: bool = False) -> None:
        engine: Any = FakeEngine.with_lineages(100)
        super().__init__(engine, loading=loading)
        self.updates: list[Any] = []

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        # A test does not draw parts of the screen (tests.support.headless): of those only the call is seen.
        self.updates.append(renderable)
        super()._display(screen, renderable)


async def test_the_palette_is_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its layout, its size, its commands and its focus are one picture."""
    monkeypatch.setattr(drawing, "_LONGEST_SECONDS", 60.0)  # this machine may be busy
    app = Drawn()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        app.updates.clear()
        await pilot.press("ctrl+p")
        await settled(pilot)
        assert isinstance(app.screen, PaletteDialog)
        # Textual draws it five times. What the page below has changed may come behind.
        assert 1 <= len(app.updates) <= 2


async def test_a_letter_of_the_filter_is_drawn_with_what_it_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The letter, the list and the title are one picture."""
    monkeypatch.setattr(drawing, "_LONGEST_SECONDS", 60.0)  # this machine may be busy
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


@contextmanager
def _going_on(app: Drawn) -> Iterator[None]:
    """Let messages never end meanwhile."""
    goes_on = True

    async def again() -> None:
        await asyncio.sleep(0)
        if goes_on:
            app.screen.call_later(again)

    app.screen.call_later(again)
    yield
    goes_on = False


async def _drawn(app: Drawn, pilot: Pilot[Any]) -> None:
    """Wait until something is drawn."""
    app.updates.clear()
    for _ in range(1000):
        await pilot.pause(0.01)
        if app.updates:
            return
    raise AssertionError("nothing was drawn")


async def test_what_goes_on_for_ever_does_not_keep_it_from_being_drawn() -> None:
    """Where messages never end, what has changed is seen all the same."""
    app = Drawn()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        with _going_on(app):
            app.screen.refresh()
            await _drawn(app, pilot)


async def test_what_appears_gets_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """A widget that appears just before the time is up is laid out before it is drawn, and makes its lines for its width."""
    monkeypatch.setattr(drawing, "_LONGEST_SECONDS", 0.0)
    app = Drawn()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, DrawnOnce)
        sheet = Sheet()
        sheet.display = False
        await screen.mount(sheet)
        await settled(pilot)
        sheet.display = True
        sheet.write(lambda width, ink: [[("seen", ink("foreground"))]])
        for _ in range(1000):
            await asyncio.sleep(0)
            if sheet in screen._dirty_widgets:
                break
        screen._compositor_refresh()
        assert screen._drawing is not None
        await screen._drawing
        screen.find_widget(sheet)  # as whatever asks for the place of a widget does
        await settled(pilot)
        assert sheet.count == 1


async def test_what_only_takes_time_waits_for_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Callbacks of Textual's refresh go into the picture; those that wait for the drawing come behind it, once."""
    monkeypatch.setattr(drawing, "_LONGEST_SECONDS", 60.0)  # this machine may be busy
    app, happened = Drawn(), list[str]()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, DrawnOnce)
        app.updates.clear()
        screen.call_after_drawing(lambda: happened.append(f"after {len(app.updates)}"))
        screen.call_after_refresh(lambda: happened.append(f"before {len(app.updates)}"))
        screen.refresh()
        await settled(pilot)
        screen.refresh()
        await settled(pilot)
        assert happened == ["before 0", "after 1"]


async def test_the_first_picture_does_not_wait_for_the_services() -> None:
    """What the start can do later, it does after the first picture."""
    pictures = list[int]()

    class Looking(Drawn):
        def look_at_services(self) -> None:
            pictures.append(len(self.updates))

    app = Looking(loading=True)
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        assert pictures
        assert pictures[0] >= 1


async def test_a_long_batch_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What changes in a batch that takes longer than the longest wait is drawn after it, and not before."""
    monkeypatch.setattr(drawing, "_LONGEST_SECONDS", 0.01)
    app = Drawn()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        app.updates.clear()
        app.screen.refresh()
        app.screen._compositor_refresh()
        clock = asyncio.get_running_loop().time
        with app.batch_update():
            began = clock()
            while clock() < began + 0.1:
                await pilot.pause()
            assert not app.updates
        await settled(pilot)
        assert app.updates
