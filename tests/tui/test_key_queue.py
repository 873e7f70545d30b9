"""Keys that arrive faster than the console draws: each one acts on what the key before it has left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from textual.events import Key, Paste
from textual.widgets import Input

from tests.support.deck import NARROW, deck, settled
from tests.support.fake_engine import FakeEngine
from tui import key_queue
from tui.app import CertdeckApp
from tui.screens.dialogs.export import ExportDialog
from tui.screens.help import HelpScreen
from tui.screens.lineages import LineagesScreen
from tui.screens.notifications import NotificationForm
from tui.widgets.field import Field
from tui.widgets.footer import PageFooter


def _typed_ahead(app: CertdeckApp, keys: Iterable[str]) -> None:
    """Send keys as a person types them, all of them before the console can do anything."""
    for number, key in enumerate(keys):
        event = Key(key, key if len(key) == 1 else None)
        event.time += number * 0.1
        app.post_message(event)


async def test_a_passphrase_typed_ahead_is_in_its_own_fields() -> None:
    """The keys of an export in one go, as a slow machine gets them, write the suggested file with that passphrase."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        _typed_ahead(app, ("e", "down", "down", "down", "enter", *"pw12345", "enter", *"pw12345", "enter"))
        await settled(pilot)
        assert not isinstance(app.screen, ExportDialog)
    given = next(given for method, given in engine.calls if method == "export")
    assert given["passphrase"] == b"pw12345"
    assert "pw1" not in str(given["out"])


async def test_letters_typed_ahead_go_to_the_page_that_opens() -> None:
    """What is typed while a form opens, by way of a page and a dialog, is in its fields, from the first letter on."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        _typed_ahead(app, ("N", "n", "enter", *"mailroom", "tab", *"mail.example.com"))
        await settled(pilot)
        assert isinstance(app.screen, NotificationForm)
        assert [field.value for field in app.screen.query(Field)][:2] == ["mailroom", "mail.example.com"]


async def test_a_text_pasted_ahead_goes_to_the_page_that_opens() -> None:
    """A paste keeps its place among the keys."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        _typed_ahead(app, ("N", "n", "enter"))
        app.post_message(Paste("mailroom"))
        _typed_ahead(app, ("tab", "x"))
        await settled(pilot)
        assert [field.value for field in app.screen.query(Field)][:2] == ["mailroom", "x"]


async def test_a_long_text_as_keys_is_whole() -> None:
    """A text that a terminal pastes as keys is in its field letter by letter, and what follows it is in the next one."""
    words = "".join(f"{number} is a number, " for number in range(100))
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        _typed_ahead(app, ("N", "n", "enter", *words, "tab", *"mail"))
        await settled(pilot)
        first, second, *_ = app.screen.query(Field)
        assert (first.value, second.value) == (words.strip(), "mail")


async def test_keys_that_close_a_page_and_go_on() -> None:
    """After Esc the keys belong to the page below."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        _typed_ahead(app, ("h", "escape", "slash", *"vpn", "enter"))
        await settled(pilot)
        assert isinstance(app.screen, LineagesScreen)
        assert app.screen.query_one(Input).value == "vpn"


async def test_nothing_that_hangs_takes_the_keys_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message whose handling does not come to its end delays a key, and no more."""
    monkeypatch.setattr(key_queue, "_LOOKS", 30)
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        footer, release = app.screen.query_one(PageFooter), asyncio.Event()
        footer.call_later(release.wait)
        footer.call_later(release.is_set)
        _typed_ahead(app, ("f1",))
        while not isinstance(app.screen, HelpScreen):
            await asyncio.sleep(0.001)
        release.set()
        await settled(pilot)
