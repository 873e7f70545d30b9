"""The screen of an order whose DNS records a person sets: what it shows, and what it does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from core.errors import AuthorizationFailed, LockHeld, NotFound
from tests.support.by_hand import WILD, box, called, notes, opened, ticked, waiting
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_dns import VALUES, open_order, views
from tests.support.lineages import NOW, lineage
from tui.screens.dialogs.confirm import ConfirmDialog
from tui.screens.help import HelpScreen
from tui.screens.lineages import LineagesScreen
from tui.screens.progress import ProgressScreen
from tui.screens.records.boxes import RecordBoxes
from tui.terminal import Terminal
from tui.widgets.certificate_table import CertificateTable

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
        assert text.count("this name must have both values") == 2
        assert "The order is valid for 6 days 22 hours, until 28 Nov 2026 02:02 UTC." in text


async def test_a_screen_reader_meets_no_frames() -> None:
    """In plain mode the records stand there without the lines of their boxes, with their titles."""
    app = deck(waiting(), terminal=Terminal(ascii=True, colours=16, is_slow=True, is_linear=True))
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        text = shown(app)
        assert "1 of 2" in text
        assert all(value in text for value in VALUES)
        assert "+-" not in text
        assert "|" not in text


async def test_who_has_which_record() -> None:
    """Each address of each name server is listed with sign, word and time, and how many have it stands at the box (ST-15)."""
    app = deck(waiting("lacks", "has", "silent", "unreachable"))
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        text = " ".join(shown(app).split())
        assert "▲ ns1.example.com 192.0.2.1 lacks it 11 ms" in text
        assert "✔ ns2.example.com 2001:db8::2 has it 22 ms" in text
        assert "○ ns3.example.com 192.0.2.3 no response" in text
        assert "○ ns4.example.com 192.0.2.4 not reachable" in text
        assert "▲ 1 of 2 have it" in text
        assert "checked at 04:02:00 · next check at 04:02:02" in text


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
    app = deck(waiting(servers=(), problem="The zone could not be found."))
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        assert "The zone could not be found." in shown(app)
        assert "No name server can be queried from here." in shown(app)


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
        await pilot.press("f1")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        engine.clock.advance(seconds=60)
        await ticked(pilot)
        assert called(engine, "complete") == []
        await pilot.press("escape")
        await ticked(pilot)
        assert len(called(engine, "look_at_records")) == 2
        assert "The CA checks in 5 s" in shown(app)


# -- going on --------------------------------------------------------------------------------------------------------------


async def test_it_completes_by_itself() -> None:
    """When all name servers have all records it counts down in sight, completes, and leads back to the new certificate."""
    engine = waiting("has", "has", "unreachable")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        assert "✔ Every name server has all 2 of them. The CA checks in 5 s." in shown(app)
        engine.clock.advance(seconds=3)
        await ticked(pilot)
        assert "The CA checks in 2 s." in shown(app)
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
        assert "Enter lets the CA check." in shown(app)
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
        assert "this ends the order, and the next one has new values" in box(app)
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
        assert "Enter lets the CA check." in shown(app)
        engine.clock.advance(seconds=60)
        await ticked(pilot)
        assert len(called(engine, "complete")) == 1


async def test_another_certdeck_at_work() -> None:
    """While another certdeck holds the lock it counts once more, longer, and then tries again."""
    engine = waiting("has")
    engine.fails["complete"] = [LockHeld("Another certdeck process is running.", "It renews.", "Wait a moment.")]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await opened(pilot)
        engine.clock.advance(seconds=6)
        await ticked(pilot)
        assert app.screen is screen
        assert "Another certdeck process is running." in notes(app)
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
        assert "✖ This order has ended" in shown(app)
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
        assert "no longer valid" in box(app)
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
