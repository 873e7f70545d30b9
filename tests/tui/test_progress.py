"""What is under way, on its screen."""

from __future__ import annotations

import threading

import pytest

from core.errors import ReloadFailed
from core.events import ChallengeValidated, Event
from core.operations import Deployment, FailedLineage, Issued, Pending, Record, RenewalReport, Skipped, TargetState
from tests.support.deck import NARROW, deck, settled, shown
from tests.support.fake_dns import bad_test, good_test
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import NOW, lineage, seven
from tui.bridge import Operation
from tui.screens.lineages import LineagesScreen
from tui.screens.progress import ProgressScreen, ending
from tui.widgets.tray import Tray

BROKEN = ReloadFailed(
    "nginx could not be reloaded.",
    "nginx: [emerg] cannot load certificate \x1b]0;evil\x07[bold]x[/foo]",
    "Mend the configuration and deploy again.",
)


class Gate:
    """Lets a fake operation go on only as far as a test wants."""

    def __init__(self, engine: FakeEngine, kind: type[Event]) -> None:
        self.reached, self.opened, self._kind = threading.Event(), threading.Event(), kind
        engine.before_event = self._before

    def _before(self, event: Event) -> None:
        if isinstance(event, self._kind):
            self.reached.set()
            assert self.opened.wait(10)


async def test_a_renewal_step_by_step() -> None:
    """A renewal shows its steps while it runs, and how it ended, with the keys that apply."""
    engine = FakeEngine()
    gate = Gate(engine, ChallengeValidated)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("down", "r", "enter")
        assert gate.reached.wait(5)
        await pilot.pause(0.05)
        assert isinstance(app.screen, ProgressScreen)
        text = shown(app)
        assert "Renew shop" in text
        assert "◐ shop.example.com" in text
        assert "○ Certificate" in text
        assert "○ postfix" in text
        assert "^x Stop" in text
        await pilot.press("enter")
        await pilot.pause()
        assert "It is not finished yet." in [note.message.partition(" esc")[0] for note in app._notifications]
        gate.opened.set()
        await settled(pilot)
        text = shown(app)
        assert "Done" in text
        assert "shop renewed." in text
        assert "^x Stop" not in text
    assert ("renew", {"names": ("shop",), "force": True, "dry_run": False}) in engine.calls


async def test_progress_is_left_and_found_again() -> None:
    """Leaving the screen lets the work go on; a line above the keys tells how far it is, and w comes back to it."""
    engine = FakeEngine()
    gate = Gate(engine, ChallengeValidated)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("down", "r", "enter")
        assert gate.reached.wait(5)
        await pilot.press("escape")
        await pilot.pause(0.05)
        assert isinstance(app.screen, LineagesScreen)
        assert "◐ renewing shop … 1 of 7" in shown(app, app.screen.query_one(Tray))
        await pilot.press("w")
        assert isinstance(app.screen, ProgressScreen)
        assert "◐ shop.example.com" in shown(app)
        gate.opened.set()
        await settled(pilot)


async def test_a_failure_says_what_to_do() -> None:
    """When it fails, what happened stands there, why in the service's own words, and what to do; nothing in it is obeyed."""
    engine = FakeEngine()
    engine.fails["deploy"] = BROKEN
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("d")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        text = shown(app)
        assert "✖ nginx could not be reloaded." in text
        assert "[bold]x[/foo]" in text
        assert "Mend the configuration" in text
        assert "\x1b" not in text


async def test_stopping_asks_first() -> None:
    """^x asks, and only yes stops the operation; the end is told as stopped, not as a failure."""
    engine = FakeEngine()
    gate = Gate(engine, ChallengeValidated)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("down", "r", "enter")
        assert gate.reached.wait(5)
        await pilot.press("ctrl+x")
        await pilot.pause()
        await pilot.press("escape")
        assert app.bridge.operation is not None
        assert not app.bridge.operation.cancel.is_cancelled
        await pilot.press("ctrl+x")
        await pilot.pause()
        await pilot.press("y")
        gate.opened.set()
        await settled(pilot)
        assert app.bridge.operation.outcome == "cancelled"
        assert "Stopped." in shown(app)


async def test_everything_that_was_told() -> None:
    """v shows every event as a line with its time, and v again the steps."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("down", "r", "enter")
        await settled(pilot)
        await pilot.press("v")
        text = shown(app)
        assert "04:02:00  Renewing started" in text
        assert "Order placed at letsencrypt" in text
        await pilot.press("v")
        assert "✔ Order" in shown(app)


def _ended(result: object, error: ReloadFailed | None = None) -> Operation:
    return Operation(title="x", doing="x", lineage=None, started=NOW, ended=NOW, result=result, error=error)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (Issued(status=seven()[5]), "shop is issued, valid to 12 Dec 2026, on nginx, postfix."),
        (Issued(status=seven()[5], reused=True), "nothing was ordered"),
        (Issued(status=seven()[5], rehearsed_only=True), "The rehearsal passed."),
        (
            Pending(
                name="a",
                challenge="dns-01",
                records=(Record(name="_acme-challenge.a", type="TXT", value="v"),),
                expires=None,
            ),
            "waits for you",
        ),
        (RenewalReport(renewed=("a", "b", "c", "d")), "a, b, c and 1 more renewed."),
        (RenewalReport(renewed=("a", "b"), issued=("b",)), "b issued. a renewed."),
        (
            RenewalReport(skipped=(Skipped(name="a", why="not due before 1 Jan 2027"),)),
            "Nothing to renew: a, not due before",
        ),
        (RenewalReport(failed=(FailedLineage(name="a", error=BROKEN),)), "a failed: nginx could not be reloaded."),
        (RenewalReport(), "Nothing is due."),
        (
            Deployment(name="a", version=3, targets=(TargetState(name="nginx", state="deployed"),)),
            "Version 3 of a is live, on nginx.",
        ),
        (good_test(), "cf works."),
        (bad_test(), "cf does not work"),
        (None, "Done."),
    ],
)
def test_endings(result: object, words: str) -> None:
    """How an operation ended is told in a sentence made from its result."""
    told = ending(_ended(result))
    assert words in told
    assert told.isprintable()


def test_a_name_from_outside_is_harmless_in_the_ending() -> None:
    """A name with control characters in it does nothing at the end either."""
    assert ending(_ended(Issued(status=lineage("a\x1b[31m")))).isprintable()
