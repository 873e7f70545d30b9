"""The wizard's steps for issuer, key and services: only what can be had is offered."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from msgspec.structs import replace
from textual.widgets import Input

from core.errors import DirectoryUnreachable
from core.operations import Finding
from tests.support.deck import NARROW, deck, settled, shown
from tests.support.showcase import ISSUER_TEST
from tests.support.wizard import Box, go_to, open_wizard, until
from tui.screens.issue import issuer
from tui.screens.lineages import LineagesScreen
from tui.widgets.one_of import OneOf
from tui.widgets.row_list import RowList
from tui.widgets.tick import Tick

# -- issuer and key --------------------------------------------------------------------------------------------------------


async def test_only_what_an_issuer_takes_is_offered() -> None:
    """Another issuer narrows the key types, and a type it does not take falls back to one it does."""
    engine = Box()
    engine.change_issuer = lambda each: (
        replace(each, key_types=("rsa-2048", "rsa-4096"), max_names=2, needs_eab=True)
        if each.name == "zerossl"
        else each
    )
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Issuer & key")
        assert screen.query_one("#key", OneOf).values == ("ec-256", "ec-384", "rsa-2048", "rsa-3072", "rsa-4096")
        await pilot.press("down", "down")
        assert screen.draft.issuer == "zerossl"
        assert screen.query_one("#key", OneOf).values == ("rsa-2048", "rsa-4096")
        assert screen.draft.key_type == "rsa-2048"
        text = shown(app)
        assert "It supports 2 names at most, you have 1" in text
        assert "It requires an external account binding, and none is set" in text
        assert "Rehearse first" not in text


async def test_one_scrollbar_for_many_issuers() -> None:
    """However many issuers there are, only the step scrolls, and the chosen one stays in sight."""
    engine = Box()
    public = engine.issuers()
    many = tuple(
        replace(public[0], name=f"ca-{number}", title=f"CA {number}", is_default=False) for number in range(20)
    )
    engine.issuers = lambda: (*public, *many)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Issuer & key")
        assert screen.step.show_vertical_scrollbar
        assert not screen.query_one("#issuer", RowList).show_vertical_scrollbar
        await pilot.press("end")
        await pilot.pause()
        assert "(●) CA 19" in shown(app)
        await pilot.press("home")
        await pilot.pause()
        assert "(●) Let's Encrypt" in shown(app)


async def test_a_profile_called_default_is_told_from_no_profile() -> None:
    """Where the issuer has a profile of that name, choosing none is called otherwise."""
    engine = Box()
    answer = replace(ISSUER_TEST, profiles={"default": "The usual one"})
    engine.test_issuer = lambda name: answer
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Issuer & key")
        await until(pilot, lambda: "Profile" in shown(app) and "[as the issuer does]" in shown(app))
        assert "[as the issuer does]  default" in shown(app)


async def test_what_stands_against_an_issuer_is_said_at_once() -> None:
    """The engine's offline check speaks on this step, and a failure keeps one here."""
    engine = Box()
    engine.request_findings = (
        Finding(
            id="usage",
            status="fail",
            title="Let's Encrypt cannot issue this",
            detail="It takes 100 names.",
            fix="Take fewer.",
        ),
    )
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Issuer & key")
        await pilot.press("ctrl+n")
        assert screen.step.TITLE == "Issuer & key"
        text = shown(app)
        assert "✖ failed   Let's Encrypt cannot issue this: It takes 100 names." in text
        assert "→ Take fewer." in text


async def test_terms_are_read_and_have_to_be_agreed_to() -> None:
    """The address of the terms comes from the directory; without the tick it does not go on, with it the request says so."""
    engine = Box()
    engine.change_issuer = lambda each: replace(each, terms_agreed=False, account_url=None)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Issuer & key")
        await until(pilot, lambda: str(ISSUER_TEST.terms_of_service) in shown(app))
        await pilot.press("ctrl+n")
        assert screen.step.TITLE == "Issuer & key"
        assert "issues nothing until you accept" in shown(app)
        await pilot.press("space")
        assert "[✔] I accept these terms of service" in shown(app)
        await go_to(pilot, "Service")
        assert screen.draft.request().agree_tos is True


