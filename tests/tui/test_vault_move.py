"""The page that moves the master key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input

from core.errors import VaultError
from tests.support.deck import NARROW, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tui.screens.vault_move import VaultMoveScreen
from tui.widgets.row_list import RowList


async def _open(pilot: Pilot[Any]) -> None:
    await pilot.press("M")
    await settled(pilot)
    pilot.app.screen.query_one(RowList).choose("move")
    await pilot.press("enter")
    await settled(pilot)
    assert isinstance(pilot.app.screen, VaultMoveScreen)


def _moves(engine: FakeEngine) -> list[tuple[str, Path | None]]:
    return [(arguments["to"], arguments["out"]) for method, arguments in engine.calls if method == "move_vault"]


async def test_a_move_asks_and_says_what_is_left_to_do() -> None:
    """A move to a passphrase asks, seals every secret again, and says what the unit needs from then on."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.press("down", "enter")
        assert _moves(engine) == []
        await pilot.press("y")
        await settled(pilot)
        text = " ".join(shown(app).split())
        assert "The master key is now the passphrase. 9 secrets sealed again." in text
        assert "CERTDECK_PASSPHRASE_FILE" in text
    assert _moves(engine) == [("passphrase", None)]


async def test_a_credential_takes_two_steps(tmp_path: Path) -> None:
    """The first step writes the key to a new file and shows the commands for systemd; only the second one moves the key."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=(120, 40)) as pilot:
        await _open(pilot)
        await pilot.press("down", "down", "enter")
        await pilot.pause()
        app.screen.query_one("#path", Input).value = str(tmp_path / "key")
        await pilot.press("enter")
        await settled(pilot)
        assert _moves(engine) == [("credential", tmp_path / "key")]
        text = shown(app)
        assert "systemd-creds encrypt --name=certdeck-master-key" in text
        assert "shred -u" in text
        await pilot.press("down", "enter", "y")
        await settled(pilot)
    assert _moves(engine) == [("credential", tmp_path / "key"), ("credential", None)]


async def test_a_refused_move_says_why() -> None:
    """A move that is refused shows what, why and what to do, and the page stays."""
    engine = FakeEngine()
    engine.fails["move_vault"] = VaultError(
        "There is no passphrase.", "The variable is not set.", "Set it and start again."
    )
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.press("down", "enter", "y")
        await settled(pilot)
        text = shown(app)
        assert "There is no passphrase." in text
        assert "Set it and start again." in text
