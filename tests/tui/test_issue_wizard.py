"""The wizard: what is entered stays, what is wrong is said where it is, and how its steps look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from textual.app import App
from textual.widgets import Input, TextArea

from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tests.support.wizard import REFUSED, Box, go_to, open_wizard, until
from tui.screens.dialogs.confirm import ConfirmDialog
from tui.screens.lineages import LineagesScreen
from tui.terminal import Terminal
from tui.widgets.row_list import RowList

Snap = Callable[[App[Any], str], None]


# -- names ---------------------------------------------------------------------------------------------------------------


async def test_names_are_shown_as_they_are_sent() -> None:
    """Names apart by blanks, commas and lines are taken, and an international one stands beside what is sent."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com, pay.example.com\nmünchen.example.com *.lan.example.com")
        text = shown(app)
        assert "✔ münchen.example.com  sent as xn--mnchen-3ya.example.com" in text
        assert "✔ *.lan.example.com  every name one level below" in text
        assert [each.value for each in screen.draft.identifiers()][:2] == ["shop.example.com", "pay.example.com"]


async def test_www_is_offered_beside_a_bare_domain() -> None:
    """The www. companion stands ticked beside a bare domain, says why, and space takes it away (SO-14)."""
    engine = Box()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "example.com")
        assert "[✔] www.example.com  beside example.com" in shown(app)
        assert screen.draft.request().domains == ("example.com", "www.example.com")
        await pilot.press("tab", "space")
        assert "[ ] www.example.com" in shown(app)
        assert screen.draft.request().domains == ("example.com",)


async def test_a_wrong_name_says_what_why_and_what_to_do() -> None:
    """A wrong name is explained once the word is left, and Next does not go on; a word under way is not called wrong."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot)
        await pilot.press(*"foo_bar".replace("_", "-"), "underscore")
        assert "✖" not in shown(app)
        await pilot.press("x", "space")
        text = shown(app)
        assert "✖ 'foo-bar_x' cannot be in a certificate." in text
        assert "→ Use a hyphen, or another name." in text
        await pilot.press("enter")
        assert screen.step.TITLE == "Names"


async def test_without_a_name_it_does_not_go_on() -> None:
    """Enter in an empty box says that a name is missing."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot)
        await pilot.press("enter")
        assert "✖ No name was given" in shown(app)
        assert screen.step.TITLE == "Names"


async def test_a_line_feed_is_enter() -> None:
    """A serial line that sends a line feed for Enter goes on as well, from the box and from a list."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        await pilot.press("ctrl+j")
        assert screen.step.TITLE == "Validation"
        await pilot.press("ctrl+j")
        assert screen.step.TITLE == "Issuer & key"


async def test_a_bad_lineage_name_is_refused_where_it_is() -> None:
    """What cannot be the name of a folder is refused below its field (SO-11)."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        screen.query_one("#lineage Input", Input).value = "../evil"
        await pilot.press("ctrl+n")
        assert "✖ '../evil' is not a valid name." in shown(app)
        assert screen.step.TITLE == "Names"


async def test_a_name_that_is_there_already_is_said() -> None:
    """Issuing under the name of a certificate that exists says that it takes over, and ticks the services it has."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        screen.query_one("#lineage Input", Input).value = "shop"
        await pilot.pause()
        assert "The certificate shop exists already" in shown(app)
        await go_to(pilot, "Service")
        assert screen.draft.targets == ("nginx", "postfix")


async def test_a_name_that_is_changed_later_brings_its_services_too() -> None:
    """Whoever goes back and names an existing certificate keeps its services, unless they are unticked on purpose."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Service")
        assert screen.draft.targets == ()
        for _ in range(3):
            await pilot.press("escape")
        screen.query_one("#lineage Input", Input).value = "shop"
        await go_to(pilot, "Service")
        assert screen.draft.targets == ("nginx", "postfix")
        await pilot.press("space", "escape", "enter")
        assert screen.draft.targets == ("postfix",)


# -- back ----------------------------------------------------------------------------------------------------------------


