"""A lineage that was uploaded, and that a CA is to renew from now on."""

from __future__ import annotations

from msgspec.structs import replace

from tests.support.deck import NARROW, deck, settled, shown
from tests.support.lineages import lineage
from tests.support.wizard import Box, go_to, open_wizard
from tui.screens.dialogs.confirm import ConfirmDialog


async def test_an_uploaded_lineage_goes_back_to_a_ca_only_after_a_yes() -> None:
    """The wizard asks before an order takes the place of what somebody has brought, and of no other."""
    engine = Box()
    engine.lineages = [replace(lineage("brought.example.com", "brought.example.com"), method="upload", ca=None)]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await open_wizard(pilot, "brought.example.com")
        await go_to(pilot, "Check")
        await pilot.press("enter")
        assert isinstance(app.screen, ConfirmDialog)
        assert "Replace the upload brought.example.com?" in shown(app)
        await pilot.press("n")
        assert app.screen is screen
        assert "issue" not in [called for called, _ in engine.calls]
        await pilot.press("enter", "y")
        await settled(pilot)
        assert screen.step.TITLE == "Issue"
    assert engine.ordered.issuer == "letsencrypt"
