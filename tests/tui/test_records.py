"""The screen of an order whose DNS records a person sets: what it shows, and what it does."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from textual.pilot import Pilot

from core.errors import AuthorizationFailed, LockHeld, NotFound
from core.operations import OpenOrder, Record
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_dns import VALUES, open_order, views
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import NOW, lineage
from tui.app import CertdeckApp
from tui.screens.dialogs.confirm import ConfirmDialog
from tui.screens.help import HelpScreen
from tui.screens.lineages import LineagesScreen
from tui.screens.progress import ProgressScreen
from tui.screens.records import RecordsScreen
from tui.screens.records.boxes import RecordBoxes
from tui.screens.records.qr_code import QrScreen
from tui.screens.records.zone_file import ZoneFileScreen
from tui.widgets.certificate_table import CertificateTable

WILD = open_order("new", "*.example.com", "example.com")
PERSISTENT = replace(
    WILD,
    challenge="dns-persist-01",
    records=(
        Record(
            name="_validation-persist.example.com",
            type="TXT",
            value="letsencrypt.org; accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/4242424242; policy=wildcard",
        ),
    ),
)


def waiting(*states: str, order: OpenOrder = WILD, **fields: Any) -> FakeEngine:
    """Make an engine with an order by hand; every look finds the name servers in these states."""
    engine = FakeEngine()
    engine.orders = {order.name: order}
    engine.looks = [views(*(states or ("lacks", "has")), of=order.records, **fields)]
    return engine


async def opened(pilot: Pilot[Any], name: str = "new") -> RecordsScreen:
    """Open the screen over the first one."""
    screen = RecordsScreen(name)
    pilot.app.push_screen(screen)
    await ticked(pilot)
    return screen


async def ticked(pilot: Pilot[Any]) -> None:
    """Let the screen's own clock tick and everything it begins come to its end."""
    await settled(pilot)
    await pilot.pause(0.3)
    await settled(pilot)


def called(engine: FakeEngine, method: str) -> list[dict[str, Any]]:
    return [given for name, given in engine.calls if name == method]


def notes(app: CertdeckApp) -> str:
    """Return what was said in passing."""
    return " ".join(f"{note.title} {note.message}" for note in app._notifications)


def box(app: CertdeckApp) -> str:
    """Return the words of the dialog that is open."""
    return " ".join(shown(app, app.screen.query_one(".words")).split())


# -- what is shown ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_every_record_is_shown_whole(size: tuple[int, int]) -> None:
    """Every record stands there at once with its name, type and whole value; two at one name must both stand (ST-14)."""
    app = deck(waiting())
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        text = shown(app)
        assert all(value in text for value in VALUES)
        assert text.count("_acme-challenge.example.com") == 2
        assert text.count("TXT") == 2
        assert text.count("both values must stand at this name") == 2
        assert "The order lives 6 days 22 hours more, until 28 Nov 2026 02:02 UTC." in text


async def test_who_has_which_record() -> None:
    """Each address of each name server is listed with sign, word and time, and how many have it stands at the box (ST-15)."""
    app = deck(waiting("lacks", "has", "silent", "unreachable"))
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        text = " ".join(shown(app).split())
        assert "▲ ns1.example.com 192.0.2.1 lacks it 11 ms" in text
        assert "✔ ns2.example.com 2001:db8::2 has it 22 ms" in text
        assert "○ ns3.example.com 192.0.2.3 no answer" in text
        assert "○ ns4.example.com 192.0.2.4 no way there" in text
        assert "▲ 1 of 2 have it" in text
        assert "looked at 04:02:00 · next look at 04:02:02" in text


async def test_a_name_that_leads_elsewhere() -> None:
    """Where the name is a CNAME, it says where the record has to be written."""
    app = deck(waiting("lacks", written_at="x7.acme.example.net"))
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        assert "Set at x7.acme.example.net  the name is a CNAME to it" in shown(app)
        await pilot.press("C")
        assert app.clipboard == "x7.acme.example.net"


async def test_why_nobody_could_be_asked() -> None:
    """Where no name server could be asked, it says why instead of showing an empty table."""
    app = deck(waiting(servers=(), problem="Nobody says which zone it is in."))
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        assert "Nobody says which zone it is in." in shown(app)
        assert "No name server can be asked from here." in shown(app)


async def test_hostile_text_does_nothing() -> None:
    """Names of servers and problems come from the DNS: nothing in them is markup or terminal code."""
    engine = waiting(problem="[bold]x[/foo] \x1b]52;c;ZQ==\x07 \u202egnp")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        assert "[bold]x[/foo]" in shown(app)
        assert "\x1b" not in shown(app)


