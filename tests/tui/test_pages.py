"""Log, help, PEM, header and footer: what they say and how they look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from textual.app import App

from core.errors import StoreCorrupt
from core.operations import LogEntry, TimerState
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import NOW
from tests.support.showcase import HISTORY, PEM
from tui.actions import of_scope
from tui.screens.help import HelpScreen
from tui.screens.lineages import LineagesScreen
from tui.screens.log import LogScreen
from tui.screens.pem import PemScreen
from tui.terminal import Terminal
from tui.widgets.footer import PageFooter
from tui.widgets.header import PageHeader
from tui.widgets.sheet import Sheet

Snap = Callable[[App[Any], str], None]


def _entries(count: int) -> list[LogEntry]:
    return [
        replace(HISTORY[1], number=number, at=NOW - timedelta(minutes=count - number)) for number in range(1, count + 1)
    ]


# -- header and footer ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timer", "words"),
    [
        (
            TimerState(state="on", last_run=NOW - timedelta(hours=2), last_outcome="done"),
            "timer on · last run 2 hours ago",
        ),
        (TimerState(state="off"), "timer off · nothing renews by itself"),
        (
            TimerState(state="on", last_run=NOW - timedelta(hours=2), last_outcome="failed"),
            "timer on · last run 2 hours ago · last run failed",
        ),
        (TimerState(state="unknown"), "timer unknown · has not run yet"),
    ],
)
async def test_header_tells_whether_the_timer_lives(timer: TimerState, words: str) -> None:
    """The header says on every screen whether the scheduled run lives, when it comes or when it was last (ST-27)."""
    engine = FakeEngine()
    engine.timer = timer
    app = deck(engine)
    async with app.run_test(size=NARROW):
        assert words in shown(app, app.screen.query_one(PageHeader))


async def test_header_gives_names_away_before_the_timer() -> None:
    """In a narrow window long names are cut, and the timer is whole."""
    engine = FakeEngine()
    appliance = replace(engine.settings.appliance, name="A Box With A Name That Goes On And On For Ever")
    engine.settings = replace(engine.settings, appliance=appliance)
    app = deck(engine)
    async with app.run_test(size=(64, 20)):
        line = shown(app, app.screen.query_one(PageHeader)).rstrip()
        assert line.endswith("next run 03:00, in 22 h")
        assert "◆ certdeck  A Box" in line
        assert "…" in line


async def test_footer_drops_what_matters_least() -> None:
    """Where not everything fits, help and palette stay, and nothing is cut in the middle."""
    app = deck()
    async with app.run_test(size=(62, 20)):
        line = shown(app, app.screen.query_one(PageFooter))
        assert line.split()[-4:] == ["?", "Help", "^p", "More"]
        assert "i Issue" in line
        assert "v PEM" not in line


async def test_footer_can_be_clicked() -> None:
    """A click on an action does what its key does."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        footer = app.screen.query_one(PageFooter)
        x = shown(app, footer).index("? Help")
        await pilot.click(footer, offset=(x, 0))
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)


# -- log -----------------------------------------------------------------------------------------------------------------


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
    engine.log = lambda **_: ()  # type: ignore[method-assign, assignment]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        assert "Nothing has happened yet." in shown(app)


# -- help ----------------------------------------------------------------------------------------------------------------


async def test_help_explains_the_screen_below(snap: Snap) -> None:
    """? says what the screen is for and every key of it, with the words of the table of actions."""
    app = deck()
    async with app.run_test(size=(100, 120)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        text = " ".join(shown(app).split())
        for action in of_scope("certificates", "app"):
            assert action.title in text, action.id
        await pilot.resize_terminal(*NARROW)
        await pilot.pause()
        snap(app, "help")


async def test_help_of_another_screen_is_another() -> None:
    """Help on the log explains the log."""
    app = deck()
    async with app.run_test(size=(100, 80)) as pilot:
        await pilot.press("l")
        await settled(pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        assert "Verify the log" in shown(app)
        assert "Renew this certificate" not in shown(app)


# -- PEM -----------------------------------------------------------------------------------------------------------------


async def test_pem_is_shown_whole_and_copied(snap: Snap) -> None:
    """v shows the chain that is live, c hands exactly that text to the terminal (OSC 52) and says so (SO-36)."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("v")
        await settled(pilot)
        assert isinstance(app.screen, PemScreen)
        assert all(line in shown(app) for line in PEM.splitlines())
        snap(app, "pem")
        await pilot.press("c")
        await pilot.pause()
        assert app.clipboard == PEM
        assert [note.title for note in app._notifications] == ["Copied"]


async def test_pem_that_cannot_be_read() -> None:
    """When the certificate cannot be read the error is told, and no empty screen opens."""
    engine = FakeEngine()
    engine.fails["pem"] = StoreCorrupt("fullchain.pem is damaged.", "It is empty.", "Renew it.")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("v")
        await settled(pilot)
        assert "fullchain.pem is damaged." in shown(app)


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
