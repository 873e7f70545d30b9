"""Help, PEM, header and footer: what they say and how they look."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from textual.app import App

from core.errors import StoreCorrupt
from core.operations import TimerState
from tests.support.deck import NARROW, deck, settled, shown
from tests.support.fake_dns import open_order
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import NOW
from tests.support.showcase import PEM
from tui.actions import of_scope
from tui.palette import MenuDialog
from tui.screens.pem import PemScreen
from tui.widgets.certificate_table import CertificateTable
from tui.widgets.footer import PageFooter
from tui.widgets.header import PageHeader

Snap = Callable[[App[Any], str], None]


# -- header and footer ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timer", "words"),
    [
        (
            TimerState(state="on", last_run=NOW - timedelta(hours=2), last_outcome="done"),
            "timer on · last run 2 hours ago",
        ),
        (TimerState(state="off"), "timer off · nothing renews automatically"),
        (TimerState(state="off", is_absent=True), "no timer · nothing renews automatically"),
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


async def test_header_gives_the_timer_away_before_the_title() -> None:
    """On any other screen its title is whole, and of the timer the failure is told."""
    engine = FakeEngine()
    last = NOW - timedelta(hours=2)
    engine.timer = TimerState(state="on", next_run=NOW + timedelta(hours=22), last_run=last, last_outcome="failed")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("h")
        await settled(pilot)
        line = shown(app, app.screen.query_one(PageHeader)).rstrip()
        assert "◆ certdeck  DNS providers " in line
        assert line.endswith("timer on · last run failed")


async def test_footer_drops_what_matters_least() -> None:
    """Where not everything fits, help and palette stay, and nothing is cut in the middle."""
    app = deck()
    async with app.run_test(size=(62, 20)):
        line = shown(app, app.screen.query_one(PageFooter))
        assert line.split()[-4:] == ["?", "Keys", "^p", "More"]
        assert "i Issue" in line
        assert "v PEM" not in line


async def test_footer_can_be_clicked() -> None:
    """A click on an action does what its key does."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        footer = app.screen.query_one(PageFooter)
        x = shown(app, footer).index("? Keys")
        await pilot.click(footer, offset=(x, 0))
        await pilot.pause()
        assert isinstance(app.screen, MenuDialog)


# -- help ----------------------------------------------------------------------------------------------------------------


async def test_help_explains_the_screen_below(snap: Snap) -> None:
    """? says what the screen is for and every key of it, with the words of the table of actions."""
    app = deck()
    async with app.run_test(size=(100, 240)) as pilot:
        await pilot.press("f1")
        await pilot.pause()
        text = " ".join(shown(app).split())
        for action in of_scope("certificates", "app"):
            assert action.title in text, action.id
        await pilot.resize_terminal(*NARROW)
        await pilot.pause()
        snap(app, "help")


async def test_help_of_an_order_that_waits() -> None:
    """Where Enter shows the records, the help says that of it, with a space behind the key, and nothing of the details."""
    engine = FakeEngine()
    engine.orders = {"shop": open_order("shop", "shop.example.com")}
    app = deck(engine)
    async with app.run_test(size=(80, 240)) as pilot:
        app.screen.query_one(CertificateTable).choose("shop")
        await pilot.pause()
        await pilot.press("f1")
        await pilot.pause()
        text = shown(app)
        assert "enter Show the DNS records that it waits for" in text
        assert "whole screen" not in text
        assert "Refused while" not in text


async def test_help_of_another_screen_is_another() -> None:
    """Help on the log explains the log."""
    app = deck()
    async with app.run_test(size=(100, 80)) as pilot:
        await pilot.press("l")
        await settled(pilot)
        await pilot.press("f1")
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


async def test_a_page_hears_of_everything_once() -> None:
    """A change elsewhere makes a list read once, however many classes its page has."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("y")
        await settled(pilot)
        before = [name for name, _ in engine.calls].count("targets")
        app.publish_status()
        await settled(pilot)
        assert [name for name, _ in engine.calls].count("targets") == before + 1


async def test_the_footer_while_one_types() -> None:
    """In a field no letter is offered as a key: what Enter and ? do there is the field's, and F1 leads to the help."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("slash")
        await settled(pilot)
        assert shown(app).splitlines()[-1].split() == ["esc", "Back", "f1", "Help", "^p", "More"]
        await pilot.press("f1")
        await settled(pilot)
        assert "Help  Certificates" in shown(app).splitlines()[0]
        await pilot.press("escape", "enter")
        await settled(pilot)
        assert shown(app).splitlines()[-1].startswith(" i Issue  r Renew")
