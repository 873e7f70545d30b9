"""How the values of an order by hand leave the terminal: copied, printed plainly, as zone-file lines, as a code for a phone."""

from __future__ import annotations

import base64

import pytest

from core.operations import OpenOrder
from tests.support.by_hand import PERSISTENT, WILD, notes, opened, waiting
from tests.support.deck import NARROW, WIDE, deck, shown
from tests.support.fake_dns import VALUES
from tui.screens.records.boxes import RecordBoxes
from tui.screens.records.qr_code import QrScreen
from tui.screens.records.zone_file import ZoneFileScreen


async def test_copying() -> None:
    """c copies the whole value under the cursor, C its name, and it says what was copied and what to do if it fails."""
    app = deck(waiting())
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("down", "c")
        assert app.clipboard == VALUES[1]
        assert "Value of record 2 of 2 copied" in notes(app)
        assert "p prints it plainly" in notes(app)
        await pilot.press("C")
        assert app.clipboard == "_acme-challenge.example.com"


async def test_a_long_value_is_copied_whole() -> None:
    """A value for good is longer than a line: it is broken on the screen between cells, and copied whole."""
    app = deck(waiting("lacks", order=PERSISTENT))
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        assert PERSISTENT.records[0].value not in shown(app)
        await pilot.press("c")
        assert app.clipboard == PERSISTENT.records[0].value
        assert "Leave it in place" in shown(app)


async def test_zone_file_lines() -> None:
    """z shows the records as lines of a zone file, and c copies them there."""
    app = deck(waiting())
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pilot.press("z")
        assert isinstance(app.screen, ZoneFileScreen)
        line = f'_acme-challenge.example.com. 60 IN TXT "{VALUES[0]}"'
        assert line in shown(app)
        await pilot.press("c")
        assert app.clipboard.splitlines()[0] == line
        assert len(app.clipboard.splitlines()) == 2


@pytest.mark.parametrize("order", [WILD, PERSISTENT], ids=["proof", "for-good"])
async def test_the_code_fits_on_a_serial_line(order: OpenOrder) -> None:
    """q fills the screen with a code that is whole at 80x24, also of a long value; q and Esc leave it."""
    app = deck(waiting(order=order))
    async with app.run_test(size=NARROW) as pilot:
        screen = await opened(pilot)
        await pilot.press("q")
        await pilot.pause()
        assert isinstance(app.screen, QrScreen)
        code = app.screen.query_one("#code")
        assert code.display
        assert code.region.bottom <= 24
        assert code.region.height == code.styles.height.value
        assert "Scan the code" in shown(app)
        await pilot.press("q")
        assert app.screen is screen


async def test_the_code_of_each_record() -> None:
    """n goes to the next record's code, v shows the name's, and leaving keeps the cursor on the record."""
    app = deck(waiting())
    async with app.run_test(size=NARROW) as pilot:
        screen = await opened(pilot)
        await pilot.press("q", "n", "v")
        await pilot.pause()
        assert "Name of record 2 of 2" in shown(app)
        await pilot.press("escape")
        assert screen.query_one(RecordBoxes).place == 1


def test_the_copy_is_an_osc_52() -> None:
    """What is copied goes to the terminal as OSC 52 in base64, so that it passes through SSH."""
    written: list[str] = []

    class Driver:
        def write(self, data: str) -> None:
            written.append(data)

    app = deck(waiting())
    app._driver = Driver()
    app.copy_to_clipboard(VALUES[0])
    assert written == [f"\x1b]52;c;{base64.b64encode(VALUES[0].encode()).decode()}\a"]
