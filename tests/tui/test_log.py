"""The log: one row for each run, what a run did and when, how it is read, and how it looks."""

from __future__ import annotations

import re
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
from tests.support.showcase import LOG
from tui.screens.lineages import LineagesScreen
from tui.screens.log import LogScreen
from tui.terminal import Terminal
from tui.widgets.row_list import RowList
from tui.widgets.sheet import Sheet

Snap = Callable[[App[Any], str], None]


def _with_runs() -> FakeEngine:
    engine = FakeEngine()
    engine.entries = list(LOG)
    return engine


def _entries(count: int) -> list[LogEntry]:
    """Make runs of five entries each."""
    of_one = (LOG[3], LOG[4], LOG[5], LOG[7], LOG[11])
    return [
        replace(
            of_one[number % 5],
            number=number + 1,
            run=f"run-{number // 5:04}",
            at=NOW - timedelta(minutes=count - number),
        )
        for number in range(count)
    ]


def _title(app: App[Any]) -> str:
    return str(app.screen.query_one(RowList).border_title)


async def test_each_run_is_one_row_with_its_result(snap: Snap) -> None:
    """The log has a row for each run, newest first: when, what, for which certificate, and what came of it (SO-44)."""
    app = deck(_with_runs())
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        rows = [line for line in shown(app).splitlines() if any(sign in line for sign in ("✔ ", "✖ ", "▲ ", "◐ "))]
        assert "Deploy" in rows[0]
        assert "version 3 is live" in rows[0]
        assert "✖" in rows[1]
        assert "mail +1" in rows[1]
        snap(app, "log")


async def test_a_run_opens_to_its_steps(snap: Snap) -> None:
    """Enter shows every step of a run on the whole screen, each with the time since the run began; Esc goes back to the list."""
    app = deck(_with_runs())
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        await pilot.press("down", "enter")
        await settled(pilot)
        text = shown(app)
        assert "failed after 14 s, by systemd" in text
        assert "2.0 s ✔ letsencrypt issued a certificate for mail.example.com" in text
        assert not app.screen.query_one(RowList).display
        assert "enter Runs" in text
        snap(app, "steps")
        await pilot.press("escape")
        assert isinstance(app.screen, LogScreen)
        assert app.screen.query_one(RowList).display
        assert app.screen.query_one(RowList).chosen == "run-renew"


async def test_a_run_without_an_end_says_so() -> None:
    """A run that still goes on, or was interrupted, is not shown as done."""
    engine = FakeEngine()
    engine.entries = list(LOG[:-1])
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        assert "◐ " in shown(app)
        assert "not finished" in shown(app)


async def test_log_reads_on_at_its_end() -> None:
    """The history is read a page at a time, the next one when the end of the list comes near; a run is never shown in part."""
    engine = FakeEngine()
    engine.entries = _entries(452)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        assert _title(app) == "Log  40 newest runs"
        for expected in ("Log  80 newest runs", "Log  91 runs"):
            await pilot.press("end")
            await settled(pilot)
            assert _title(app) == expected
        assert "o Older" not in shown(app)


async def test_log_filter() -> None:
    """/ keeps the runs that hold every word that is typed; Esc shows all again, and goes back only then."""
    app = deck(_with_runs())
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        await pilot.press("slash", *"mail issued")
        await pilot.pause()
        assert _title(app) == "Log  1 of 3 runs  / mail issued"
        await pilot.press(*"xyz")
        await pilot.pause()
        assert "Nothing matches." in shown(app)
        await pilot.press("enter", "escape")
        await pilot.pause()
        assert _title(app) == "Log  3 runs"
        await pilot.press("escape")
        assert isinstance(app.screen, LineagesScreen)


async def test_the_cursor_stays_on_its_run() -> None:
    """When something new is in the log, the cursor stays on the run that somebody looks at."""
    engine = FakeEngine()
    engine.entries = list(LOG[:-3])
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        before = app.screen.query_one(RowList).chosen
        engine.entries = list(LOG)
        app.refresh_status()
        await settled(pilot)
        assert _title(app) == "Log  3 runs"
        assert app.screen.query_one(RowList).chosen == before


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
    """A history that cannot be read is told with what, why and what to do, in the place of the steps."""
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
        assert "Nothing is logged yet." in shown(app)


async def test_foreign_words_in_the_log_are_shown_and_not_obeyed() -> None:
    """An entry may hold what a CA or a server said: no terminal code of it reaches the screen, in the row or in the steps."""
    engine = FakeEngine()
    engine.entries = [replace(each, facts={**each.facts, "what": "\x1b[2Jgone [red]x[/]"}) for each in LOG]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        assert "\x1b" not in shown(app)
        assert "[red]x[/]" in shown(app)


@pytest.mark.parametrize(
    "terminal",
    [
        pytest.param(Terminal(ascii=True), id="log-ascii"),
        pytest.param(Terminal(colours=0), id="log-no-colour"),
        pytest.param(Terminal(colours=16), id="log-sixteen"),
    ],
)
async def test_looks_on_poor_terminals(terminal: Terminal, snap: Snap) -> None:
    """The log looks as agreed in ASCII, without colours and with sixteen."""
    app = deck(_with_runs(), terminal=terminal)
    async with app.run_test(size=WIDE) as pilot:
        app.push_screen(LogScreen())
        await settled(pilot)
        assert app.screen.query_one(Sheet).count
        snap(app, "page")


async def test_a_long_name_leaves_room_for_the_result() -> None:
    """At 80 columns a long name is shortened in its middle, so that the result can be read; DNS is spelled as everybody does."""
    engine = FakeEngine()
    name = "a-long-name-of-a-department.example.com"
    begun = LogEntry(number=1, at=NOW, run="one", lineage=name, kind="run-started", facts={"operation": "dns-test"})
    failed = {"outcome": "failed", "what": "The certificate cannot be issued now."}
    engine.entries = [begun, replace(begun, number=2, kind="run-finished", facts=failed)]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        row = next(line for line in shown(app).splitlines() if "DNS test" in line)
        assert re.search(r" a-long-\S+…\S+example\.com ", row)


async def test_a_note_outside_of_a_run_is_no_unfinished_run() -> None:
    """That a message could not be sent is noted after a run: it has a row of its own that says so, and waits for nothing."""
    engine = _with_runs()
    engine.entries = [
        replace(LOG[0], kind="warned", run="alone", facts={"what": "The mail of admins was not sent.", "fix": ""})
    ]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        text = shown(app)
        assert "▲" in text
        assert "The mail of admins was not sent." in text
        assert "not finished" not in text
