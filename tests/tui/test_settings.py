"""The settings' screen: theme, automatic renewal, and the configuration to look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from textual.app import App

from core.config.model import Http01
from core.errors import ConfigError, StoreNotWritable
from tests.support.deck import NARROW, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tui.screens.dialogs.confirm import ConfirmDialog
from tui.screens.dialogs.error import ErrorDialog
from tui.widgets.row_list import RowList

Snap = Callable[[App[Any], str], None]


async def test_the_theme_under_the_cursor_is_worn_at_once() -> None:
    """Moving in the list of themes changes the looks, and Enter keeps it."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("comma")
        before = app.theme
        themes = app.screen.query_one("#themes", RowList)
        assert themes.chosen == before
        await pilot.press("up" if themes.keys[0] != before else "down")
        assert app.theme != before
        assert app.theme == themes.chosen
        assert "Enter saves it" in shown(app)
        await pilot.press("enter")
        await settled(pilot)
        assert app.theme == next(arguments["name"] for method, arguments in engine.calls if method == "set_theme")


async def test_switching_renewal_off_asks_and_on_does_not() -> None:
    """Off asks first and says when the certificate ends; on is done at once."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("comma", "tab", "space")
        assert isinstance(app.screen, ConfirmDialog)
        assert "api expires on" in shown(app)
        await pilot.press("y")
        await settled(pilot)
        assert "[ ] api" in shown(app)
        await pilot.press("enter")
        await settled(pilot)
        assert "[✔] api" in shown(app)
    changes = [arguments["auto_renew"] for method, arguments in engine.calls if method == "set_lineage"]
    assert changes == [False, True]


async def test_saying_no_changes_nothing() -> None:
    """Without a yes the tick stays."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("comma", "tab", "space", "escape")
        assert "[✔] api" in shown(app)
    assert not any(method == "set_lineage" for method, _ in engine.calls)


async def test_a_refused_change_is_words_and_the_tick_stays() -> None:
    """The list shows what is, not what was wanted."""
    engine = FakeEngine()
    engine.fails["set_lineage"] = StoreNotWritable(
        "It cannot be written.", "Read-only file system.", "Mount it for writing."
    )
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("comma", "tab", "space", "y")
        await settled(pilot)
        assert isinstance(app.screen, ErrorDialog)
        await pilot.press("escape")
        assert "[✔] api" in shown(app)


async def test_the_configuration_is_shown_with_its_path() -> None:
    """The path of the file, and what it says in words."""
    engine = FakeEngine()
    engine.settings = replace(engine.settings, http01=Http01(mode="webroot", webroot="/srv/www"))
    app = deck(engine)
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.press("comma")
        await pilot.pause()
        text = shown(app)
        assert "/nowhere/etc/certdeck.toml" in text
        assert "webroot /srv/www" in text
        assert "Acme Box" in text


async def test_a_broken_configuration_is_told() -> None:
    """A configuration that cannot be read is told here as well."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        engine.fails["config"] = ConfigError("The configuration is wrong.", "unknown key", "Correct it.")
        await pilot.press("comma")
        await pilot.pause()
        assert "✖ The configuration is wrong. unknown key" in shown(app)


async def test_looks(snap: Snap) -> None:
    """The settings in the default theme."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("comma", "tab")
        await pilot.pause()
        snap(app, "settings")
