"""The status screen: what needs a person, what there is, and what can be done with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from textual.events import Key
from textual.widgets import Input

from core.errors import ConfigError, StoreCorrupt
from core.operations import TargetState, TimerState
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import NOW, lineage, seven, without_certificate
from tui.screens.dialogs.error import ErrorDialog
from tui.screens.lineages import LineagesScreen
from tui.screens.ordering import WALK
from tui.widgets.certificate_table import CertificateTable
from tui.widgets.footer import PageFooter
from tui.widgets.lanes import Lanes
from tui.widgets.overview import Overview
from tui.wording.certificate_filter import narrowed, parsed

HOSTILE = "[bold]x[/foo] [@click=app.quit]y[/] \x1b]52;c;ZQ==\x07 \u202egnp\n.exe"
CONFIG = ConfigError(
    "The configuration has 2 problems.",
    "certdeck.toml line 7: unknown key 'isuer' in [defaults].",
    "Did you mean 'issuer'? Correct the file; nothing renews until then.",
    details={"problems": ["line 7: unknown key 'isuer'", "line 9: port must be a number"]},
)


def _rows(app: Any) -> list[str]:
    """Return the names in the list, as they stand."""
    return [row.name for row in app.screen.query_one(CertificateTable)._rows]


def _chosen(app: Any) -> str:
    chosen = app.screen.query_one(CertificateTable).chosen
    return chosen.name if chosen is not None else ""


async def test_what_needs_a_person_comes_first() -> None:
    """The counts stand at the top in words, and the list begins with what is most urgent (ST-45)."""
    app = deck()
    async with app.run_test(size=NARROW):
        assert "✖ 1 needs you    ▲ 1 not served    ● 5 healthy" in shown(app, app.screen.query_one(Overview))
        assert _rows(app)[:2] == ["mail", "shop"]
        assert _chosen(app) == "mail"


async def test_the_detail_follows_the_cursor() -> None:
    """The lower part tells about the certificate under the cursor."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("down")
        detail = shown(app, app.screen.query_one("#detail"))
        assert "─ shop ─" in detail
        assert "▲ 21 days left" in detail


@pytest.mark.parametrize(
    ("size", "beside"),
    [((80, 24), False), ((109, 29), False), ((110, 29), True), ((110, 30), False), ((120, 40), False)],
)
async def test_where_the_detail_stands(size: tuple[int, int], beside: bool) -> None:
    """The detail stands below the list; on a wide screen that is not tall, to the right of it."""
    app = deck()
    async with app.run_test(size=size):
        table, detail = app.screen.query_one("#list").region, app.screen.query_one("#detail").region
        assert (detail.y == table.y) == beside
        assert (detail.x > table.x) == beside


async def test_seven_rows_fit_at_80x24() -> None:
    """On a serial line of 80x24 seven certificates, their detail and the keys are seen at once."""
    app = deck()
    async with app.run_test(size=NARROW):
        text = shown(app)
        assert all(name in text for name in ("mail", "shop", "edge", "api", "wild", "partner", "default"))
        assert "tries again tonight" in text


async def test_the_keys_fit() -> None:
    """The bottom line never has more than fits, and always help and the palette."""
    for width in (60, 70, 80, 100, 120):
        app = deck()
        async with app.run_test(size=(width, 24)):
            line = shown(app, app.screen.query_one(PageFooter)).rstrip("\n")
            assert len(line) <= width
            assert line.endswith("^p More")
            assert "? Keys" in line


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("shop", ["shop"]),
        ("zero", ["api"]),
        ("example.com pay", ["shop"]),
        ("203.", ["edge"]),
        ("upload", ["partner"]),
        ("xyz", []),
    ],
)
async def test_filter_as_one_types(typed: str, names: list[str]) -> None:
    """The filter works with each letter, over names, domains, issuers and methods; the count says how many are left."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("slash", *("space" if letter == " " else letter for letter in typed.replace(".", "")))
        field = app.screen.query_one(Input)
        field.value = typed
        await pilot.pause()
        assert _rows(app) == names
        assert (f"{len(names)} of 7" in shown(app)) == bool(names)


async def test_the_lanes_follow_the_filter() -> None:
    """On a roomy screen the lanes are those of the rows that are left, also where the cursor stays on its row."""
    app = deck()
    async with app.run_test(size=WIDE) as pilot:
        await settled(pilot)
        first, second = _rows(app)[:2]
        assert second in shown(app, app.screen.query_one(Lanes))
        await pilot.press("slash", *first)
        await settled(pilot)
        assert _rows(app) == [first]
        lanes = shown(app, app.screen.query_one(Lanes))
        assert first in lanes
        assert second not in lanes


async def test_filter_is_kept_or_cleared() -> None:
    """Enter keeps the filter and gives the keys back to the list; Escape shows everything again."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("slash", "s", "h", "o", "p", "enter")
        assert _rows(app) == ["shop"]
        assert isinstance(app.focused, CertificateTable)
        await pilot.press("escape")
        await settled(pilot)
        assert len(_rows(app)) == 7
        assert not app.screen.query(Input)


