"""The list of certificates: what a row shows, how the cursor moves, and that it stays quick."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from textual.app import App, ComposeResult

from core.operations import LineageStatus
from tests.support.deck import NARROW, WIDE, deck, shown
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import NOW, lineage, many, seven, without_certificate
from tui.widgets.certificate_table import CertificateTable
from tui.widgets.columns import Look, share_out
from tui.widgets.horizon import columns_of, horizon
from tui.widgets.lanes import lane
from tui.widgets.life import life_bar


def _bar(width: int = 20, **fields: object) -> str:
    return "".join(sign for sign, _ in life_bar(lineage("shop", **fields), NOW, width))


@pytest.mark.parametrize(
    ("left", "bar"),
    [
        (timedelta(days=90), "─────────────│──────"),
        (timedelta(days=45), "━━━━━━━━━━───│──────"),
        (timedelta(days=3), "━━━━━━━━━━━━━│━━━━━╸"),
        (timedelta(days=-1), "━━━━━━━━━━━━━│━━━━━━"),
    ],
)
def test_life_bar(left: timedelta, bar: str) -> None:
    """The bar is how much of the life is used, with a tick where it renews."""
    shown = _bar(left=left, life_days=90).replace("┃", "│")
    assert shown == bar


def test_life_bar_without_a_certificate() -> None:
    """Where there is no certificate the bar is a dotted line, of the same length."""
    assert life_bar(without_certificate("new"), NOW, 12) == [("╌" * 12, "bar-rest")]


@pytest.mark.parametrize("width", [2, 3, 10, 24, 61])
def test_life_bar_has_its_width(width: int) -> None:
    """Whatever the dates, the bar is exactly as wide as its column."""
    for each in (
        *seven(),
        lineage("odd", renew_at=NOW + timedelta(days=900)),
        lineage("old", left=timedelta(days=-400)),
    ):
        assert len("".join(sign for sign, _ in life_bar(each, NOW, width))) == width


@pytest.mark.parametrize("place", [0, 150, 450, 905, -1])
def test_columns_are_wide_enough_for_what_is_far_down(place: int) -> None:
    """Among a thousand certificates, the longest time left is shown whole wherever its row is."""
    rows = [lineage(f"n{number:04}", left=timedelta(days=89, hours=1)) for number in range(1000)]
    rows[place] = lineage("long", left=timedelta(days=364, hours=1), life_days=398)
    places = share_out(rows, Look(NOW, {}), 80)
    cells = next(each.cells for each in places if each.column.key == "left")
    assert cells >= len("364 d")


def _marks(rows: list[LineageStatus], width: int) -> str:
    return "".join(cell.sign for cell in horizon(rows, NOW, width).marks)


def test_horizon_shows_what_ends() -> None:
    """The horizon has a mark where a certificate ends within the hundred days, ◇ where one renews, a digit where several do."""
    line = _marks(list(seven()), 100)
    assert len(line) == 100
    assert (line[0], line[2], line[3], line[4], line[21]) == ("2", "◇", "✖", "●", "▲")
    assert line.count("●") == 3
    assert line.count("◇") == 3


def test_horizon_months_stand_above() -> None:
    """Months have a line of their own: no mark overwrites them."""
    made = horizon([lineage(f"n{day}", left=timedelta(days=day)) for day in range(100)], NOW, 60)
    assert "".join(cell.sign for cell in made.months).split() == ["Dec", "Jan", "Feb"]


def test_horizon_shows_the_worst_of_a_day() -> None:
    """Where several end on one place their number is in the colour of the worst."""
    crowd = [
        lineage(f"n{number}", left=timedelta(days=5), severity=s) for number, s in enumerate(("green", "red", "yellow"))
    ]
    cells = [cell for cell in horizon(crowd, NOW, 50).marks if cell.role == "severity-red"]
    assert [cell.sign for cell in cells] == ["3"]


def test_horizon_lights_the_chosen_one() -> None:
    """The columns of the chosen certificate are those where it renews and where it ends."""
    wild = next(row for row in seven() if row.name == "wild")
    marks = horizon(seven(), NOW, 100).marks
    assert [marks[column].sign for column in sorted(columns_of(wild, NOW, 100))] == ["◇", "●"]


@pytest.mark.parametrize("width", [10, 33, 61])
def test_a_lane_has_its_width(width: int) -> None:
    """Whatever the dates, a lane is exactly as wide as its place."""
    for each in (*seven(), without_certificate("new"), lineage("old", left=timedelta(days=-400))):
        assert len("".join(sign for sign, _ in lane(each, NOW, width))) == width


async def test_rows_tell_state_without_colour() -> None:
    """Each row begins with a sign for its state and ends with what is left of it."""
    app = deck()
    async with app.run_test(size=NARROW):
        rows = shown(app, app.screen.query_one(CertificateTable)).splitlines()
        marks = {
            words[1]: (words[0], " ".join(words[-3:-1]))
            for words in ([*row.strip("│▎ ").split(), "│"] for row in rows[2:9])
        }
        assert marks["mail"] == ("✖", "3 d")
        assert marks["shop"] == ("▲", "21 d")
        assert marks["default"] == ("●", "365 d")


@pytest.mark.parametrize("size", [NARROW, WIDE, (60, 16), (70, 20), (200, 60)])
async def test_nothing_is_cut_that_matters(size: tuple[int, int]) -> None:
    """At every size the name, the bar and what is left are whole, and no line is wider than the table."""
    app = deck()
    async with app.run_test(size=size):
        table = app.screen.query_one(CertificateTable)
        text = shown(app, table)
        assert all(word in text for word in ("mail", "shop", "3 d", "21 d", "Left"))
        assert all(len(line) <= table.region.width for line in text.splitlines())


async def test_a_long_name_leaves_room_for_what_is_wrong() -> None:
    """At 80 columns a long name is shortened in its middle, so that the reason beside it can be read."""
    name = "a-long-name-of-a-department.example.com"
    app = deck(FakeEngine([lineage(name, timer="absent")]))
    async with app.run_test(size=NARROW):
        row = shown(app, app.screen.query_one(CertificateTable)).splitlines()[2]
        assert re.search(r"would renew \S+ \S+( \d{4})? – no timer ", row)
        assert re.search(r" a-long-\S+…\S*example\.com ", row)


async def test_a_long_name_leaves_room_for_the_services() -> None:
    """In a wide window a name of 60 characters is shortened in its middle before the services are cut."""
    long = lineage("portal-of-the-department-in-the-street-with-the-longest-name")
    app = deck(FakeEngine([*seven(), long]))
    async with app.run_test(size=WIDE):
        text = shown(app)
        assert "nginx, postfix" in text
        assert re.search(r"portal-of-\S*…\S*est-name ", text)


async def test_the_arrow_of_the_order_is_whole() -> None:
    """The head of the column that the list is sorted by has an arrow, which is not cut in the narrowest column either."""
    app = deck(FakeEngine([lineage("a"), lineage("b")]))
    async with app.run_test(size=NARROW) as pilot:
        heads = []
        for _ in range(4):
            await pilot.press("s")
            await pilot.pause()
            heads.append(shown(app, app.screen.query_one(CertificateTable)).splitlines()[1])
        assert any("Left ↑" in head for head in heads)
        assert any("Name ↑" in head for head in heads)
        assert "…" not in "".join(heads)


async def test_cursor_keys() -> None:
    """Arrows, page keys, ends and the letters of pagers move the cursor; it never leaves the list."""
    app = deck(FakeEngine.with_lineages(100))
    async with app.run_test(size=NARROW) as pilot:
        table = app.screen.query_one(CertificateTable)

        def place() -> int:
            return table._cursor

        for key, expected in (
            ("up", 0),
            ("down", 1),
            ("j", 2),
            ("k", 1),
            ("end", 99),
            ("down", 99),
            ("home", 0),
            ("G", 99),
            ("g", 0),
        ):
            await pilot.press(key)
            assert place() == expected, key
        await pilot.press("pagedown")
        assert 5 <= place() <= 20
        await pilot.press("pageup")
        assert place() == 0


async def test_cursor_is_always_seen() -> None:
    """The row under the cursor is on the screen wherever the cursor goes, and the heading stays."""
    app = deck(FakeEngine.with_lineages(200))
    async with app.run_test(size=NARROW) as pilot:
        table = app.screen.query_one(CertificateTable)
        for key in ("end", "up", "pageup", "home", "pagedown", "pagedown", "down"):
            await pilot.press(key)
            await pilot.pause()
            text = shown(app, table)
            assert table.chosen is not None
            assert table.chosen.name in text, key
            assert "Name" in text.splitlines()[1]


class Alone(App[None]):
    """The table and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.moves = 0

    def compose(self) -> ComposeResult:
        yield CertificateTable(self.moved)

    def moved(self) -> None:
        self.moves += 1

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {}


