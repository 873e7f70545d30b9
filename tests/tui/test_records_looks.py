"""How the records that a person sets look, and their codes for a phone."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from core.operations import OpenOrder, Record, ServerView
from tests.support.deck import NARROW, WIDE, deck, settled
from tests.support.fake_dns import open_order, views
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import seven
from tui.screens.records import RecordsScreen
from tui.screens.records.boxes import value_lines
from tui.terminal import Terminal

WILD = open_order("wild", "*.example.com", "example.com")
SERVERS = tuple(
    ServerView(server=name, address=address, state=state, milliseconds=time)
    for name, address, state, time in (
        ("ns-1234.awsdns-26.org", "205.251.196.210", "lacks", 14),
        ("ns-1234.awsdns-26.org", "2600:9000:5304:d200::1", "unreachable", 0),
        ("ns-501.awsdns-62.com", "205.251.193.245", "has", 21),
        ("ns-501.awsdns-62.com", "2600:9000:5301:f500::1", "has", 9),
        ("ns-1893.awsdns-44.co.uk", "205.251.199.101", "silent", 0),
    )
)
FOR_GOOD = Record(
    name="_validation-persist.example.com",
    type="TXT",
    value="letsencrypt.org; accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/4242424242; policy=wildcard",
)


def at_the_records(*keys: str) -> Any:
    """Return what to do before the picture: open the screen, let it look, and press keys."""

    async def run(pilot: Any) -> None:
        pilot.app.push_screen(RecordsScreen("wild"))
        await settled(pilot)
        await pilot.pause(0.3)
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()

    return run


def engine(*states: str, order: OpenOrder = WILD, **fields: Any) -> FakeEngine:
    """Make an engine with an order that waits."""
    made = FakeEngine()
    made.orders = {"wild": order}
    made.looks = [views(*(states or ("has",)), of=order.records, **fields)]
    return made


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
def test_records(snap_compare: Any, theme: str, size: tuple[int, int]) -> None:
    """Both records with whole values in their boxes, both must stand, the servers below or to the right; nothing cut."""
    app = deck(engine(servers=SERVERS), theme=theme)
    assert snap_compare(app, run_before=at_the_records(), terminal_size=size)


@pytest.mark.parametrize(
    "terminal",
    [
        pytest.param(Terminal(colours=16), id="16-colours"),
        pytest.param(Terminal(ascii=True, colours=0), id="ascii-no-colour"),
    ],
)
def test_records_on_poor_terminals(snap_compare: Any, monkeypatch: pytest.MonkeyPatch, terminal: Terminal) -> None:
    """In 16 colours, and in ASCII without colour, signs and words say the same."""
    if terminal.colours == 0:
        monkeypatch.setenv("NO_COLOR", "1")
    app = deck(engine("lacks", "has", "silent", "unreachable"), terminal=terminal)
    assert snap_compare(app, run_before=at_the_records(), terminal_size=NARROW)


def test_seen_everywhere(snap_compare: Any) -> None:
    """All servers have all records: green, and the countdown in sight."""
    assert snap_compare(deck(engine("has", "has")), run_before=at_the_records(), terminal_size=NARROW)


def test_written_elsewhere(snap_compare: Any) -> None:
    """A CNAME leads the names elsewhere: where to write stands below each name."""
    app = deck(engine("lacks", "has", written_at="7f3c1e.acme-dns.example.net"))
    assert snap_compare(app, run_before=at_the_records("n"), terminal_size=NARROW)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
def test_a_record_for_good(snap_compare: Any, size: tuple[int, int]) -> None:
    """A long value is broken behind a blank, and not at all where it has the room; it is said that the record stays."""
    order = replace(WILD, challenge="dns-persist-01", records=(FOR_GOOD,))
    assert snap_compare(deck(engine("lacks", order=order)), run_before=at_the_records(), terminal_size=size)


@pytest.mark.parametrize("width", [20, 51, 70, 72, 103, 200])
@pytest.mark.parametrize("value", [FOR_GOOD.value, "x" * 150, "a  b", " a ", "a" * 20 + " b"])
def test_a_broken_value_is_still_the_value(value: str, width: int) -> None:
    """The lines of a value hold all of it, none is too long, and a word that fits into a line is whole."""
    lines = value_lines(value, width)
    assert "".join(lines).replace(" ", "") == value.replace(" ", "")
    assert all(len(line) <= width for line in lines)
    short = [word for word in value.split() if len(word) <= width]
    assert all(any(word in line for line in lines) for word in short)


def test_what_is_at_stake(snap_compare: Any) -> None:
    """Letting the CA look too early: a red frame, who lacks what, what is lost, and the safe answer chosen."""
    app = deck(engine("lacks", "has"))
    assert snap_compare(app, run_before=at_the_records("enter"), terminal_size=NARROW)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_code(snap_compare: Any, theme: str) -> None:
    """The code is black on white in every theme, whole, with the value beside it."""
    assert snap_compare(deck(engine(), theme=theme), run_before=at_the_records("a", "q"), terminal_size=NARROW)


def test_the_code_in_ascii_without_colour(snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without colours and block signs the code is made of reversed blanks where the window is high enough."""
    monkeypatch.setenv("NO_COLOR", "1")
    app = deck(engine(), terminal=Terminal(ascii=True, colours=0))
    assert snap_compare(app, run_before=at_the_records("a", "q"), terminal_size=WIDE)


def test_the_code_does_not_fit(snap_compare: Any) -> None:
    """Where the code does not fit, its text stands there whole, and how large the window has to be."""
    app = deck(engine(), terminal=Terminal(ascii=True, colours=16))
    assert snap_compare(app, run_before=at_the_records("a", "q"), terminal_size=NARROW)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
def test_the_list_with_orders_that_wait(snap_compare: Any, size: tuple[int, int]) -> None:
    """An order of a new name and one of a live certificate: counted, listed, and the way to their records in the detail."""
    made = engine()
    made.orders = {"wild": WILD, "fresh.example.org": open_order("fresh.example.org", "*.example.org", "example.org")}
    assert snap_compare(deck(made), press=["down", "down"], terminal_size=size)


def test_renewed_by_hand(snap_compare: Any) -> None:
    """A certificate that is renewed by hand says when, and the ways out."""
    rows = [
        replace(each, method="manual-dns-01", auto_renew=False, renew_at=None, renew_why="by hand")
        if each.name == "wild"
        else each
        for each in seven()
    ]
    made = FakeEngine(rows)
    assert snap_compare(deck(made), press=["down", "down", "down", "down"], terminal_size=WIDE)
