"""Certificates of other clients in the console: found, ticked, tried, taken over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App

from core.adoption import Adoption
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tui.screens.adopt import AdoptScreen

Snap = Callable[[App[Any], str], None]


@pytest.mark.parametrize("typed", ["adopt", "certbot", "migrate"])
async def test_it_is_found_by_its_words(typed: str) -> None:
    """Whoever types the command, a client's name or what they want to do finds the page."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("ctrl+p", *typed, "enter")
        await settled(pilot)
        assert isinstance(app.screen, AdoptScreen)
        assert "shop.example.com" in shown(app)


async def test_ticked_ones_are_taken_over() -> None:
    """The ticked ones, one that cannot be among them, are asked for at once; the result names the timer to switch off."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        app.push_screen(AdoptScreen())
        await settled(pilot)
        await pilot.press("space", "down", "down", "space", "x")
        await settled(pilot)
        assert "shop.example.com would be taken over" in shown(app)
        await pilot.press("enter")
        await settled(pilot)
        text = shown(app)
        assert "shop.example.com is taken over" in text
        assert "does not match this certificate" in text
        assert "systemctl disable --now certbot.timer" in text
    asked = [arguments for called, arguments in engine.calls if called == "adopt"]
    assert [(each["names"], each["dry_run"]) for each in asked] == [
        (("shop.example.com", "broken.example.com"), True),
        (("shop.example.com", "broken.example.com"), False),
    ]


async def test_all_are_ticked_and_unticked() -> None:
    """One key ticks everything that can be taken over, and the same key takes the ticks back."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.push_screen(AdoptScreen())
        await settled(pilot)
        await pilot.press("a")
        assert shown(app).count("[✔]") == 2
        await pilot.press("a")
        assert shown(app).count("[✔]") == 0


async def test_nothing_found_is_said() -> None:
    """Where no other client has anything, the page says so and Enter does nothing."""
    engine = FakeEngine()
    engine.adoption = Adoption()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.push_screen(AdoptScreen())
        await settled(pilot)
        assert "No certificate of another ACME client was found" in shown(app)
        await pilot.press("enter")
    assert [called for called, _ in engine.calls if called == "adopt"] == []


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
async def test_how_it_looks(size: tuple[int, int], snap: Snap, request: pytest.FixtureRequest) -> None:
    """The list with one chosen, and what came of taking it over."""
    app = deck()
    async with app.run_test(size=size) as pilot:
        app.push_screen(AdoptScreen())
        await settled(pilot)
        snap(app, f"found-{request.node.callspec.id}")
        await pilot.press("a", "enter")
        await settled(pilot)
        snap(app, f"taken-{request.node.callspec.id}")