async def test_cursor_stays_on_its_certificate() -> None:
    """When the list changes the cursor stays on its certificate, and where that is gone, on its place."""
    app = Alone()
    async with app.run_test(size=NARROW):
        table = app.query_one(CertificateTable)
        rows = many(10)
        table.show(rows, NOW, standings={})
        assert table.choose("site-00004")
        table.show(tuple(reversed(rows)), NOW, standings={})
        assert table.chosen is not None
        assert table.chosen.name == "site-00004"
        table.show([row for row in reversed(rows) if row.name != "site-00004"], NOW, standings={})
        assert table.chosen.name == "site-00003"
        table.show((), NOW, standings={})
        assert table.chosen is None
        assert not table.choose("site-00004")


async def test_only_what_is_seen_is_drawn() -> None:
    """Ten thousand rows cost as many drawn lines as the window has, not ten thousand."""
    app = Alone()
    async with app.run_test(size=NARROW) as pilot:
        table = app.query_one(CertificateTable)
        table.show(many(10_000), NOW, standings={})
        await pilot.pause()
        await pilot.press("end", "pageup")
        await pilot.pause()
        assert len(table._strips) < 120


async def test_a_click_moves_and_opens() -> None:
    """A click puts the cursor on a row; a click on the chosen row shows its details."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        table = app.screen.query_one(CertificateTable)
        await pilot.click(table, offset=(10, 4))
        assert table.chosen is not None
        assert table.chosen.name == "edge"
        await pilot.click(table, offset=(10, 4))
        assert app.screen.has_class("-zoomed")
