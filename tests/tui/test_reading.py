"""The console for a screen reader (`--plain`): one thing below the other, and the cursor on what is chosen."""

from __future__ import annotations

import re

import pytest

from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tui.app import CertdeckApp
from tui.reading import place_of
from tui.terminal import Terminal

LINEAR = Terminal(ascii=True, colours=16, is_slow=True, is_linear=True)
FRAMES = re.compile(r"[\u2500-\u257f]|[|+=_]{2}|-{3}")


def _line(app: CertdeckApp) -> str:
    place = place_of(app.focused)
    assert place is not None
    return shown(app).splitlines()[place.y]


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_no_frame_and_nothing_side_by_side(size: tuple[int, int]) -> None:
    """The first screen has no frames, bars or axes, and its details stand in one column below the list."""
    app = deck(terminal=LINEAR)
    async with app.run_test(size=size) as pilot:
        await pilot.press("down")
        await pilot.pause(0.3)
        text = shown(app)
        assert FRAMES.findall(text) == []
        assert "today" not in text
        assert "Certificates  7" in text
        lines = text.splitlines()
        subject = next(line for line in lines if line.startswith("Subject"))
        assert subject.split() == ["Subject", "shop.example.com"]


async def test_the_cursor_is_on_the_chosen_row() -> None:
    """The terminal's cursor follows the row under the cursor, which is what a screen reader reads."""
    app = deck(terminal=LINEAR)
    async with app.run_test(size=NARROW) as pilot:
        assert "mail" in _line(app)
        await pilot.press("down", "down")
        assert "edge" in _line(app)


async def test_dialogs_and_other_pages_have_no_frames() -> None:
    """A question and a page of another kind are lines as well; the cursor stands on the button with the focus."""
    app = deck(terminal=LINEAR)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("D")
        await settled(pilot)
        assert FRAMES.findall(shown(app)) == []
        assert "Cancel" in _line(app)
        await pilot.press("escape", "m")
        await settled(pilot)
        assert FRAMES.findall(shown(app)) == []
