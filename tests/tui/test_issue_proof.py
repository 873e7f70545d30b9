"""The wizard's step Proof: by a file, through the DNS in three ways, or by none; and what each asks the engine for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from core.operations import Issued
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_dns import provider_info
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import lineage
from tests.support.wizard import Box, go_to, open_wizard
from tui.screens.dns.connection_test import ConnectionTestScreen
from tui.screens.dns.form import ProviderForm
from tui.screens.dns.kinds import KindScreen
from tui.screens.issue import IssueScreen
from tui.screens.lineages import LineagesScreen
from tui.screens.records import RecordsScreen
from tui.terminal import Terminal
from tui.widgets.row_list import RowList

Snap = Callable[[App[Any], str], None]


def _box(*providers: str) -> Box:
    engine = Box()
    entries = {
        "cf": provider_info("cf"),
        "bind": provider_info("bind", "rfc2136", zones=("lan.example.com", "example.net")),
        "half": provider_info("half", "godaddy", missing=("api_secret",)),
    }
    engine.known_providers = tuple(entries[name] for name in providers)
    return engine


def _wizard(app: App[Any]) -> IssueScreen:
    assert isinstance(app.screen, IssueScreen)
    return app.screen


async def _fill(pilot: Pilot[Any], **values: str) -> None:
    """Fill in the form that is open, field by field as they are called."""
    form = pilot.app.screen
    assert isinstance(form, ProviderForm)
    for field in form.query("AskedField"):
        key = getattr(field, "key")  # noqa: B009 - a query knows widgets only
        if key in values:
            field.query_one(Input).value = values[key]
    await pilot.pause()


# -- which way ---------------------------------------------------------------------------------------------------------


async def test_each_way_is_asked_for_as_it_was_chosen() -> None:
    """A provider, by hand, and once for good become the request that the engine knows them by (CC-07, ST-13, ST-25)."""
    app = deck(_box("cf"))
    async with app.run_test(size=NARROW) as pilot:
        await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Validation")
        asked = []
        for _ in range(5):
            request = _wizard(app).draft.request()
            asked.append((request.challenge, request.dns, request.manual))
            await pilot.press("down")
        assert asked == [
            ("http-01", None, False),
            ("dns-01", "cf", False),
            ("dns-01", None, True),
            ("dns-persist-01", None, True),
            (None, None, False),
        ]


async def test_a_wildcard_leads_to_the_dns_and_says_why() -> None:
    """A wildcard chooses the DNS by itself, says why, and does not go on by HTTP-01 (CC-18, ST-13)."""
    app = deck(_box("cf"))
    async with app.run_test(size=NARROW) as pilot:
        await open_wizard(pilot, "*.example.com")
        await go_to(pilot, "Validation")
        assert "▲ *.example.com can be validated only through DNS." in shown(app)
        assert "not for wildcards" in shown(app)
        assert _wizard(app).draft.request().dns == "cf"
        await pilot.press("home", "enter")
        assert "✖ A wildcard such as *.example.com cannot be validated by HTTP-01" in shown(app)
        assert _wizard(app).step.TITLE == "Validation"
        await pilot.press("down", "enter")
        assert _wizard(app).step.TITLE == "Issuer & key"


async def test_through_the_dns_the_wildcard_is_offered_beside_a_bare_domain() -> None:
    """Through the DNS `*.` takes the place of `www.`, ticked, here and among the names; HTTP-01 brings `www.` back (SO-15)."""
    app = deck(_box("cf"))
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "example.com")
        await go_to(pilot, "Validation")
        assert screen.draft.request().domains == ("example.com", "www.example.com")
        await pilot.press("down")
        assert "[✔] *.example.com  beside example.com" in shown(app)
        assert screen.draft.request().domains == ("example.com", "*.example.com")
        screen.query_one("#beside").focus()
        await pilot.press("space")
        assert screen.draft.request().domains == ("example.com",)
        await pilot.press("escape")
        assert "[ ] *.example.com" in shown(app)
        await pilot.press("enter")
        screen.query_one("#method").focus()
        await pilot.press("home")
        assert screen.draft.request().domains == ("example.com", "www.example.com")


async def test_by_hand_says_that_it_does_not_renew_and_what_leads_out() -> None:
    """By hand says that it works anywhere, that it does not renew by itself, and the ways out (ST-16, ST-17)."""
    app = deck(_box())
    async with app.run_test(size=NARROW) as pilot:
        await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Validation")
        await pilot.press("down", "down")
        text = shown(app)
        assert "at your DNS provider" in text
        assert "▲ It does not renew automatically" in text
        assert "→ To change that: a provider; a CNAME" in text


async def test_a_certificate_that_exists_is_proved_as_before() -> None:
    """Whoever issues under the name of a certificate that exists begins with its proof and its provider (ST-30)."""
    engine = _box("bind", "cf")
    engine.lineages.append(lineage("intern", "a.example.com", method="dns-01"))
    engine.known_providers = (
        engine.known_providers[0],
        provider_info("cf", lineages=("intern",)),
        provider_info("zz"),
    )
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "a.lan.example.com")
        screen.query_one("#lineage Input", Input).value = "intern"
        await go_to(pilot, "Validation")
        request = screen.draft.request()
        assert (request.challenge, request.dns) == ("dns-01", "cf")


# -- providers ---------------------------------------------------------------------------------------------------------


async def test_the_provider_of_the_zone_is_chosen() -> None:
    """The entry whose zone is closest to the names is chosen; another one says which names are not in its zones (ST-25)."""
    app = deck(_box("bind", "cf"))
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "a.lan.example.com")
        await go_to(pilot, "Validation")
        await pilot.press("down")
        assert screen.draft.dns == "bind"
        assert "Not in a zone" not in shown(app)
        screen.query_one("#names", TextArea).text = "shop.example.org"
        await pilot.press("tab", "down")
        assert screen.draft.request().dns == "cf"
        assert "▲ Not in a zone of cf: shop.example.org." in shown(app)


async def test_an_incomplete_provider_does_not_go_on() -> None:
    """An entry that lacks a secret says so, and Next stays."""
    app = deck(_box("half"))
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Validation")
        await pilot.press("down", "enter")
        assert "✖ half is incomplete" in shown(app)
        assert screen.step.TITLE == "Validation"


async def test_a_provider_can_be_added_on_the_way() -> None:
    """Without one Enter leads to the form; it comes back with the new entry chosen and nothing entered lost (ST-23, CC-15)."""
    engine = _box()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com *.example.com")
        await go_to(pilot, "Validation")
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, KindScreen)
        await pilot.press("enter")
        await settled(pilot)
        await _fill(pilot, name="mine", zones="example.com", api_token="s3cret-token")
        await pilot.press("ctrl+s")
        await settled(pilot)
        await settled(pilot)
        assert app.screen is screen
        assert screen.query_one("#providers", RowList).chosen == "mine"
        assert "(●) mine" in shown(app)
        await go_to(pilot, "Issue")
        await settled(pilot)
    assert engine.ordered.domains == ("shop.example.com", "*.example.com")
    assert engine.ordered.dns == "mine"


async def test_leaving_the_form_comes_back_to_the_step() -> None:
    """Whoever leaves the choice of a provider is back in the step, as it was."""
    app = deck(_box("cf"))
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Validation")
        await pilot.press("down", "n")
        await settled(pilot)
        assert isinstance(app.screen, KindScreen)
        await pilot.press("escape")
        await settled(pilot)
        assert app.screen is screen
        assert screen.draft.request().dns == "cf"


async def test_a_provider_can_be_tested_on_the_way() -> None:
    """x tests the chosen provider and esc comes back (ST-24)."""
    app = deck(_box("cf"))
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Validation")
        await pilot.press("down", "x")
        await settled(pilot)
        assert isinstance(app.screen, ConnectionTestScreen)
        assert "It works" in shown(app)
        await pilot.press("escape")
        await settled(pilot)
        assert app.screen is screen
        assert screen.draft.dns == "cf"


async def test_a_provider_that_was_removed_is_not_kept_chosen() -> None:
    """After the chosen entry was removed elsewhere the step chooses among those that are left."""
    engine = _box("bind", "cf")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Validation")
        await pilot.press("down")
        assert screen.draft.dns == "cf"
        await pilot.press("h")
        await settled(pilot)
        engine.known_providers = engine.known_providers[:1]
        await pilot.press("escape")
        await settled(pilot)
        assert screen.draft.dns == "bind"


# -- going on ----------------------------------------------------------------------------------------------------------


async def test_an_order_by_hand_leads_to_its_records() -> None:
    """An order that waits for records leads to their screen, and esc from there to the certificates (ST-14, CC-08)."""
    engine = _box()
    engine.pending = True
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Validation")
        await pilot.press("down", "down")
        await go_to(pilot, "Check")
        assert "DNS, manually" in shown(app)
        assert "port 80" not in shown(app)
        await pilot.press("enter")
        await settled(pilot)
        await settled(pilot)
        assert isinstance(app.screen, RecordsScreen)
        assert engine.ordered.manual
        assert engine.ordered.challenge == "dns-01"
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(app.screen, LineagesScreen)


async def test_nothing_is_rehearsed_by_hand() -> None:
    """Where somebody sets the records no rehearsal is offered, and one that was ticked before is not asked for."""
    app = deck(_box("cf"))
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Issuer & key")
        screen.query_one("#rehearse").focus()
        await pilot.press("space")
        assert screen.draft.request().rehearse
        await pilot.press("escape", "down", "down", "enter")
        await pilot.pause()
        assert "ehearse" not in shown(app)
        request = screen.draft.request()
        assert (request.manual, request.rehearse) == (True, None)


async def test_a_certificate_had_by_hand_says_that_it_does_not_renew_by_itself() -> None:
    """Where the CA asks for no record again, the end says until when it is renewed by hand, and the way out (ST-17)."""
    engine = _box()
    by_hand = lineage("shop.example.com", method="manual-dns-01", renew_why="by hand")
    engine.issue = lambda request, *, report, cancel: Issued(status=by_hand)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Validation")
        await pilot.press("down", "down")
        await go_to(pilot, "Issue")
        await settled(pilot)
        text = " ".join(shown(app).split())
        assert "· It renews manually before" in text
        assert "add a DNS provider (h)" in text


async def test_back_never_loses_the_proof() -> None:
    """Going back to the names and on again keeps the way and the provider that were chosen."""
    app = deck(_box("bind", "cf"))
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Validation")
        await pilot.press("down", "tab", "up")
        await go_to(pilot, "Check")
        before = screen.draft.request()
        assert before.dns == "bind"
        for _ in range(4):
            await pilot.press("escape")
        await go_to(pilot, "Check")
        assert screen.draft.request() == before
        assert "DNS, by bind" in shown(app)


# -- looks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_looks(snap: Snap, size: tuple[int, int], theme: str) -> None:
    """The ways through the DNS, as a person sees them (SO-25)."""
    app = deck(_box("bind", "cf", "half"), theme=theme)
    async with app.run_test(size=size) as pilot:
        await open_wizard(pilot, "example.com shop.example.net")
        await go_to(pilot, "Validation")
        await pilot.press("down")
        snap(app, "provider")
        await pilot.press("down")
        snap(app, "by-hand")
        await pilot.press("down")
        snap(app, "once")


async def test_looks_without_colour_or_signs(snap: Snap) -> None:
    """A wildcard without a provider, on a terminal without colours that draws ASCII alone."""
    app = deck(FakeEngine(), terminal=Terminal(ascii=True, colours=0))
    async with app.run_test(size=NARROW) as pilot:
        await open_wizard(pilot, "*.example.com")
        await go_to(pilot, "Validation")
        snap(app, "wildcard")