async def test_what_is_typed_right_behind_the_slash_is_filtered_for() -> None:
    """Whoever types ahead, or over a slow line, loses no letter to the keys of the list."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        for key, sign in (("slash", "/"), ("r", "r"), ("D", "D"), ("slash", "/")):
            app.post_message(Key(key, sign))
        await pilot.pause()
        assert isinstance(app.screen, LineagesScreen)
        assert app.screen.query_one(Input).value == "rD/"


async def test_letters_belong_to_the_filter_while_one_types() -> None:
    """While the filter has the focus, r is a letter and renews nothing."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("slash", "r", "d", "q")
        assert app.screen.query_one(Input).value == "rdq"
        assert isinstance(app.screen, LineagesScreen)


def test_encoded_names_are_found_as_written() -> None:
    """An IDN is found by what people write and by what a machine calls it."""
    one = lineage("x", "xn--bcher-kva.example")
    assert narrowed([one], parsed("bücher"), NOW)
    assert narrowed([one], parsed("xn--bcher"), NOW)
    assert not narrowed([one], parsed("buecher"), NOW)


async def test_orders() -> None:
    """s goes through the orders: most urgent, what ends first, by name, by issuer, and round again."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        seen = [_rows(app)]
        for _ in WALK:
            await pilot.press("s")
            seen.append(_rows(app))
        assert seen[0] == seen[-1]
        assert seen[1][:3] == ["mail", "edge", "shop"]
        assert seen[2] == sorted(seen[2])
        assert seen[3][0] == "partner"


async def test_cursor_survives_a_refresh() -> None:
    """When the timer has changed something meanwhile, the new state shows and the cursor stays on its certificate."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("down")
        assert _chosen(app) == "shop"
        engine.lineages = [replace(each, severity="red") if each.name == "wild" else each for each in engine.lineages]
        engine.lineages.append(lineage("aaa", severity="red"))
        app.refresh_status()
        await settled(pilot)
        assert _chosen(app) == "shop"
        assert "✖ 3 need you" in shown(app)


async def test_details_on_the_whole_screen() -> None:
    """Enter gives the details the whole screen, Escape takes it back."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("down", "enter")
        await pilot.pause()
        text = shown(app)
        assert "Certificates" not in text
        assert "Renewal" in text
        assert "Serial" in text
        await pilot.press("escape")
        await settled(pilot)
        assert "Certificates" in shown(app)
        assert isinstance(app.focused, CertificateTable)


# -- states ------------------------------------------------------------------------------------------------------------


async def test_a_configuration_that_cannot_be_read() -> None:
    """A broken configuration is told with what, why, what to do and every problem, instead of an empty list."""
    engine = FakeEngine()
    engine.fails["status"] = CONFIG
    app = deck(engine)
    async with app.run_test(size=NARROW):
        text = shown(app)
        for words in (
            "The configuration has 2 problems.",
            "unknown key 'isuer'",
            "Did you mean 'issuer'?",
            "line 9: port must be a number",
        ):
            assert words in text


async def test_the_last_known_state_stays() -> None:
    """When the configuration breaks while one looks, what was known stays on the screen, with a word about it."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        engine.fails["status"] = CONFIG
        app.refresh_status()
        await settled(pilot)
        text = shown(app)
        assert "mail.example.com" in text
        assert "✖ configuration broken · !" in text
        await pilot.press("exclamation_mark")
        await pilot.pause()
        assert isinstance(app.screen, ErrorDialog)
        assert "Did you mean 'issuer'?" in shown(app)


async def test_a_broken_file_beside_good_ones() -> None:
    """A lineage file that cannot be read is told; the others are shown as ever."""
    engine = FakeEngine()
    engine.problems = (StoreCorrupt("shop.toml cannot be read.", "Line 3 is no TOML.", "Correct it."),)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        assert "▲ 1 file unreadable · !" in shown(app)
        assert len(_rows(app)) == 7
        await pilot.press("exclamation_mark")
        await pilot.pause()
        assert "Line 3 is no TOML." in shown(app)


async def test_everything_broken() -> None:
    """Where every certificate needs somebody, the counts say so and nothing is called healthy."""
    engine = FakeEngine([replace(each, severity="red") for each in seven()])
    app = deck(engine)
    async with app.run_test(size=NARROW):
        assert "✖ 7 need you    ● 0 healthy" in shown(app)


