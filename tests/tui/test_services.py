"""The services of the box on their screen: found, ticked, taken over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from core.errors import UsageError
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tui.screens.dialogs.error import ErrorDialog
from tui.screens.services import ServicesScreen

Snap = Callable[[App[Any], str], None]


async def _open(pilot: Pilot[Any]) -> None:
    await pilot.press("B")
    await settled(pilot)
    assert isinstance(pilot.app.screen, ServicesScreen)


async def test_each_service_with_what_it_serves() -> None:
    """Each shows its address, its certificate and how long that is good; below it are its files."""
    app = deck()
    async with app.run_test(size=WIDE) as pilot:
        await _open(pilot)
        await pilot.press("down")
        text = shown(app)
        assert "smtp://127.0.0.1:25 and 1 more" in text
        assert "12 days" in text
        assert "/etc/postfix/mail.key" in text
        assert "not managed by certdeck" in text


async def test_ticked_services_are_taken_over_together() -> None:
    """Enter makes targets of what is ticked; what cannot be taken over is left out."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await _open(pilot)
        await pilot.press("space", "down", "space", "down", "space", "down", "enter")
        await settled(pilot)
        assert ("take_over", {"ids": ("postfix", "postgresql"), "name": None}) in engine.calls
        assert [name for name, _ in engine.calls].count("detect") == 2


async def test_without_a_tick_the_one_under_the_cursor() -> None:
    """Enter on a service that is nobody's takes it over; on one that is a target it does nothing."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert "take_over" not in [name for name, _ in engine.calls]
        await pilot.press("down", "enter")
        await settled(pilot)
        assert ("take_over", {"ids": ("postfix",), "name": None}) in engine.calls


async def test_a_refusal_is_shown() -> None:
    """What the engine refuses is said, and the list stays."""
    engine = FakeEngine()
    engine.fails["take_over"] = UsageError("It cannot be taken over.", "It is mounted.", "Mount the folder.")
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await _open(pilot)
        await pilot.press("down", "enter")
        await settled(pilot)
        assert isinstance(app.screen, ErrorDialog)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
async def test_looks(size: tuple[int, int], snap: Snap) -> None:
    """How the services look."""
    app = deck()
    async with app.run_test(size=size) as pilot:
        await _open(pilot)
        await pilot.press("down", "space")
        await pilot.pause()
        snap(app, "services")