@pytest.mark.parametrize("count", [1, 2, 30])
async def test_any_number_of_records(count: int) -> None:
    """With many records the name servers keep their place, and the cursor leads through all of them."""
    order = open_order("new", *[f"host-{number}.example.com" for number in range(count)])
    app = deck(waiting("lacks", order=order))
    async with app.run_test(size=NARROW) as pilot:
        screen = await opened(pilot)
        assert screen.query_one("#servers").size.height >= 4
        for _ in range(count - 1):
            await pilot.press("n")
        assert f"_acme-challenge.host-{count - 1}.example.com" in shown(app)
        if count > 1:
            assert f"record {count}" in shown(app)
            await pilot.press("n")
            assert screen.query_one(RecordBoxes).place == 0


# -- looking ---------------------------------------------------------------------------------------------------------------


async def test_it_looks_again_by_itself() -> None:
    """It asks the name servers again and again, with growing pauses, and stops when it is left."""
    engine = waiting()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        assert len(called(engine, "look_at_records")) == 1
        engine.clock.advance(seconds=2.1)
        await ticked(pilot)
        assert len(called(engine, "look_at_records")) == 2
        await pilot.press("r")
        await ticked(pilot)
        assert len(called(engine, "look_at_records")) == 3
        await pilot.press("escape")
        engine.clock.advance(seconds=60)
        await ticked(pilot)
        assert len(called(engine, "look_at_records")) == 3


async def test_nobody_looks_behind_another_screen() -> None:
    """While another screen stands in front nothing is asked and nothing goes on; coming back looks at once."""
    engine = waiting("has")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        engine.clock.advance(seconds=60)
        await ticked(pilot)
        assert called(engine, "complete") == []
        await pilot.press("escape")
        await ticked(pilot)
        assert len(called(engine, "look_at_records")) == 2
        assert "The CA looks in 5 s" in shown(app)


# -- going on --------------------------------------------------------------------------------------------------------------


async def test_it_completes_by_itself() -> None:
    """When all name servers have all records it counts down in sight, completes, and leads back to the new certificate."""
    engine = waiting("has", "has", "unreachable")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        assert "✔ Every name server has all 2 of them. The CA looks in 5 s." in shown(app)
        engine.clock.advance(seconds=3)
        await ticked(pilot)
        assert "The CA looks in 2 s." in shown(app)
        assert called(engine, "complete") == []
        engine.clock.advance(seconds=3)
        await ticked(pilot)
        assert called(engine, "complete") == [{"name": "new", "anyway": False}]
        assert isinstance(app.screen, ProgressScreen)
        assert "new is issued" in shown(app)
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(app.screen, LineagesScreen)
        chosen = app.screen.query_one(CertificateTable).chosen
        assert chosen is not None
        assert chosen.name == "new"


async def test_the_countdown_can_be_stopped() -> None:
    """a stops the countdown: then it waits for Enter."""
    engine = waiting("has")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("a")
        assert "Enter lets the CA look." in shown(app)
        engine.clock.advance(seconds=60)
        await ticked(pilot)
        assert called(engine, "complete") == []
        await pilot.press("enter")
        await settled(pilot)
        assert called(engine, "complete") == [{"name": "new", "anyway": False}]


async def test_anyway_says_what_is_at_stake() -> None:
    """Enter before all have it asks first, with the harmless answer chosen, and says that a failure ends the order (ST-15)."""
    engine = waiting("lacks", "has")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("enter")
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.pause()
        assert "ns1.example.com does not have every record yet." in box(app)
        assert "that ends this order, and the next one wants other values" in box(app)
        await pilot.press("enter")
        assert called(engine, "complete") == []
        await pilot.press("enter", "y")
        await settled(pilot)
        assert called(engine, "complete") == [{"name": "new", "anyway": True}]


async def test_an_order_that_still_waits() -> None:
    """When the engine's own look finds a record missing, the order stays and the screen shows who lacks it."""
    engine = waiting("has")
    engine.looks = [views("has", of=WILD.records), views("lacks", of=WILD.records)]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await opened(pilot)
        await pilot.press("enter")
        await ticked(pilot)
        assert app.screen is screen
        assert "lacks it" in shown(app)
        assert "Set these 2 records" in shown(app)


async def test_a_refusal_ends_the_order() -> None:
    """A challenge that fails ends the order: the CA's words stand there first, then the list."""
    engine = waiting("has")
    engine.fails["complete"] = AuthorizationFailed(
        "The CA refused example.com.", "No TXT record found.", "Order again, with new values."
    )
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert "No TXT record found." in shown(app)
        engine.orders = {}
        await pilot.press("escape")
        await ticked(pilot)
        assert isinstance(app.screen, LineagesScreen)
        assert "No order of new waits" in notes(app)
        assert "waits for you" not in shown(app)


