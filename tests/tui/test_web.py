"""The web settings of a target on their page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from textual.app import App
from textual.pilot import Pilot

from core.errors import WebNotPossible
from core.web.answers import HeaderSeen
from core.web.shown import Listener, WebFile, WebState
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import NOW
from tui.screens.progress import ProgressScreen
from tui.screens.targets import TargetsScreen
from tui.screens.web import WebScreen

Snap = Callable[[App[Any], str], None]
STATE = WebState(
    target="nginx",
    server="nginx",
    state="outdated",
    files=(
        WebFile(
            path="/etc/nginx/sites-enabled/shop",
            applied=False,
            lines=(
                "# certdeck begin nginx",
                "    ssl_protocols TLSv1.2 TLSv1.3;",
                "    add_header X-Frame-Options DENY;",
                "# certdeck end nginx",
            ),
        ),
    ),
    hsts="max-age=300",
    hsts_why="It increases step by step to a year.",
    hsts_next=NOW + timedelta(days=1),
    listeners=(
        Listener(
            address="127.0.0.1:443",
            headers=(
                HeaderSeen(name="Strict-Transport-Security", wanted="max-age=300", seen=("max-age=300",), state="ok"),
                HeaderSeen(name="X-Frame-Options", wanted="DENY", seen=("DENY", "SAMEORIGIN"), state="doubled"),
                HeaderSeen(name="X-Content-Type-Options", wanted="nosniff", seen=(), state="missing"),
            ),
        ),
        Listener(address="[::1]:443", failure="nothing answers there"),
    ),
    redirect="missing",
    notes=("The site of mail.example.com has a file of its own.",),
)


def _engine(state: WebState = STATE) -> FakeEngine:
    engine = FakeEngine()
    engine.answers["web"] = state
    engine.answers["apply_web"] = replace(state, state="applied", changed=True)
    engine.answers["remove_web"] = ("/etc/nginx/sites-enabled/shop",)
    return engine


async def _open(pilot: Pilot[Any]) -> None:
    await pilot.press("y")
    await settled(pilot)
    await pilot.press("b")
    await settled(pilot)
    assert isinstance(pilot.app.screen, WebScreen)


def _asked(engine: FakeEngine, name: str) -> list[dict[str, Any]]:
    return [given for called, given in engine.calls if called == name]


async def test_each_setting_with_what_is_sent() -> None:
    """Each row says how a setting stands, and below are its reasons, its headers, or its lines."""
    app = deck(_engine())
    async with app.run_test(size=WIDE) as pilot:
        await _open(pilot)
        seen = shown(app)
        assert "to be updated" in seen
        assert "The site of mail.example.com has a file of its own." in seen
        assert "nothing answers there" in seen
        assert "is served without a redirect to HTTPS" in seen
        await pilot.press("down")
        assert "It increases on " in shown(app)
        await pilot.press("down")
        seen = shown(app)
        assert "missing; it should be nosniff" in seen
        assert "sent 2 times: DENY and SAMEORIGIN" in seen
        await pilot.press("end")
        assert "    ssl_protocols TLSv1.2 TLSv1.3;" in shown(app)


async def test_settings_are_applied_once_agreed() -> None:
    """Enter asks; no changes nothing, yes applies with progress, and the page asks the server again."""
    engine = _engine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("n")
        await settled(pilot)
        assert _asked(engine, "apply_web") == []
        engine.answers["web"] = replace(STATE, state="applied")
        await pilot.press("a")
        await pilot.pause()
        await pilot.press("y")
        await settled(pilot)
        assert isinstance(app.screen, ProgressScreen)
        assert "The web settings of nginx are applied." in shown(app)
        assert _asked(engine, "apply_web") == [{"target": "nginx"}]
        await pilot.press("escape")
        await settled(pilot)
        assert len(_asked(engine, "web")) == 2
        assert "The settings are applied." in shown(app)


async def test_settings_are_removed_once_agreed() -> None:
    """Del asks and says what stays in browsers; yes removes the lines."""
    engine = _engine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.press("delete")
        await pilot.pause()
        assert "Browsers that have seen HSTS keep it" in " ".join(shown(app).split())
        await pilot.press("y")
        await settled(pilot)
        assert _asked(engine, "remove_web") == [{"target": "nginx"}]


async def test_nothing_is_applied_where_nothing_is_to_be_changed() -> None:
    """Settings that are applied are not applied again; those that are absent are not removed."""
    engine = _engine(replace(STATE, state="applied"))
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.press("a")
        await settled(pilot)
        assert isinstance(app.screen, WebScreen)
        engine.answers["web"] = replace(STATE, state="absent")
        await pilot.press("r")
        await settled(pilot)
        assert "once applied" in shown(app)
        await pilot.press("delete")
        await settled(pilot)
        assert isinstance(app.screen, WebScreen)


async def test_a_service_that_is_no_web_server() -> None:
    """b does nothing on another service, and says for which there are web settings."""
    app = deck(_engine())
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("y")
        await settled(pilot)
        await pilot.press("down", "b")
        await settled(pilot)
        assert isinstance(app.screen, TargetsScreen)


async def test_a_configuration_that_cannot_be_changed() -> None:
    """Why there are no settings is said on the page, and nothing can be applied."""
    engine = _engine()
    engine.fails["web"] = WebNotPossible("The file is not plain.", "It has an include.", "Apply the lines by hand.")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        assert "Apply the lines by hand." in shown(app)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, WebScreen)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
async def test_looks(size: tuple[int, int], snap: Snap) -> None:
    """How the settings look, with the headers of an address."""
    app = deck(_engine())
    async with app.run_test(size=size) as pilot:
        await _open(pilot)
        await pilot.press("down", "down")
        await pilot.pause()
        snap(app, "web")
