"""Drives the wizard over a fake engine: opens it, goes on to a step, and lets an order go only as far as a test wants."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from textual.pilot import Pilot
from textual.widgets import TextArea

from core.errors import AuthorizationFailed
from core.events import ChallengeValidated, Event
from core.operations import Finding, IssueRequest, IssuerInfo
from tests.support.deck import settled, shown
from tests.support.fake_engine import FakeEngine
from tui.app import CertdeckApp
from tui.screens.issue import IssueScreen

REFUSED = AuthorizationFailed(
    "Let's Encrypt could not validate shop.example.com.",
    "It could not fetch the proof.",
    "Open port 80 towards this box, then try again.",
    details={"problems": {"shop.example.com": {"detail": "192.0.2.10: Connection [bold]refused[/x]"}}},
)
GOOD = (Finding(id="clock", status="pass", title="Clock", detail="right"),)


class Box(FakeEngine):
    """An engine whose issuers a test may change, and whose checks find nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.findings = GOOD
        self.change_issuer: Callable[[IssuerInfo], IssuerInfo] = lambda issuer: issuer

    def issuers(self) -> tuple[IssuerInfo, ...]:
        return tuple(map(self.change_issuer, super().issuers()))

    @property
    def ordered(self) -> IssueRequest:
        """The request of the only order."""
        found = [arguments["request"] for method, arguments in self.calls if method == "issue"]
        assert len(found) == 1
        return found[0]


async def open_wizard(pilot: Pilot[Any], names: str = "") -> IssueScreen:
    await pilot.press("i")
    await settled(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, IssueScreen)
    screen.query_one("#names", TextArea).text = names
    await pilot.pause()
    return screen


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    for _ in range(400):
        if holds():
            return
        await pilot.pause(0.01)
    raise AssertionError("it did not come to that")


async def go_to(pilot: Pilot[Any], title: str) -> None:
    """Go on until a step is the current one."""
    for _ in range(6):
        screen = pilot.app.screen
        if isinstance(screen, IssueScreen) and title == screen.step.TITLE:
            return
        await pilot.press("ctrl+n")
        await settled(pilot)
    raise AssertionError(f"{title} was not reached:\n{shown(_app(pilot))}")


def _app(pilot: Pilot[Any]) -> CertdeckApp:
    app = pilot.app
    assert isinstance(app, CertdeckApp)
    return app


class Gate:
    """Lets an order go on only as far as a test wants."""

    def __init__(self, engine: FakeEngine) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        engine.before_event = self._before

    def _before(self, event: Event) -> None:
        if isinstance(event, ChallengeValidated):
            self.reached.set()
            assert self.opened.wait(10)
