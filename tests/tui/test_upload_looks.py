"""How the upload screen looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual import events
from textual.app import App
from textual.widgets import Input

from core.upload.values import UploadCheck
from tests.support.deck import NARROW, WIDE, deck, settled
from tests.support.fake_engine import FakeEngine
from tests.support.fake_requests import signing_request
from tests.support.fake_uploads import forceable_check, good_check, refused_check, result
from tui.screens.upload import UploadScreen
from tui.terminal import Terminal

Snap = Callable[[App[Any], str], None]

PASTE = "".join(
    f"-----BEGIN {label}-----\n{('A' * 64 + chr(10)) * lines}-----END {label}-----\n"
    for label, lines in (("CERTIFICATE", 20), ("CERTIFICATE", 22), ("PRIVATE KEY", 25), ("CERTIFICATE", 24))
)
WARNED = good_check(
    changes=[
        result(
            "names-kept",
            "warn",
            "It no longer covers pay.example.com. Clients that use that name would reject it.",
            "If that name is still in use, have the certificate issued with it.",
        )
    ]
)


async def _picture(app: Any, snap: Snap, name: str, size: tuple[int, int], *keys: str, text: str = PASTE) -> None:
    async with app.run_test(size=size) as pilot:
        await pilot.press("down", "u")
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, UploadScreen)
        if text:
            app.focused.post_message(events.Paste(text))
            await pilot.pause()
            while screen.is_pending:
                await pilot.pause(0.01)
            await settled(pilot)
        await pilot.press(*keys)
        await settled(pilot)
        for field in app.screen.query(Input):
            field.cursor_blink = False
        await pilot.pause()
        snap(app, name)


def _engine(check: UploadCheck) -> FakeEngine:
    engine = FakeEngine()
    engine.upload_check = check
    return engine


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_a_warning(snap: Snap, theme: str, size: tuple[int, int]) -> None:
    """A paste of four blocks: what was found, the checks with one warning, old beside new, services, and Apply."""
    await _picture(deck(_engine(WARNED), theme=theme), snap, "upload", size)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_a_failure(snap: Snap, size: tuple[int, int]) -> None:
    """A key of another certificate: it stands first with what to do, and Apply is off."""
    await _picture(deck(_engine(refused_check())), snap, "refused", size)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_empty(snap: Snap, size: tuple[int, int]) -> None:
    """Nothing given yet: what the box takes."""
    await _picture(deck(), snap, "empty", size, text="")


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_applied(snap: Snap, size: tuple[int, int]) -> None:
    """The result: what is live where, and what one may want to do next."""
    await _picture(deck(_engine(WARNED)), snap, "applied", size, "ctrl+s", "y")


async def test_the_services(snap: Snap) -> None:
    """The dialog that chooses the services."""
    await _picture(deck(_engine(WARNED)), snap, "services", NARROW, "down", "down", "enter")


async def test_a_passphrase(snap: Snap) -> None:
    """A protected key asks for its passphrase by itself."""
    await _picture(deck(_engine(refused_check(passphrase="needed"))), snap, "passphrase", NARROW)


@pytest.mark.parametrize(
    "terminal",
    [
        pytest.param(Terminal(colours=16), id="16-colours"),
        pytest.param(Terminal(ascii=True, colours=0), id="ascii-no-colour"),
    ],
)
@pytest.mark.parametrize("check", [WARNED, refused_check()], ids=["warning", "failure"])
async def test_on_poor_terminals(
    snap: Snap, monkeypatch: pytest.MonkeyPatch, terminal: Terminal, check: UploadCheck
) -> None:
    """In 16 colours, and in ASCII without any, the states are told by signs and words."""
    if terminal.colours == 0:
        monkeypatch.setenv("NO_COLOR", "1")
    await _picture(deck(_engine(check), terminal=terminal), snap, "upload", NARROW)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
@pytest.mark.parametrize("keys", [("ctrl+r",), ("ctrl+r", "n")], ids=["list", "form"])
async def test_signing_requests(snap: Snap, size: tuple[int, int], keys: tuple[str, ...]) -> None:
    """The open requests with the chosen one as text below, and the form of a new one."""
    engine = FakeEngine()
    engine.requests["wild"] = signing_request("wild", "*.example.com", subject="C=DE,O=Acme Ltd")
    engine.requests["shop"] = signing_request("shop", key_type="rsa-2048")
    await _picture(deck(engine), snap, "requests", size, *keys, text="")


async def test_an_incomplete_chain(snap: Snap) -> None:
    """Where the certificate says where the missing part is, a key fetches it."""
    missing = result(
        "chain",
        "warn",
        "The certificate of its issuer, R13, is missing. Many clients will reject it.",
        "Also give it, or have it fetched from http://r13.i.lencr.org/ (--fetch-chain; in the console ^l).",
    )
    await _picture(deck(_engine(good_check(changes=[missing], can_be_fetched=True))), snap, "incomplete", NARROW)


async def test_what_can_be_overridden(snap: Snap) -> None:
    """Where only failures remain that stop no service, Apply says what is overridden and asks."""
    await _picture(deck(_engine(forceable_check())), snap, "override", NARROW, "ctrl+s")
