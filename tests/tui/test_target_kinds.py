"""The kinds of services: on their page, below a target, and for its form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App

from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tui.screens.target_form import TargetForm
from tui.screens.target_kinds import KindsScreen
from tui.widgets.field import Field
from tui.widgets.row_list import RowList

Snap = Callable[[App[Any], str], None]


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
async def test_looks(size: tuple[int, int], snap: Snap) -> None:
    """Each kind with how it takes a certificate; the cursor begins on the kind of the target."""
    app = deck()
    async with app.run_test(size=size) as pilot:
        await pilot.press("y")
        await settled(pilot)
        await pilot.press("v")
        await settled(pilot)
        assert isinstance(app.screen, KindsScreen)
        assert app.screen.query_one(RowList).chosen == "nginx"
        snap(app, "kinds")


async def test_enter_changes_nothing_where_nobody_asked() -> None:
    """On a page that only shows the kinds, Enter takes none."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("y")
        await settled(pilot)
        await pilot.press("v")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, KindsScreen)


async def test_a_target_says_what_its_kind_does() -> None:
    """Below the settings of a target stands what its kind of service does with a new certificate."""
    app = deck()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("y")
        await settled(pilot)
        seen = shown(app)
        assert "About nginx" in seen
        assert "Sessions" in seen


async def test_the_form_takes_a_kind() -> None:
    """^o in the form lists the kinds; Enter takes the chosen one into the form."""
    app = deck(FakeEngine())
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("y")
        await settled(pilot)
        await pilot.press("n")
        await settled(pilot)
        await pilot.press("ctrl+o")
        await settled(pilot)
        assert isinstance(app.screen, KindsScreen)
        app.screen.query_one(RowList).choose("postfix")
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, TargetForm)
        assert app.screen.query_one("#kind", Field).value == "postfix"