async def test_passing_over_issuers_asks_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory of an issuer that the cursor merely passes is not asked; the one that it rests on is."""
    engine = Box()
    app = deck(engine)

    def asked() -> list[str]:
        return [arguments["name"] for method, arguments in engine.calls if method == "test_issuer"]

    # No machine is so slow that the cursor rests, nor so fast that it does not.
    monkeypatch.setattr(issuer, "_REST_SECONDS", 3600)
    async with app.run_test(size=NARROW) as pilot:
        await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Issuer & key")
        await pilot.press("down", "down")
        assert asked() == []
        monkeypatch.setattr(issuer, "_REST_SECONDS", 0.001)
        await pilot.press("up")
        await until(pilot, asked)
        assert asked() == [app.screen.query_one("#issuer", RowList).chosen]


async def test_an_unreachable_directory_is_words() -> None:
    """A directory that does not answer is told with what to do, and nothing else stops."""
    engine = Box()
    engine.fails["test_issuer"] = DirectoryUnreachable(
        "The CA does not answer.", "No route to host.", "Look at the network."
    )
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Issuer & key")
        await until(pilot, lambda: "✖ The CA does not answer. No route to host." in shown(app))
        await go_to(pilot, "Service")
        assert screen.step.TITLE == "Service"


async def test_profiles_are_those_of_the_directory() -> None:
    """Once the directory has answered, its profiles can be chosen, each with the CA's own words."""
    engine = Box()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Issuer & key")
        await until(pilot, lambda: "shortlived" in shown(app))
        screen.query_one("#profile").focus()
        await pilot.press("right", "right")
        assert screen.draft.request().profile == "shortlived"
        assert "Six days" in shown(app)


async def test_a_wrong_address_is_said_as_it_is_left() -> None:
    """An e-mail address that is none is refused when the field is left."""
    engine = Box()
    engine.change_issuer = lambda each: replace(each, account_url=None)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Issuer & key")
        screen.query_one("#email Input", Input).value = "nobody"
        screen.query_one("#email Input").focus()
        await pilot.press("tab")
        await pilot.pause()
        assert "✖ 'nobody' is not an e-mail address." in shown(app)


async def test_an_answer_that_comes_after_the_wizard_was_left_is_dropped() -> None:
    """Whoever leaves while the issuer is asked goes on with the first screen; the answer finds nobody and does no harm."""
    engine, gate = Box(), threading.Event()
    ask = engine.test_issuer

    def slow(name: str) -> Any:
        assert gate.wait(10)
        return ask(name)

    engine.test_issuer = slow
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_wizard(pilot, "shop.example.com")
        await pilot.press("enter", "enter")
        await until(pilot, lambda: not app.bridge.idle)
        await pilot.press("escape", "escape", "escape", "y")
        await until(pilot, lambda: isinstance(app.screen, LineagesScreen))
        gate.set()
        await settled(pilot)
        assert isinstance(app.screen, LineagesScreen)


# -- service ---------------------------------------------------------------------------------------------------------------


async def test_a_service_that_is_taken_over_says_whose_it_is() -> None:
    """Each service shows whose certificate it carries, and ticking it says that it is taken over."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "pay.example.com")
        await go_to(pilot, "Service")
        await pilot.press("space")
        text = shown(app)
        assert "▲ nginx serves shop now: it will serve" in text
        assert screen.draft.request().targets == ("nginx",)


async def test_without_services_it_goes_on() -> None:
    """A box without targets says where the certificate will lie, and the wizard goes on."""
    engine = Box()
    engine.known_targets = []
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_wizard(pilot, "pay.example.com")
        await go_to(pilot, "Service")
        assert "No service is set up" in shown(app)
        await go_to(pilot, "Check")


@pytest.mark.parametrize(
    ("names", "is_on", "ticked", "pressed"),
    [
        ("new.example.com", True, True, False),
        ("shop.example.com", True, False, True),
        ("new.example.com", False, False, True),
    ],
    ids=["first order", "issued before", "switched off"],
)
async def test_the_rehearsal_follows_the_engine(names: str, is_on: bool, ticked: bool, pressed: bool) -> None:
    """Ticked where the engine rehearses unasked; only a change is asked for, and taking it back leaves it to the engine (SO-33)."""
    engine = Box()
    engine.settings = replace(engine.settings, defaults=replace(engine.settings.defaults, rehearse=is_on))
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, names)
        screen.draft.declined = {f"www.{names}"}
        await go_to(pilot, "Issuer & key")
        tick = screen.query_one("#rehearse", Tick)
        assert tick.display
        assert (tick.value, screen.draft.request().rehearse) == (ticked, None)
        tick.focus()
        await pilot.press("space")
        await settled(pilot)
        assert screen.draft.request().rehearse is pressed
        await pilot.press("space")
        await settled(pilot)
        assert screen.draft.request().rehearse is None
        await go_to(pilot, "Check")
        assert ("rehearsal first" in shown(app)) == ticked


async def test_what_another_session_adds_is_offered() -> None:
    """An issuer that another session adds while the wizard is open stands in its list; what was entered stays."""
    box = Box()
    app = deck(box)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Issuer & key")
        assert "Meanwhile CA" not in shown(app)
        box.change_issuer = lambda each: (
            replace(each, title="Meanwhile CA") if each.name == screen.draft.issuer else each
        )
        box.touch()
        app.refresh_status()
        await settled(pilot)
        assert "Meanwhile CA" in shown(app)
        assert screen.draft.typed == "shop.example.com"
