"""Trying a DNS provider in the console: its steps as they happen, who has the record, what to mend, and stopping it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input

from core.errors import NotFound
from core.events import Event, PropagationChecked, ProviderTested, Report
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.dns_screens import engine_with_providers, open_list
from tests.support.fake_dns import bad_test, good_test, provider_info
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import NOW
from tui.bridge import Operation
from tui.screens.dns import DnsScreen
from tui.screens.dns.connection_test import ConnectionTestScreen, connection_lines
from tui.terminal import Terminal
from tui.widgets.ink import Ink
from tui.widgets.tray import Tray

Snap = Callable[[App[Any], str], None]


class StepGate:
    """Lets a test go on only up to the end of one step."""

    def __init__(self, engine: FakeEngine, step: str) -> None:
        self.reached, self.opened, self._step = threading.Event(), threading.Event(), step
        engine.before_event = self._before

    def _before(self, event: Event) -> None:
        if isinstance(event, ProviderTested) and event.step == self._step:
            self.reached.set()
            assert self.opened.wait(10)


async def _test(pilot: Pilot[Any], key: str = "x") -> ConnectionTestScreen:
    await open_list(pilot)
    await pilot.press(key)
    await pilot.pause()
    screen = pilot.app.screen
    assert isinstance(screen, ConnectionTestScreen)
    return screen


@pytest.mark.parametrize("key", ["x", "T", "enter"])
async def test_a_test_that_passes(key: str) -> None:
    """Every step stands with its sign and its time, below it who has the record, and that it works (ST-24, CC-23)."""
    engine = engine_with_providers()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _test(pilot, key)
        await settled(pilot)
        text = shown(app)
        assert "✔ Credentials     Cloudflare takes the API token.                     0.2 s" in text
        assert "✔ Name servers    2 of 2 name servers have it.                        2.1 s" in text
        assert "✔ Certificates for names in example.com can be issued with it." in text
        assert "✔ ns2.example.com  2001:db8::2  has it" in text
        assert "╭─ It works ─" in text
    assert ("test_dns_provider", {"name": "cf", "domain": "example.com"}) in engine.calls


async def test_a_step_that_fails_says_what_to_mend() -> None:
    """The failed step says why and what to do, and the steps behind it that they were not tried (ST-24)."""
    engine = engine_with_providers()
    engine.dns_test = bad_test()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _test(pilot)
        await settled(pilot)
        text = shown(app)
        assert "✖ Write record    Cloudflare refuses to make a TXT record" in text
        assert "→ Give the token the permission Zone:DNS:Edit" in text
        assert "○ Remove record   Nothing was written." in text
        assert "✖ No certificate can be issued with it yet." in text


async def test_steps_appear_as_they_end() -> None:
    """While it runs, what has ended has its time, one step is under way, and the others wait (CC-08)."""
    engine = engine_with_providers()
    gate = StepGate(engine, "seen")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _test(pilot)
        assert gate.reached.wait(5)
        await pilot.pause(0.3)
        text = shown(app)
        assert "✔ Write record    A TXT record was made." in text
        assert "◐ Name servers    asking …" in text
        assert "○ Remove record" in text
        assert "^x Stop" in text
        gate.opened.set()
        await settled(pilot)
        assert "It works" in shown(app)
        assert "^x Stop" not in shown(app)


async def test_it_can_be_stopped() -> None:
    """ctrl+x stops it at the next safe point, and says that the record is removed."""
    engine = engine_with_providers()
    gate = StepGate(engine, "zone")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _test(pilot)
        assert gate.reached.wait(5)
        await pilot.press("ctrl+x")
        await pilot.pause()
        assert "╭─ Stopping at the next safe point … ─" in shown(app)
        gate.opened.set()
        await settled(pilot)
        assert "▲ Stopped. The test record was removed." in shown(app)
        assert "╭─ Stopped ─" in shown(app)


async def test_it_goes_on_when_the_screen_is_left_and_is_found_again() -> None:
    """Leaving lets it go on, told by the line above the keys; testing the same entry comes back to it instead of a second one."""
    engine = engine_with_providers()
    gate = StepGate(engine, "zone")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _test(pilot)
        assert gate.reached.wait(5)
        await pilot.press("escape")
        screen = app.screen
        assert isinstance(screen, DnsScreen)
        assert screen.query_one(Tray).display
        assert "testing cf" in shown(app)
        app.push_screen(ConnectionTestScreen(engine.known_providers[0]))
        await pilot.pause()
        assert "◐ Zone" in shown(app)
        gate.opened.set()
        await settled(pilot)
        assert "It works" in shown(app)
    assert [method for method, _ in engine.calls].count("test_dns_provider") == 1


async def test_the_list_knows_the_result_afterwards() -> None:
    """Back on the list the entry's state is read anew."""
    engine = engine_with_providers()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _test(pilot)
        await settled(pilot)
        engine.known_providers = (replace(engine.known_providers[0], lineages=("blog",)), *engine.known_providers[1:])
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert "blog" in shown(app)


