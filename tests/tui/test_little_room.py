"""Every page draws itself where there is little room, with names that do not fit."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.deck import deck, settled
from tests.support.fake_engine import FakeEngine
from tui.actions import ACTIONS

LONG = "a-certificate-with-a-long-name-that-hardly-fits.customers.example.com"
LEAVING = {"quit"}
PAGES = sorted(
    {(each.key.split(",")[0], each.id) for each in ACTIONS if each.scope in ("app", "certificates") and each.key}
)


@pytest.mark.parametrize("size", [(30, 8), (80, 24)], ids=["30x8", "80x24"])
async def test_no_page_fails(size: tuple[int, int]) -> None:
    """Whatever a key of the first screen opens is drawn, moved in and left again."""
    engine: Any = FakeEngine()
    engine.lineages = tuple(replace(each, name=f"{number}-{LONG}") for number, each in enumerate(engine.lineages))
    engine.subjects = tuple(replace(each, name=LONG) for each in engine.subjects)
    app = deck(engine)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        for key, id in PAGES:
            if id in LEAVING:
                continue
            await pilot.press(key, "down")
            await settled(pilot)
            for _ in range(3):
                if len(app.screen_stack) > 1:
                    await pilot.press("escape")
                    await settled(pilot)
            assert len(app.screen_stack) == 1, id