async def test_a_failure_is_not_repeated_by_itself() -> None:
    """After a failure that leaves the order open it waits for the person instead of trying for ever."""
    engine = waiting("has")
    engine.fails["complete"] = AuthorizationFailed("The CA is down.", "It gave no answer.", "Try again later.")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await opened(pilot)
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("escape")
        await ticked(pilot)
        assert app.screen is screen
        assert "Enter lets the CA look." in shown(app)
        engine.clock.advance(seconds=60)
        await ticked(pilot)
        assert len(called(engine, "complete")) == 1


async def test_another_certdeck_at_work() -> None:
    """While another certdeck holds the lock it counts once more, longer, and then tries again."""
    engine = waiting("has")
    engine.fails["complete"] = [LockHeld("Another certdeck is at work.", "It renews.", "Wait a moment.")]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await opened(pilot)
        engine.clock.advance(seconds=6)
        await ticked(pilot)
        assert app.screen is screen
        assert "Another certdeck is at work." in notes(app)
        engine.clock.advance(seconds=40)
        await ticked(pilot)
        engine.clock.advance(seconds=6)
        await ticked(pilot)
        assert len(called(engine, "complete")) == 2


async def test_an_order_that_ended_elsewhere() -> None:
    """Somebody else completed or gave up the order: that is said, and the list comes back."""
    engine = waiting()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        engine.orders = {}
        engine.fails["look_at_records"] = NotFound("There is no open order.", "It has ended.", "Begin another.")
        await pilot.press("r")
        await ticked(pilot)
        assert isinstance(app.screen, LineagesScreen)
        assert "No order of new waits" in notes(app)
        assert "waits for you" not in shown(app)


async def test_an_order_that_somebody_else_completed() -> None:
    """When the scheduled run, or another session, completes the order meanwhile, that is what it says."""
    engine = waiting()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        engine.orders = {}
        engine._put(lineage("new", method="manual-dns-01"))
        engine.fails["look_at_records"] = NotFound("There is no open order.", "It has ended.", "Begin another.")
        await pilot.press("r")
        await ticked(pilot)
        assert "new has its certificate" in notes(app)
        assert isinstance(app.screen, LineagesScreen)


async def test_an_order_that_is_over() -> None:
    """An order that has lived its time is neither looked for nor answered: it says so, and how to begin anew."""
    engine = waiting("has", order=replace(WILD, expires=NOW + timedelta(seconds=3)))
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        engine.clock.advance(seconds=60)
        await ticked(pilot)
        assert "✖ This order is over" in shown(app)
        assert "x gives it up" in shown(app)
        assert len(called(engine, "look_at_records")) == 1
        assert called(engine, "complete") == []


async def test_giving_up_asks() -> None:
    """x asks, says that the values are of no use any more, and only then forgets the order."""
    engine = waiting()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("x")
        await pilot.pause()
        assert "of no use any more" in box(app)
        await pilot.press("escape")
        assert called(engine, "give_up") == []
        await pilot.press("x", "y")
        await ticked(pilot)
        assert called(engine, "give_up") == [{"name": "new"}]
        assert isinstance(app.screen, LineagesScreen)


async def test_leaving_says_how_to_come_back() -> None:
    """Esc leaves the order as it is, and says how to come back, here and from the command line."""
    engine = waiting()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert "The order stays open until 28 Nov 2026 02:02 UTC" in notes(app)
        assert "certdeck complete new" in notes(app)
        assert isinstance(app.screen, LineagesScreen)
        chosen = app.screen.query_one(CertificateTable).chosen
        assert chosen is not None
        assert chosen.name == "new"
    assert "new" in engine.orders


# -- taking the values elsewhere -------------------------------------------------------------------------------------------


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
        assert "Leave it there for good" in shown(app)


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
        assert code.region.height == code.styles.height.value  # type: ignore[union-attr]
        assert "Hold the camera" in shown(app)
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


async def test_nothing_is_answered_twice() -> None:
    """While the order is being completed neither Enter nor the clock begins it once more."""
    engine = waiting("has")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("enter", "enter", "enter")
        await ticked(pilot)
        engine.clock.advance(seconds=60)
        await ticked(pilot)
        assert len(called(engine, "complete")) == 1


def test_the_copy_is_an_osc_52() -> None:
    """What is copied goes to the terminal as OSC 52 in base64, so that it passes through SSH."""
    written: list[str] = []

    class Driver:
        def write(self, data: str) -> None:
            written.append(data)

    app = deck(waiting())
    app._driver = Driver()  # type: ignore[assignment]
    app.copy_to_clipboard(VALUES[0])
    assert written == [f"\x1b]52;c;{base64.b64encode(VALUES[0].encode()).decode()}\a"]
