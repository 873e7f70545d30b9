"""The fleet on its page: what is seen, and who is let in or removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from textual.app import App
from textual.pilot import Pilot

from core.config.model import Fleet
from core.fleet_errors import FleetError
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tests.support.fake_fleet import FINGERPRINT
from tui.screens.fleet import FleetScreen
from tui.screens.progress import ProgressScreen
from tui.widgets.row_list import RowList

Snap = Callable[[App[Any], str], None]


def _engine(role: str = "hub") -> FakeEngine:
    engine = FakeEngine()
    fleet = Fleet(endpoints=("https://etcd1.example.com:2379",), role=role)
    engine.settings = replace(engine.settings, fleet=fleet)
    engine.fleet = replace(engine.fleet, role=role)
    return engine


async def _open(pilot: Pilot[Any]) -> None:
    await pilot.press("F")
    await settled(pilot)
    assert isinstance(pilot.app.screen, FleetScreen)


def _asked(engine: FakeEngine, name: str) -> list[dict[str, Any]]:
    return [given for called, given in engine.calls if called == name]


async def test_without_a_fleet_it_says_how_to_begin() -> None:
    """Where nothing is configured, etcd is not asked, and the page says how to begin."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        seen = " ".join(shown(app).replace("│", " ").split())
        assert "This box is not in a fleet" in seen
        assert "certdeck fleet init" in seen
        assert _asked(engine, "fleet_status") == []


async def test_who_leads_and_who_is_behind() -> None:
    """The first row is the fleet: who leads, and what is not up to date and why; then each box with what it serves."""
    app = deck(_engine())
    async with app.run_test(size=WIDE) as pilot:
        await _open(pilot)
        seen = shown(app)
        assert "hub-a leads, 1 behind" in seen
        assert "mail on edge-1: its test refused it." in seen
        assert "asks to join" in seen
        assert "1 of 2 up to date" in seen
        await pilot.press("end")
        assert "mail: version 1 of 2. Its test refused it." in shown(app)


async def test_a_box_is_approved_with_the_fingerprint_that_was_shown() -> None:
    """Enter shows the fingerprint; no changes nothing, and yes approves exactly that key."""
    engine = _engine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.press("down", "enter")
        await pilot.pause()
        assert "3f2a:9c01:d4e8:b677" in shown(app)
        await pilot.press("n")
        await settled(pilot)
        assert _asked(engine, "fleet_approve") == []
        await pilot.press("a")
        await pilot.pause()
        await pilot.press("y")
        await settled(pilot)
        assert _asked(engine, "fleet_approve") == [{"id": "3f2a9c01d4e8b677", "expected": FINGERPRINT}]
        assert isinstance(app.screen, FleetScreen)
        assert "asks to join" not in shown(app)


async def test_a_box_is_removed_once_agreed() -> None:
    """Del asks; yes removes the box, and the end says what got new keys."""
    engine = _engine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.press("end", "delete")
        await pilot.pause()
        await pilot.press("y")
        await settled(pilot)
        assert isinstance(app.screen, ProgressScreen)
        assert "The box is removed. Renewed with new keys: shop." in shown(app)
        assert _asked(engine, "fleet_remove") == [{"id": "00112233445566bb"}]


async def test_the_fleet_itself_is_neither_approved_nor_removed() -> None:
    """On the row of the fleet, and on a device, nothing can be approved or removed."""
    engine = _engine("device")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        assert _asked(engine, "fleet_devices") == []
        await pilot.press("a", "end", "delete")
        await settled(pilot)
        assert isinstance(app.screen, FleetScreen)


async def test_an_etcd_that_does_not_answer() -> None:
    """Why the fleet cannot be read stands on the page, and r asks again."""
    engine = _engine()
    engine.fails["fleet_status"] = [FleetError("No etcd answers.", "The connection was refused.", "Start etcd.")]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        assert "Start etcd." in shown(app)
        await pilot.press("r")
        await settled(pilot)
        assert "hub-a leads" in shown(app)


async def test_boxes_are_filtered() -> None:
    """A term keeps the boxes that it fits, the fleet stays, and esc shows all again."""
    app = deck(_engine())
    async with app.run_test(size=WIDE) as pilot:
        await _open(pilot)
        rows = app.screen.query_one(RowList)
        everything = len(app.screen.items)
        await pilot.press("slash", *"state:behind")
        await settled(pilot)
        assert [each.box.name for each in app.screen.items if each.box] == ["edge-1"]
        assert len(app.screen.items) == 2
        assert "1 of " in shown(app)
        await pilot.press("enter", "down")
        assert app.screen.chosen.box.name == "edge-1"
        assert app.focused is rows
        await pilot.press("escape")
        await settled(pilot)
        assert len(app.screen.items) == everything
        assert isinstance(app.screen, FleetScreen)
        await pilot.press("slash", *"-role:device")
        await settled(pilot)
        assert all(each.box.role != "device" for each in app.screen.items if each.box)


@pytest.mark.parametrize("row", [0, 1, 3], ids=["fleet", "waiting", "behind"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
async def test_looks(size: tuple[int, int], row: int, snap: Snap) -> None:
    """How the fleet, a box that asks to join, and one that is behind look."""
    app = deck(_engine())
    async with app.run_test(size=size) as pilot:
        await _open(pilot)
        await pilot.press(*["down"] * row)
        await pilot.pause()
        snap(app, "fleet")


async def test_looks_without_a_fleet(snap: Snap) -> None:
    """How the page looks where nothing is configured."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        snap(app, "none")