async def test_a_lineage_without_a_certificate() -> None:
    """A lineage written by hand that has none yet stands first and says so."""
    app = deck(FakeEngine([lineage("old"), without_certificate("new", "new.example.com")]))
    async with app.run_test(size=NARROW):
        assert _rows(app)[0] == "new"
        assert "no certificate yet" in shown(app)
        assert "none" in shown(app, app.screen.query_one(CertificateTable))


@pytest.mark.parametrize(
    ("timer", "words"),
    [
        (TimerState(state="off"), "timer off · nothing renews automatically"),
        (TimerState(state="off", is_absent=True), "no timer · nothing renews automatically"),
        (TimerState(state="on", next_run=NOW, last_outcome="failed"), "last run failed"),
    ],
)
async def test_a_timer_that_does_not_live(timer: TimerState, words: str) -> None:
    """A timer that is off, or whose last run failed, is told in the first line."""
    engine = FakeEngine()
    engine.timer = timer
    app = deck(engine)
    async with app.run_test(size=WIDE):
        assert words in shown(app).splitlines()[0]


async def test_hostile_text_does_nothing() -> None:
    """Markup, escapes, marks of direction and line breaks in a subject, an issuer, a name or an error are only text."""
    engine = FakeEngine(
        [
            lineage(
                "evil",
                "evil.example.com",
                HOSTILE,
                subject=HOSTILE,
                issuer=HOSTILE,
                ca=None,
                last_error={"what": HOSTILE, "why": HOSTILE, "fix": HOSTILE},
            )
        ]
    )
    engine.settings = replace(engine.settings, appliance=replace(engine.settings.appliance, name=HOSTILE))
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        for keys in ((), ("enter",), ("escape", "D"), ("escape", "r"), ("escape", "e")):
            await pilot.press(*keys)
            await pilot.pause()
            text = shown(app)
            assert "[bold]x[/foo]" in text or "Export" in text
            assert not any(ord(sign) < 32 and sign != "\n" for sign in text)
            assert "\u202e" not in text
        assert app.is_running


async def test_a_thousand_certificates() -> None:
    """A thousand certificates are counted, listed and moved through like seven."""
    app = deck(FakeEngine.with_lineages(1000))
    async with app.run_test(size=NARROW) as pilot:
        assert "Certificates  1,000" in shown(app)
        await pilot.press("end")
        await pilot.pause()
        assert _chosen(app) == _rows(app)[-1]


async def test_the_state_says_what_is_wrong() -> None:
    """A failed renewal, a service with another certificate and a timer that is off are no "renews soon": each says what it is."""
    error = {"code": "unauthorized", "what": "x", "why": "y", "fix": "z"}
    retry: dict[str, Any] = {"renew_why": "retry", "renew_at": NOW + timedelta(hours=18)}
    engine = FakeEngine(
        [
            lineage("bad", last_error=error, failures=3, **retry),
            lineage("other", targets=(TargetState(name="web", state="stale"),)),
            lineage("late", timer="off", renew_at=NOW + timedelta(days=33)),
        ]
    )
    app = deck(engine)
    async with app.run_test(size=NARROW):
        text = shown(app)
        assert "renew soon" not in text
        assert "renews soon" not in text
        assert "▲ 1 failed" in text
        assert "▲ 1 not served" in text
        assert "▲ 1 without timer" in text
        table = shown(app, app.screen.query_one(CertificateTable))
        assert "failed 3×, next 22:02" in table
        assert "web serves another" in table
        assert "would renew 24 Dec – timer off" in table


async def test_a_counter_filters() -> None:
    """A click on a counter shows its certificates alone, the filter is in the title, and a second click shows all again."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.click(Overview, offset=(22, 0))
        await settled(pilot)
        assert _rows(app) == ["shop"]
        assert "1 of 7  / state:not-served" in shown(app)
        await pilot.press("escape")
        await settled(pilot)
        assert len(_rows(app)) == 7


async def test_a_click_on_a_head_sorts() -> None:
    """A click on the head of a column sorts by it and shows an arrow; once more turns it round."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.click(CertificateTable, offset=(6, 1))
        await settled(pilot)
        assert _rows(app) == sorted(_rows(app))
        assert "Name ↑" in shown(app)
        await pilot.click(CertificateTable, offset=(6, 1))
        await settled(pilot)
        assert _rows(app) == sorted(_rows(app), reverse=True)
        assert "Name ↓" in shown(app)


async def test_the_arrows_walk_the_horizon() -> None:
    """Right goes to what ends next, left back; the marks of the chosen certificate are lit."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        assert _chosen(app) == "mail"
        await pilot.press("right")
        assert _chosen(app) == "edge"
        await pilot.press("right")
        assert _chosen(app) == "shop"
        await pilot.press("left")
        assert _chosen(app) == "edge"
        await pilot.click(Overview, offset=(6 + 2 + 13, 2))
        await settled(pilot)
        assert _chosen(app) == "shop"
