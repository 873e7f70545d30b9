"""DNS providers on their screen, and the choice of a kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App
from textual.widgets import Input

from core.errors import ConfigError
from core.operations import LogEntry
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.dns_screens import engine_with_providers, open_form, open_kinds, open_list, told_step
from tests.support.fake_dns import provider_info
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import NOW
from tui.screens.dialogs.confirm import ConfirmDialog
from tui.screens.dialogs.error import ErrorDialog
from tui.screens.dns import DnsScreen
from tui.screens.dns.connection_test import ConnectionTestScreen
from tui.screens.dns.last_tests import LastTest, last_tests
from tui.screens.help import HelpScreen
from tui.terminal import Terminal
from tui.widgets.row_list import RowList

Snap = Callable[[App[Any], str], None]


# -- the list ----------------------------------------------------------------------------------------------------------


async def test_each_entry_with_zones_users_and_state() -> None:
    """Each entry shows its provider, zones, which certificates use it, and whether it works, by sign and word (CC-04, ST-25)."""
    app = deck(engine_with_providers())
    async with app.run_test(size=WIDE) as pilot:
        await open_list(pilot)
        text = shown(app)
        assert "✔ cf    Cloudflare" in text
        assert "mail +1" in text
        assert "tested 2 hours ago" in text
        assert "○ bind  RFC 2136 (BIND, Knot …)  example.net, lan.example.net" in text
        assert "not tested" in text
        assert "✖ gd    GoDaddy" in text
        assert "incomplete" in text


async def test_the_chosen_entry_is_told_without_its_secrets() -> None:
    """The detail names settings, delegations and which secrets are kept, what is missing, and what surprises people (ST-26)."""
    app = deck(engine_with_providers())
    async with app.run_test(size=WIDE) as pilot:
        await open_list(pilot)
        assert "API token   kept in the vault" in shown(app)
        assert "Used by     mail, shop" in shown(app)
        await pilot.press("down")
        assert "a.example.net → proofs.example.org" in shown(app)
        assert "ns1.example.net" in shown(app)
        await pilot.press("down")
        assert "✖ Missing: API secret. e opens the form." in shown(app)
        assert "GoDaddy gives the API only to accounts with ten domains" in shown(app)


async def test_an_entry_of_an_unknown_kind_is_listed() -> None:
    """An entry whose kind this box does not know, for example without dns-lexicon, is shown and said to be so."""
    engine = FakeEngine()
    engine.known_providers = (provider_info("old", kind="cloudflare", missing=("kind",)),)
    engine.kinds = ()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_list(pilot)
        assert "This box does not support the kind cloudflare." in shown(app)


async def test_an_empty_list_says_what_to_do() -> None:
    """Without entries the screen says what one is for, how to add one, and that it goes without (ST-16)."""
    app = deck(FakeEngine())
    async with app.run_test(size=NARROW) as pilot:
        await open_list(pilot)
        assert "n adds the provider of your zones" in shown(app)
        assert "records can be set manually at any provider" in shown(app)


async def test_a_broken_configuration_is_said() -> None:
    """Where the entries cannot be read the reason stands in their place."""
    engine = FakeEngine()
    engine.fails["dns_providers"] = ConfigError("certdeck.toml cannot be read.", "Line 3 is wrong.", "Correct line 3.")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_list(pilot)
        assert "✖ certdeck.toml cannot be read. Line 3 is wrong." in shown(app)


async def test_it_is_found_in_the_palette_and_explains_itself() -> None:
    """The palette leads to the providers, and ? explains them."""
    app = deck(engine_with_providers())
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("ctrl+p")
        await pilot.press(*"dns prov", "enter")
        await settled(pilot)
        assert isinstance(app.screen, DnsScreen)
        await pilot.press("f1")
        await settled(pilot)
        assert isinstance(app.screen, HelpScreen)
        assert "Other records of a zone are never changed." in shown(app)


@pytest.mark.parametrize("used", [False, True])
async def test_removing_asks_and_says_who_uses_it(used: bool) -> None:
    """Removing asks first; for an entry in use the question names the certificates, and the refusal is told."""
    engine = engine_with_providers()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_list(pilot)
        if not used:
            await pilot.press("down")
        await pilot.press("delete")
        assert isinstance(app.screen, ConfirmDialog)
        assert ("use it for validation: mail, shop" in shown(app)) is used
        await pilot.press("y")
        await settled(pilot)
        await settled(pilot)
        assert isinstance(app.screen, ErrorDialog) is used
        assert ("bind" in [each.name for each in engine.known_providers]) is used


async def test_nothing_is_removed_without_a_yes() -> None:
    """Esc and Enter leave the entry alone."""
    engine = engine_with_providers()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_list(pilot)
        for key in ("escape", "enter"):
            await pilot.press("delete", key)
            await settled(pilot)
    assert not any(method == "remove_dns_provider" for method, _ in engine.calls)


async def test_a_double_click_tests() -> None:
    """The mouse chooses a row, and a double click tests it."""
    app = deck(engine_with_providers())
    async with app.run_test(size=NARROW) as pilot:
        await open_list(pilot)
        await pilot.click("#rows", offset=(6, 3))
        assert app.screen.query_one(RowList).chosen == "bind"
        await pilot.click("#rows", offset=(6, 3), times=2)
        await settled(pilot)
        assert isinstance(app.screen, ConnectionTestScreen)


def test_the_newest_test_of_each_provider_counts() -> None:
    """Of several tests of an entry the newest run counts, with the steps that failed in it; other entries stay apart."""
    other = LogEntry(number=9, at=NOW, run="x", lineage=None, kind="changed", facts={"provider": "cf"})
    entries = [
        other,
        told_step("cf", "write", 6, "fail", run="new"),
        told_step("cf", "zone", 5, run="new"),
        told_step("bind", "remove", 4, run="bind"),
        told_step("cf", "seen", 2, "fail", run="old"),
    ]
    found = last_tests(entries)
    assert found == {"cf": LastTest(entries[1].at, ("write",)), "bind": LastTest(entries[3].at, ())}
    assert (found["cf"].is_good, found["bind"].is_good) == (False, True)


def test_a_test_that_was_stopped_tells_nothing() -> None:
    """A test that was stopped halfway does not count as one that worked: the one before it does, or none."""
    stopped = [told_step("cf", "zone", 9, run="stopped"), told_step("cf", "credentials", 8, run="stopped")]
    assert last_tests(stopped) == {}
    before = told_step("cf", "remove", 7, run="before")
    assert last_tests([*stopped, before]) == {"cf": LastTest(before.at, ())}


# -- kinds -------------------------------------------------------------------------------------------------------------


async def test_kinds_are_searched_by_typing() -> None:
    """Typing finds a kind by title or name; what it asks for and its access rules stand below (ST-23, SO-26)."""
    app = deck(FakeEngine())
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_kinds(pilot)
        assert "Create an API token with the permission Zone:DNS:Edit" in shown(app)
        await pilot.press(*"goda")
        assert screen.query_one("#kinds", RowList).keys == ("godaddy", "others")
        assert "▲ GoDaddy gives the API only to accounts with ten domains" in shown(app)
        assert "· API secret  secret" in shown(app)
        screen.query_one(Input).value = "bind"
        await pilot.pause()
        assert screen.query_one("#kinds", RowList).chosen == "rfc2136"


async def test_the_others_come_when_they_are_asked_for() -> None:
    """Those of dns-lexicon are listed only once somebody asks, can be searched, and have their own form (SO-25)."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_kinds(pilot)
        assert not any(method == "lexicon_providers" for method, _ in engine.calls)
        await pilot.press(*"digital", "enter")
        await settled(pilot)
        assert screen.query_one("#kinds", RowList).keys == ("lexicon:digitalocean",)
        await pilot.press("enter")
        await settled(pilot)
        assert "Auth token" in shown(app)
        assert "digitalocean (dns-lexicon)" in shown(app)