async def test_back_never_loses_input() -> None:
    """Going back from the checks to the beginning and on again keeps names, key, services and rehearsal."""
    engine = Box()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com pay.example.com")
        await go_to(pilot, "Issuer & key")
        screen.query_one("#key").focus()
        await pilot.press("right", "tab", "tab", "space")
        await go_to(pilot, "Service")
        await pilot.press("space")
        await go_to(pilot, "Check")
        before = screen.draft.request()
        assert (before.key_type, before.targets) == ("ec-384", ("nginx",))
        for _ in range(4):
            await pilot.press("escape")
        assert screen.step.TITLE == "Names"
        assert screen.query_one("#names", TextArea).text == "shop.example.com pay.example.com"
        await go_to(pilot, "Issuer & key")
        assert "[EC P-384]" in shown(app)
        await go_to(pilot, "Check")
        assert screen.draft.request() == before


async def test_leaving_asks_where_something_would_be_lost() -> None:
    """Esc on the first step asks before it throws names away, and q does not quit the console by a slip."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        await pilot.press("escape")
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.press("escape")
        await pilot.press("enter", "q")
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.press("escape")
        assert app.screen is screen
        assert screen.draft.typed == "shop.example.com"


async def test_an_empty_wizard_is_left_at_once() -> None:
    """Nothing is asked where nothing was entered."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        await open_wizard(pilot)
        await pilot.press("escape")
        assert isinstance(app.screen, LineagesScreen)


# -- proof ---------------------------------------------------------------------------------------------------------------


async def test_http_01_says_what_it_needs() -> None:
    """HTTP-01 names its two requirements (ST-11), who answers, and the lines for a web server, which can be copied (SO-22)."""
    engine = Box()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Validation")
        text = shown(app)
        assert "Port 80 of every name is reachable from the internet." in text
        assert "The DNS records (A and AAAA) of every name point to this box." in text
        assert "certdeck itself responds on 0.0.0.0:80" in text
        snippet = engine.http01_snippets()["nginx"]
        assert all(line.strip() in text for line in snippet.splitlines())
        await pilot.press("c")
        assert app.clipboard == snippet


async def test_webroot_is_told_as_configured() -> None:
    """With webroot in the configuration the step names the folder."""
    engine = Box()
    engine.settings = replace(
        engine.settings, http01=replace(engine.settings.http01, mode="webroot", webroot="/srv/www")
    )
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Validation")
        assert "put into /srv/www" in shown(app)


async def test_without_proof_only_the_private_ca_is_offered() -> None:
    """Choosing no proof leads to the private CA of this box, and to an order for it."""
    engine = Box()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "box.lan")
        await go_to(pilot, "Validation")
        await pilot.press("end")
        assert "Nothing to do." in shown(app)
        await go_to(pilot, "Issuer & key")
        assert screen.query_one("#issuer", RowList).keys == ("appliance-ca",)
        assert "Terms" not in shown(app)
        await go_to(pilot, "Issue")
        await settled(pilot)
    assert engine.ordered.issuer == "appliance-ca"


# -- looks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_looks(snap: Snap, size: tuple[int, int]) -> None:
    """The six steps as a person sees them."""
    engine = Box()
    engine.findings = FakeEngine().findings
    app = deck(engine)
    async with app.run_test(size=size) as pilot:
        await open_wizard(pilot, "example.com münchen.example.com foo_bar")
        await pilot.press("tab")
        snap(app, "1-names")
        app.screen.query_one("#names", TextArea).text = "example.com münchen.example.com"
        await go_to(pilot, "Validation")
        snap(app, "2-proof")
        await go_to(pilot, "Issuer & key")
        await until(pilot, lambda: "shortlived" in shown(app))
        snap(app, "3-issuer")
        await go_to(pilot, "Service")
        await pilot.press("space")
        snap(app, "4-service")
        await go_to(pilot, "Check")
        snap(app, "5-check")
        await pilot.press("enter", "y")
        await settled(pilot)
        snap(app, "6-issue")


async def test_looks_without_colour_or_signs(snap: Snap) -> None:
    """The checks on a terminal of sixteen colours that draws ASCII alone."""
    engine = Box()
    engine.findings = FakeEngine().findings
    app = deck(engine, terminal=Terminal(ascii=True, colours=16))
    async with app.run_test(size=NARROW) as pilot:
        await open_wizard(pilot, "example.com")
        await go_to(pilot, "Check")
        snap(app, "check")


async def test_looks_when_it_failed(snap: Snap) -> None:
    """A failed order."""
    engine = Box()
    engine.fails["issue"] = REFUSED
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Issue")
        await settled(pilot)
        snap(app, "failed")
