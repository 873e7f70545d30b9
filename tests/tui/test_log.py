"""The log: what it says, how it is read, and how it looks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from textual.app import App

from core.errors import StoreCorrupt
from core.operations import LogEntry
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import NOW
from tests.support.showcase import HISTORY
from tui.screens.lineages import LineagesScreen
from tui.screens.log import LogScreen
from tui.terminal import Terminal
from tui.widgets.sheet import Sheet

Snap = Callable[[App[Any], str], None]


def _entries(count: int) -> list[LogEntry]:
    return [
        replace(HISTORY[1], number=number, at=NOW - timedelta(minutes=count - number)) for number in range(1, count + 1)
    ]


async def test_a_wide_log_says_who() -> None:
    """In a wide window who did it stands at the end of each entry, in a column."""
    app = deck()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("l")
        await settled(pilot)
        entries = [line for line in shown(app).splitlines() if ":00  " in line]
        assert len(entries) == len(HISTORY)
        assert len({line.index("systemd") for line in entries}) == 1
        assert "by systemd" not in shown(app)


async def test_log_shows_the_history(snap: Snap) -> None:
    """The log tells newest first what happened, when, to which certificate and by whom (SO-44)."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        text = shown(app)
        assert text.index("rolled back") < text.index("issued a certificate")
        assert "Renewing started, by systemd" in text
        snap(app, "log")


async def test_log_reads_on_at_its_end() -> None:
    """The history is read a page at a time, the next one when the end of the list comes near."""
    engine = FakeEngine()
    engine.entries = _entries(450)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        sheet = app.screen.query_one(Sheet)
        assert sheet.border_title == "Log  200 newest"
        for expected in ("Log  400 newest", "Log  450"):
            await pilot.press("end")
            await settled(pilot)
            assert sheet.border_title == expected


async def test_log_filter() -> None:
    """/ keeps what holds every word that is typed; Esc shows all again, and goes back only then."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        await pilot.press("slash", *"mail issued")
        await pilot.pause()
        assert app.screen.query_one(Sheet).border_title == "Log  1 of 5"
        await pilot.press("enter", "escape")
        await pilot.pause()
        assert app.screen.query_one(Sheet).border_title == "Log  5"
        await pilot.press("escape")
        assert isinstance(app.screen, LineagesScreen)


async def test_log_verifies_its_chain() -> None:
    """v says how many entries stand, or where the log was altered (SO-44)."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        await pilot.press("v")
        await settled(pilot)
        engine.altered = "Entry 3 was altered."
        await pilot.press("v")
        await settled(pilot)
        assert [note.message for note in app._notifications] == [
            "5 entries checked: nothing was altered.",
            "Entry 3 was altered.",
        ]


async def test_log_that_cannot_be_read() -> None:
    """A history that cannot be read is told with what, why and what to do, in the place of the list."""
    engine = FakeEngine()
    engine.fails["log"] = StoreCorrupt("The history is damaged.", "It is no database.", "Move it away.")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        assert all(words in shown(app) for words in ("The history is damaged.", "It is no database.", "Move it away."))


async def test_an_empty_log_says_so() -> None:
    """Where nothing has happened, that is said."""
    engine = FakeEngine()
    engine.log = lambda **_: ()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        assert "Nothing has happened yet." in shown(app)


@pytest.mark.parametrize(
    ("screen", "terminal"),
    [
        pytest.param(LogScreen, Terminal(ascii=True), id="log-ascii"),
        pytest.param(LogScreen, Terminal(colours=0), id="log-no-colour"),
        pytest.param(LogScreen, Terminal(colours=16), id="log-sixteen"),
    ],
)
async def test_looks_on_poor_terminals(screen: type[LogScreen], terminal: Terminal, snap: Snap) -> None:
    """Pages look as agreed in ASCII, without colours and with sixteen."""
    app = deck(terminal=terminal)
    async with app.run_test(size=WIDE) as pilot:
        app.push_screen(screen())
        await settled(pilot)
        snap(app, "page")
