"""Orders that wait for a person, on the first screen and where an operation ends in one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from core.errors import NotFound, StoreCorrupt
from core.operations import IssueRequest
from tests.support.deck import NARROW, deck, settled, shown
from tests.support.fake_dns import open_order
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import NOW, lineage, seven
from tui.screens.dialogs.confirm import ConfirmDialog
from tui.screens.lineages import LineagesScreen
from tui.screens.progress import ProgressScreen
from tui.screens.records import RecordsScreen
from tui.screens.waiting import rows_of, waiting_orders
from tui.widgets.certificate_table import CertificateTable
from tui.widgets.details import details
from tui.widgets.footer import PageFooter
from tui.widgets.ink import Ink
from tui.widgets.overview import Overview

BY_HAND = lineage("hand", method="manual-dns-01", auto_renew=False, renew_at=None, renew_why="by hand")
INK = Ink({"foreground": "white"}, ansi=False)


def engine_with(*names: str) -> FakeEngine:
    """Make an engine with the seven certificates and orders by hand of these names."""
    engine = FakeEngine()
    engine.orders = {name: open_order(name) for name in names}
    engine.lineages = [replace(each, open_order=each.name in names) for each in engine.lineages]
    return engine


async def test_an_order_of_a_new_name_is_listed() -> None:
    """An order whose lineage does not exist yet stands in the list, is counted, and Enter shows its records (ST-14)."""
    app = deck(engine_with("fresh"))
    async with app.run_test(size=NARROW) as pilot:
        assert "✖ 1 needs you    ◐ 1 waits for you" in shown(app, app.screen.query_one(Overview))
        assert "Certificates  8" in shown(app)
        table = app.screen.query_one(CertificateTable)
        assert [row.name for row in table._rows][:3] == ["mail", "fresh", "shop"]
        table.choose("fresh")
        await pilot.pause()
        assert "◐  fresh" in shown(app)
        footer = shown(app, app.screen.query_one(PageFooter))
        assert "enter Records" in footer
        assert "Renew" not in footer
        assert "Deploy" not in footer
        detail = shown(app, app.screen.query_one("#detail"))
        assert "waits for you · no certificate yet" in detail
        assert "It is valid for 6 days 22 hours." in " ".join(detail.replace("│", " ").split())
        await pilot.press("r", "d")
        assert isinstance(app.screen, LineagesScreen)
        await pilot.press("D")
        await pilot.pause()
        assert "Give up the order for fresh?" in shown(app)
        await pilot.press("n")
        await pilot.pause()
        await pilot.press("enter")
        assert isinstance(app.screen, RecordsScreen)


@pytest.mark.parametrize("key", ["R", "o", "e", "a", "v", "b", "r", "d"])
async def test_what_needs_a_certificate_says_that_there_is_none_yet(key: str) -> None:
    """On an order alone, a key that needs its certificate says that there is none yet."""
    app = deck(engine_with("fresh"))
    async with app.run_test(size=NARROW) as pilot:
        app.screen.query_one(CertificateTable).choose("fresh")
        await pilot.pause()
        await pilot.press(key)
        await pilot.pause()
        said = [note.message for note in app._notifications]
        assert said == ["It has no certificate yet: its order is still open."]


async def test_an_order_of_a_live_certificate() -> None:
    """A certificate that is live and whose next order waits is marked so; its own life keeps its colour, and it can be renewed."""
    engine = engine_with("api")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.screen.query_one(CertificateTable).choose("api")
        await pilot.pause()
        assert "◐  api" in shown(app)
        assert "● 4 healthy" in shown(app)
        assert "1 DNS record that you set" in shown(app)
        await pilot.press("c")
        assert isinstance(app.screen, RecordsScreen)


async def test_trouble_comes_first() -> None:
    """A certificate in trouble stays in trouble, whatever waits for it."""
    app = deck(engine_with("mail"))
    async with app.run_test(size=NARROW):
        assert "✖  mail" in shown(app)
        assert "waits for you" not in shown(app, app.screen.query_one(Overview))


async def test_an_order_that_goes_on_by_itself_is_listed() -> None:
    """An order without a certificate that waits for nobody stands in the list, says what continues it, and c does so at once."""
    engine = FakeEngine()
    engine.orders = {"fresh": open_order("fresh", is_manual=False, records=())}
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        assert "Certificates  8" in shown(app)
        assert "waits for you" not in shown(app)
        app.screen.query_one(CertificateTable).choose("fresh")
        await pilot.pause()
        detail = " ".join(shown(app, app.screen.query_one("#detail")).replace("│", " ").split())
        assert "no certificate yet · its order is open" in detail
        assert "Its order is open, and the next run continues it. c continues it now, del gives it up." in detail
        await pilot.press("R")
        await pilot.pause()
        assert [note.message for note in app._notifications] == ["It has no certificate yet: its order is still open."]
        await pilot.press("c")
        await settled(pilot)
        assert ("complete", {"name": "fresh", "anyway": False}) in engine.calls


def test_what_cannot_be_read_is_left_out() -> None:
    """An order that has ended meanwhile, or whose file is damaged, hides no other."""
    engine = engine_with("a", "b")
    engine.fails["open_order"] = [NotFound("Gone.", "It ended.", "Go on.")]
    assert list(waiting_orders(engine)) == ["b"]
    engine.fails["open_orders"] = StoreCorrupt("Damaged.", "A disk.", "Mend it.")
    assert waiting_orders(engine) == {}


def test_rows_only_for_new_names() -> None:
    """Only an order whose lineage does not exist yet gets a row of its own."""
    orders = {name: open_order(name) for name in ("shop", "fresh")}
    (row,) = rows_of(orders, seven())
    assert (row.name, row.domains, row.sha256, row.open_order) == ("fresh", ("fresh.example.com",), "", True)


async def test_a_filter_finds_orders_too() -> None:
    """The filter of the list finds an order by its domain."""
    app = deck(engine_with("fresh"))
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("slash", *"fresh.example", "enter")
        assert [row.name for row in app.screen.query_one(CertificateTable)._rows] == ["fresh"]


async def test_the_palette_leads_to_the_records() -> None:
    """The records of every order that waits are found in the palette, from any screen (ST-14)."""
    app = deck(engine_with("fresh"))
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        await pilot.press("ctrl+p", *"records of fresh", "enter")
        await settled(pilot)
        assert isinstance(app.screen, RecordsScreen)
        assert app.screen.name_of_lineage == "fresh"


# -- renewed by hand -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [42, 76, 110])
def test_renewed_by_hand_says_the_way_out(width: int) -> None:
    """A certificate whose records are set by hand says when it is announced, by when it is needed, and the ways out (ST-17)."""
    lines = details(BY_HAND, NOW)(width, INK)
    told = " ".join(" ".join(text for text, _ in line) for line in lines)
    told = " ".join(told.split())
    for words in ("announced", "24 Dec 2026", "23 Jan 2027", "dns-persist-01", "CNAME", "provider"):
        assert words in told, words
    assert "Fix" not in " ".join(text for line in details(seven()[0], NOW)(width, INK) for text, _ in line)


async def test_renewing_by_hand_orders_and_shows_the_records() -> None:
    """r on such a certificate asks, orders by hand, and leads to the records to set (ST-17)."""
    engine = FakeEngine([BY_HAND])
    engine.pending = True
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("r")
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.pause()
        assert "set manually" in shown(app)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, RecordsScreen)
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(app.screen, LineagesScreen)
    request = IssueRequest(domains=("hand.example.com",), name="hand", manual=True, force=True)
    assert ("issue", {"request": request}) in engine.calls


async def test_an_end_that_nobody_saw_leads_to_the_records() -> None:
    """Whoever left the progress and comes back with w after the order began to wait is led to the records."""
    engine = FakeEngine([replace(BY_HAND, not_after=NOW + timedelta(days=20))])
    engine.pending = True
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.begin("Issue hand", "issuing hand", lambda report, cancel: engine.issue(_request(), report=report))
        app.pop_screen()
        await settled(pilot)
        assert isinstance(app.screen, LineagesScreen)
        app.action_open("progress")
        await settled(pilot)
        assert not isinstance(app.screen, ProgressScreen)
        assert isinstance(app.screen, RecordsScreen)


def _request() -> IssueRequest:
    return IssueRequest(domains=("hand.example.com",), name="hand", manual=True)
