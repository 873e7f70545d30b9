"""Pages whose list has no rows: what they are for, and how to begin, instead of titles over nothing."""

from __future__ import annotations

from importlib import import_module

import pytest

from core.adoption import Adoption
from core.operations import LogEntry
from tests.support.deck import NARROW, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tui.screens.list_page import ListPage
from tui.screens.targets import TargetsScreen
from tui.widgets.row_list import RowList

PAGES = {
    "tui.screens.adopt:AdoptScreen": "To look in another folder, run: certdeck adopt --dir DIR",
    "tui.screens.deleted:DeletedScreen": "Nothing was deleted in that time.",
    "tui.screens.dns.screen:DnsScreen": "n adds the provider of your zones",
    "tui.screens.log:LogScreen": "Nothing is logged yet.",
    "tui.screens.notifications:NotificationsScreen": "n adds one: mail, a webhook, or a chat service.",
    "tui.screens.services:ServicesScreen": "press n on the page Targets (y)",
    "tui.screens.targets:TargetsScreen": "n adds one manually.",
}


class Unused(FakeEngine):
    """An engine whose log is empty."""

    def log(self, *, lineage: str | None = None, limit: int = 200, before: int | None = None) -> tuple[LogEntry, ...]:
        return ()


def empty() -> FakeEngine:
    """Make an engine without anything."""
    engine = Unused([])
    engine.known_targets, engine.services, engine.copies = [], (), ()
    engine.adoption = Adoption(found=(), timers=())
    return engine


@pytest.mark.parametrize("page", PAGES)
async def test_no_titles_over_nothing(page: str) -> None:
    """A page without rows shows no list and no column titles, but what to do first."""
    module, name = page.split(":")
    screen: ListPage[object] = getattr(import_module(module), name)()
    app = deck(empty())
    async with app.run_test(size=NARROW) as pilot:
        await app.push_screen(screen)
        await settled(pilot)
        assert not screen.query_one(RowList).display
        seen = " ".join(shown(app).replace("│", " ").split())
        assert PAGES[page] in seen
        assert not any(f" {column.title}  " in shown(app) for column in screen.COLUMNS if column.title)


async def test_the_first_entry_brings_the_list() -> None:
    """When there is a first row, the list is there with its titles, and has the keys."""
    engine, screen = empty(), TargetsScreen()
    full = FakeEngine().known_targets
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await app.push_screen(screen)
        await settled(pilot)
        engine.known_targets = list(full)
        screen.read()
        await settled(pilot)
        assert screen.query_one(RowList).display
        assert app.focused is screen.query_one(RowList)
        assert screen.COLUMNS[0].title in shown(app)


async def test_a_reading_leaves_the_focus_where_it_is() -> None:
    """Somebody who has gone to the details to scroll them stays there when the list is read again."""
    screen = TargetsScreen()
    app = deck(FakeEngine())
    async with app.run_test(size=NARROW) as pilot:
        await app.push_screen(screen)
        await settled(pilot)
        assert app.focused is screen.query_one(RowList)
        await pilot.press("tab")
        screen.read()
        await settled(pilot)
        assert app.focused is screen.query_one("#about")
