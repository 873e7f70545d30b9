"""The wizard's last steps: the checks, and an order that can be left and found again."""

from __future__ import annotations

import threading
from typing import Any

from msgspec.structs import replace

from core.operations import Finding, Issued, IssueRequest
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tests.support.wizard import REFUSED, Box, Gate, go_to, open_wizard
from tui.screens.dialogs.confirm import ConfirmDialog
from tui.screens.issue.check import CheckStep
from tui.screens.lineages import LineagesScreen
from tui.screens.progress import ProgressScreen
from tui.widgets.footer import PageFooter
from tui.widgets.tray import Tray

# -- check -----------------------------------------------------------------------------------------------------------------


async def test_findings_come_worst_first_with_what_to_do() -> None:
    """The doctor's findings have a sign and a word each, failures first, and a failure asks before the order."""
    engine = Box()
    engine.findings = FakeEngine().findings
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "pay.example.com")
        await go_to(pilot, "Check")
        text = shown(app)
        assert (
            text.index("✖ failed   Port 80")
            < text.index("▲ warning  shop.example.com")
            < text.index("✔ passed   Clock")
        )
        assert "→ Use webroot mode" in text
        assert "✖ 1 failure · ▲ 1 warning" in text
        assert "enter Issue" in text.splitlines()[-1]
        await pilot.press("enter")
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.press("enter")
        assert app.screen is screen
        await pilot.press("enter", "y")
        await settled(pilot)
        assert screen.step.TITLE == "Issue"
    assert engine.ordered.domains == ("pay.example.com",)


async def test_checks_run_in_the_background_and_again_when_something_changed() -> None:
    """While the checks run the keys work; going back and changing something runs them again, going back alone does not."""
    engine, gate = Box(), threading.Event()
    doctor = engine.doctor

    def slow(request: IssueRequest | None = None, **more: Any) -> tuple[Finding, ...]:
        assert gate.wait(10)
        return doctor(request, **more)

    engine.doctor = slow
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "pay.example.com")
        await go_to(pilot, "Service")
        await pilot.press("enter")
        await pilot.pause()
        assert "◐ Checking clock" in shown(app)
        await pilot.press("enter")
        assert screen.step.TITLE == "Check"
        gate.set()
        await settled(pilot)
        assert "✔ Nothing prevents issuing" in shown(app)
        asked = sum(method == "doctor" for method, _ in engine.calls)
        await pilot.press("escape", "enter")
        await settled(pilot)
        assert sum(method == "doctor" for method, _ in engine.calls) == asked
        await pilot.press("escape", "space", "enter")
        await settled(pilot)
        assert sum(method == "doctor" for method, _ in engine.calls) == asked + 1
        await pilot.press("ctrl+r")
        await settled(pilot)
        assert sum(method == "doctor" for method, _ in engine.calls) == asked + 2
        assert screen.query_one(CheckStep).failures == 0


# -- issue -----------------------------------------------------------------------------------------------------------------


async def test_the_order_is_left_and_found_again() -> None:
    """Esc during the order leaves it running; the line above the keys tells of it, w shows it, and it ends well."""
    engine = Box()
    gate = Gate(engine)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_wizard(pilot, "pay.example.com")
        await go_to(pilot, "Check")
        await pilot.press("enter")
        assert gate.reached.wait(5)
        await pilot.pause(0.05)
        text = shown(app)
        assert "◐ pay.example.com" in text
        assert "You can close the window: the order continues" in text
        assert shown(app, app.screen.query_one(Tray)).strip() == ""
        await pilot.press("escape")
        await pilot.pause(0.05)
        assert isinstance(app.screen, LineagesScreen)
        assert "issuing pay.example.com" in shown(app, app.screen.query_one(Tray))
        await pilot.press("w")
        await pilot.pause()
        assert isinstance(app.screen, ProgressScreen)
        assert "◐ pay.example.com" in shown(app)
        gate.opened.set()
        await settled(pilot)
        assert "pay.example.com is issued" in shown(app)
    assert app.bridge.operation is not None
    assert isinstance(app.bridge.operation.result, Issued)