async def test_without_dns_lexicon_it_says_how_to_get_it() -> None:
    """Where the optional part is not installed, the last line says so and what goes without."""
    engine = FakeEngine()
    engine.lexicon = ()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_kinds(pilot)
        await pilot.press("end", "pagedown", "enter")
        await settled(pilot)
        assert "✖ dns-lexicon is not installed here." in shown(app)


async def test_nothing_found_is_said() -> None:
    """A search without a hit leaves the others, and once they are listed says that nothing is called so."""
    app = deck(FakeEngine())
    async with app.run_test(size=NARROW) as pilot:
        await open_kinds(pilot)
        await pilot.press(*"zzz", "enter")
        await settled(pilot)
        assert "○ No match." in shown(app)


async def test_a_new_entry_gets_the_cursor() -> None:
    """After saving, the list is shown with the cursor on the new entry."""
    app = deck(engine_with_providers())
    async with app.run_test(size=NARROW) as pilot:
        await open_form(pilot, "hook")
        app.screen.query_one("#asked-0 Input", Input).value = "/usr/local/bin/dns-hook"
        await pilot.press("ctrl+s")
        await settled(pilot)
        await settled(pilot)
        assert isinstance(app.screen, DnsScreen)
        assert app.screen.query_one(RowList).chosen == "hook"


# -- looks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_looks(snap: Snap, size: tuple[int, int], theme: str) -> None:
    """The list with its detail, and the choice of a kind."""
    app = deck(engine_with_providers(), theme=theme)
    async with app.run_test(size=size) as pilot:
        await open_list(pilot)
        snap(app, "list")
        await pilot.press("n")
        await settled(pilot)
        await pilot.press("down")
        snap(app, "kinds")


async def test_looks_without_colour_or_signs(snap: Snap) -> None:
    """The list on a terminal without colours that draws ASCII alone."""
    app = deck(engine_with_providers(), terminal=Terminal(ascii=True, colours=0))
    async with app.run_test(size=NARROW) as pilot:
        await open_list(pilot)
        await pilot.press("down", "down")
        snap(app, "list")
