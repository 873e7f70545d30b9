"""The palette finds every command that applies, and every certificate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App

from tests.support.deck import NARROW, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tui.actions import offered
from tui.palette import PaletteDialog, commands
from tui.screens.deleted import DeletedScreen
from tui.screens.dialogs.confirm import ConfirmDialog
from tui.screens.lineages import LineagesScreen
from tui.screens.log import LogScreen
from tui.screens.page import Page
from tui.screens.upload.request_form import RequestForm


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
        assert "No match." in shown(app)
        await pilot.press("enter")
        assert isinstance(app.screen, PaletteDialog)
        await pilot.press("escape")
        assert isinstance(app.screen, LineagesScreen)


@pytest.mark.parametrize("typed", ["undelete", "bring", "restore"])
async def test_a_deleted_certificate_is_brought_back(typed: str) -> None:
    """Whoever looks for it by any of its words finds the list, with the day until which each is kept; Enter brings one back."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("ctrl+p", *typed, "enter")
        await settled(pilot)
        assert isinstance(app.screen, DeletedScreen)
        text = shown(app)
        assert "old-shop" in text
        assert "19 Dec 2026" in text
        assert "enter Restore" in text
        await pilot.press("down")
        assert "The certificate mail already exists" in shown(app)
        assert "Bring back" not in shown(app)
        await pilot.press("enter")
        await settled(pilot)
        assert not [arguments for called, arguments in engine.calls if called == "undelete"]
        await pilot.press("up", "enter")
        await settled(pilot)
        assert isinstance(app.screen, LineagesScreen)
    assert [arguments for called, arguments in engine.calls if called == "undelete"] == [{"name": "old-shop"}]


async def test_nothing_deleted_is_said() -> None:
    """Where nothing is kept the screen says so, and Enter does nothing."""
    engine = FakeEngine()
    engine.copies = ()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.push_screen(DeletedScreen())
        await settled(pilot)
        assert "Nothing was deleted in that time." in shown(app)
        await pilot.press("enter")
        assert isinstance(app.screen, DeletedScreen)


@pytest.mark.parametrize("typed", ["csr", "signing request"])
async def test_a_signing_request_is_found(typed: str) -> None:
    """The form of a request is found from the first screen, and Esc leads back there."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("ctrl+p", *typed, "enter")
        await settled(pilot)
        assert isinstance(app.screen, RequestForm)
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(app.screen, LineagesScreen)


async def test_what_does_not_apply_is_found_with_its_reason() -> None:
    """An action that the chosen certificate cannot take is listed when it is looked for, says why, and does nothing else."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        assert "Roll back" not in " ".join(command.title for command in commands(page_of(app)))
        await pilot.press("ctrl+p", *"roll back")
        await pilot.pause()
        assert "Roll back to the previous version: there is no" in " ".join(shown(app).split())
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, LineagesScreen)
        assert [note.message for note in app._notifications] == ["There is no earlier version."]


def page_of(app: App[Any]) -> Page[Any]:
    assert isinstance(app.screen, Page)
    return app.screen


async def test_stays_quick_with_thousands() -> None:
    """With a thousand certificates only what was found is listed."""
    app = deck(FakeEngine.with_lineages(1000))
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("ctrl+p", "e")
        await pilot.pause()
        assert isinstance(app.screen, PaletteDialog)
        assert len(app.screen._found) == 60