async def test_another_domain_can_be_tried() -> None:
    """The domain can be changed, a wrong one is refused below its field, and Enter tests again (ST-25)."""
    engine = engine_with_providers()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await _test(pilot)
        await settled(pilot)
        field = screen.query_one(Input)
        field.focus()
        field.value = "192.0.2.1"
        await pilot.press("enter")
        await settled(pilot)
        assert "✖ An address has no DNS records." in shown(app)
        field.value = "shop.example.com"
        await pilot.press("enter")
        await settled(pilot)
    asked = [arguments["domain"] for method, arguments in engine.calls if method == "test_dns_provider"]
    assert asked == ["example.com", "shop.example.com"]


async def test_an_entry_without_zones_asks_for_a_domain() -> None:
    """Where no zone is named nothing is tried before somebody says with which domain."""
    engine = FakeEngine()
    engine.known_providers = (provider_info("mine", "hook", zones=()),)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await _test(pilot)
        assert "Enter a domain for the test" in shown(app)
        assert app.focused is screen.query_one(Input)
        await pilot.press(*"example.org", "enter")
        await settled(pilot)
        assert "It works" in shown(app)
    assert ("test_dns_provider", {"name": "mine", "domain": "example.org"}) in engine.calls


async def test_an_entry_that_is_gone_is_told() -> None:
    """An error of the engine stands where the steps would."""
    engine = engine_with_providers()
    engine.fails["test_dns_provider"] = NotFound(
        "The DNS provider cf does not exist.", "It was removed.", "Add it again."
    )
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _test(pilot)
        await settled(pilot)
        assert "╭─ It could not be tested ─" in shown(app)
        assert "✖ The DNS provider cf does not exist. It was removed." in shown(app)


async def test_one_operation_at_a_time() -> None:
    """While something else runs no test begins, and it is said."""
    engine = engine_with_providers()
    gate = StepGate(engine, "zone")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _test(pilot)
        assert gate.reached.wait(5)
        app.push_screen(ConnectionTestScreen(engine.known_providers[1]))
        await pilot.pause()
        text = shown(app)
        gate.opened.set()
        await settled(pilot)
        assert "○ Another operation is running." in text
        assert "^x Stop" not in text
        await pilot.press("enter")
        await settled(pilot)
        assert "It works" in shown(app)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ((), "asking …"),
        ((PropagationChecked(name="n", seen=0, of=0),), "no name server responds yet"),
        (
            (
                PropagationChecked(name="n", seen=0, of=2, missing=("a", "b")),
                PropagationChecked(name="n", seen=1, of=2, missing=("ns2.example.com (192.0.2.2)",)),
            ),
            "1 of 2 have it; not yet: ns2.example.com (192.0.2.2)",
        ),
        ((PropagationChecked(name="n", seen=2, of=2),), "2 of 2 have it"),
    ],
)
def test_while_it_waits_it_says_who_has_the_record(told: tuple[Event, ...], words: str) -> None:
    """The step of the name servers follows each look: how many have the record, and which do not yet (CC-23)."""
    done = tuple(
        ProviderTested(provider="cf", step=step, status="pass", detail="", milliseconds=1)
        for step in ("credentials", "zone", "write")
    )
    reports = [Report(at=NOW, run="r", lineage=None, event=event) for event in (*done, *told)]
    operation = Operation(title="Test cf", doing="testing cf", lineage=None, started=NOW, reports=reports)
    lines = connection_lines(operation, NOW + timedelta(seconds=7), 100, Ink({"foreground": "#ffffff"}, ansi=False))
    shown_lines = ["".join(part for part, _ in line).rstrip() for line in lines]
    (seen,) = [line for line in shown_lines if "Name servers" in line]
    assert seen == f"◐ Name servers    {words}".ljust(95) + "7.0 s"


# -- looks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_looks(snap: Snap, size: tuple[int, int], theme: str) -> None:
    """A test that passed, and one that failed."""
    engine = engine_with_providers()
    app = deck(engine, theme=theme)
    async with app.run_test(size=size) as pilot:
        await _test(pilot)
        await settled(pilot)
        snap(app, "passed")
        engine.dns_test = bad_test()
        await pilot.press("enter")
        await settled(pilot)
        snap(app, "failed")


async def test_looks_without_colour_or_signs(snap: Snap) -> None:
    """A test on a terminal without colours that draws ASCII alone."""
    engine = engine_with_providers()
    engine.dns_test = replace(good_test(), servers=bad_test().servers)
    app = deck(engine, terminal=Terminal(ascii=True, colours=0))
    async with app.run_test(size=NARROW) as pilot:
        await _test(pilot)
        await settled(pilot)
        snap(app, "passed")