async def test_afterwards_the_cursor_stands_on_the_new_certificate() -> None:
    """Closing the wizard after an order leads to the list with the cursor on what was issued (CC-15)."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        await open_wizard(pilot, "pay.example.com")
        await go_to(pilot, "Issue")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, LineagesScreen)
        assert app.screen.situation().lineage is not None
        assert app.screen.situation().lineage.name == "pay.example.com"


async def test_success_shows_the_certificate_and_what_next() -> None:
    """At the end stand names, end, SHA-256, services, and what to do next; Enter goes back to the list."""
    engine = Box()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "pay.example.com")
        await go_to(pilot, "Service")
        await pilot.press("space")
        await go_to(pilot, "Issue")
        await settled(pilot)
        text = shown(app)
        made = next(each for each in engine.lineages if each.name == "pay.example.com")
        assert "✔ pay.example.com has its certificate." in text
        assert made.sha256[:47] in text
        assert "Served by   nginx" in text
        assert "What next" in text
        assert "✔ Check" in text
        assert "enter Close" in shown(app, screen.query_one(PageFooter)).replace("↵", "enter")
        assert app.bridge.operation is not None
        assert app.bridge.operation.seen
        await pilot.press("enter")
        assert isinstance(app.screen, LineagesScreen)


async def test_failure_shows_the_words_of_the_ca_and_keeps_everything() -> None:
    """What the CA said stands there as it is, with what to do; esc leads back to the checks, and the order can be tried again."""
    engine = Box()
    engine.fails["issue"] = [REFUSED]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Issue")
        await settled(pilot)
        text = shown(app)
        assert "✖ Let's Encrypt could not validate shop.example.com." in text
        assert "192.0.2.10: Connection [bold]refused[/x]" in " ".join(text.replace("│", " ").split())
        assert "→ Open port 80 towards this box, then try again." in text
        await pilot.press("escape")
        assert screen.step.TITLE == "Check"
        assert screen.draft.typed == "shop.example.com"
        await pilot.press("enter")
        await settled(pilot)
        assert "✔ shop.example.com has its certificate." in shown(app)


async def test_a_failed_order_is_tried_again_with_one_key() -> None:
    """After a failure r orders once more, from where one stands; while it works, and when it is done, the key is not offered."""
    engine = Box()
    engine.fails["issue"] = [REFUSED]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "shop.example.com")
        await go_to(pilot, "Issue")
        await settled(pilot)
        assert "r Try again" in shown(app, screen.query_one(PageFooter))
        await pilot.press("r")
        await settled(pilot)
        assert "✔ shop.example.com has its certificate." in shown(app)
        assert "Try again" not in shown(app, screen.query_one(PageFooter))


async def test_stopping_asks_the_order_to_stop() -> None:
    """Ctrl+X stops the order at the next safe point, and the step says that it was stopped."""
    engine = Box()
    gate = Gate(engine)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_wizard(pilot, "pay.example.com")
        await go_to(pilot, "Check")
        await pilot.press("enter")
        assert gate.reached.wait(5)
        await pilot.press("ctrl+x")
        gate.opened.set()
        await settled(pilot)
        assert "Stopped" in shown(app)
    assert not any(each.name == "pay.example.com" for each in engine.lineages)


async def test_another_operation_keeps_the_order_waiting() -> None:
    """While something else runs no order begins, and the wizard stays where it is."""
    engine, gate = Box(), threading.Event()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "pay.example.com")
        await go_to(pilot, "Check")
        app.bridge.start("Other", "doing", lambda report, cancel: gate.wait(10))
        await pilot.press("enter")
        await pilot.pause()
        assert screen.step.TITLE == "Check"
        gate.set()
        await settled(pilot)
    assert not any(method == "issue" for method, _ in engine.calls)


async def test_hostile_words_do_nothing() -> None:
    """Markup and terminal codes from issuers, targets and findings are shown as they are, or not at all."""
    hostile = "\x1b]0;evil\x07[bold]x[/foo]"
    engine = Box()
    engine.findings = (Finding(id="x", status="fail", title=hostile, detail=hostile, fix=hostile),)
    engine.request_findings = (Finding(id="x", status="warn", title=hostile, detail=hostile),)
    engine.known_targets = [
        replace(each, name=hostile, certificate=hostile, lineage=hostile) for each in engine.known_targets
    ]
    engine.change_issuer = lambda each: replace(each, title=hostile, notes=(hostile,))
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await open_wizard(pilot, "pay.example.com")
        for title in ("Validation", "Issuer & key", "Service", "Check"):
            await go_to(pilot, title)
            assert "\x1b" not in shown(app)
        assert "[bold]x[/foo]" in shown(app)
