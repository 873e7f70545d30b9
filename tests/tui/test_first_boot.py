"""The first certificate of a box, from the console."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from textual.app import App
from textual.widgets import Input

from core.config.model import Appliance
from core.errors import StoreFull
from tests.support.deck import NARROW, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import seven
from tui.screens.dialogs.confirm import ConfirmDialog
from tui.screens.first_boot import FirstBootScreen
from tui.screens.lineages import LineagesScreen

Snap = Callable[[App[Any], str], None]


def _fresh() -> FakeEngine:
    engine = FakeEngine([])
    engine.settings = replace(engine.settings, appliance=Appliance(name="Acme Box"))
    return engine


async def test_comes_by_itself_on_a_fresh_box() -> None:
    """A box without any certificate opens on the first boot; esc leads to the empty list."""
    app = deck(_fresh(), loading=True)
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        assert isinstance(app.screen, FirstBootScreen)
        await pilot.press("escape")
        assert isinstance(app.screen, LineagesScreen)


async def test_does_not_come_where_there_is_a_certificate() -> None:
    """A box with certificates opens on their list."""
    app = deck(loading=True)
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        assert isinstance(app.screen, LineagesScreen)


async def test_makes_the_certificate_and_shows_its_fingerprint() -> None:
    """Enter makes it with the names typed; then stand the SHA-256 to compare and that browsers warn (ST-08)."""
    engine = _fresh()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("f")
        await pilot.pause()
        assert "Browsers warn about it" in " ".join(shown(app).split())
        await pilot.press(*"box")
        app.screen.query_one("#url Input", Input).value = "https://box.example.com:8443"
        await pilot.press("enter")
        await settled(pilot)
        text = shown(app)
        made = next(each for each in seven() if each.name == "default")
        assert "✔ The certificate was created." in text
        assert made.sha256[:47] in text
        assert "▲ Browsers warn about it. Compare the SHA-256" in text
        await pilot.press("enter")
        assert isinstance(app.screen, LineagesScreen)
        assert "default" in shown(app)
    assert ("first_boot", {"hostname": "box", "external_url": "https://box.example.com:8443"}) in engine.calls


async def test_what_is_configured_is_offered_and_empty_means_the_system() -> None:
    """The fields begin with the configuration, show what the system says, and empty ones are left to it."""
    engine = _fresh()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("f")
        await pilot.pause()
        assert "box.example.com" in shown(app)
        await pilot.press("enter")
        await settled(pilot)
    assert ("first_boot", {"hostname": None, "external_url": None}) in engine.calls


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("hostname", "my_box", "Host names must not contain underscores."),
        ("url", "box.example.com", "is not a valid URL."),
        ("url", "https://box:port", "is not a valid URL."),
    ],
)
async def test_wrong_input_is_said_and_nothing_is_made(field: str, value: str, words: str) -> None:
    """A wrong host name or URL is refused below its field, and the engine is not asked."""
    engine = _fresh()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("f")
        await pilot.pause()
        app.screen.query_one(f"#{field} Input", Input).value = value
        await pilot.press("enter")
        await settled(pilot)
        assert words in " ".join(shown(app).split())
    assert not any(method == "first_boot" for method, _ in engine.calls)


async def test_a_failure_is_words_and_can_be_tried_again() -> None:
    """What the engine refuses is said below the fields, which keep what was typed."""
    engine = _fresh()
    engine.fails["first_boot"] = [StoreFull("The disk is full.", "No space is left.", "Free some.")]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("f")
        await pilot.press(*"box", "enter")
        await settled(pilot)
        text = shown(app)
        assert "✖ The disk is full. No space is left." in text
        assert "→ Free some." in text
        assert app.screen.query_one("#hostname Input", Input).value == "box"
        await pilot.press("enter")
        await settled(pilot)
        assert "✔ The certificate was created." in shown(app)


async def test_doing_it_again_says_that_nothing_changed() -> None:
    """On a box that has its certificate nothing is changed, and it says so."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("f", "enter")
        await settled(pilot)
        assert "The certificate exists already. Nothing was changed." in shown(app)


async def test_leaving_asks_where_something_was_typed() -> None:
    """Esc asks before it throws away what was typed."""
    app = deck(_fresh())
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("f")
        await pilot.press(*"box", "escape")
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.press("enter")
        assert isinstance(app.screen, FirstBootScreen)


async def test_looks(snap: Snap) -> None:
    """Before and after."""
    app = deck(_fresh())
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("f")
        app.screen.query_one("#url Input", Input).value = "box"
        await pilot.press("tab", "tab")
        await pilot.pause()
        snap(app, "asking")
        app.screen.query_one("#url Input", Input).value = ""
        await pilot.press("enter")
        await settled(pilot)
        snap(app, "made")
