"""What the progress of an upload says of its end."""

from __future__ import annotations

import pytest

from core import events as told
from tests.support.authority import Authority
from tests.support.deck import WIDE, deck, settled
from tests.support.fake_engine import FakeEngine
from tests.support.fake_uploads import good_check
from tests.support.uploading import bundle, opened, paste
from tests.tui.test_order_steps import reports, states
from tui.screens.progress import ending
from tui.screens.upload.progress import UploadProgress
from tui.widgets.order_steps import steps_of


@pytest.mark.parametrize("before", [[], [told.TargetReloaded(target="web")]])
def test_what_was_put_back_is_not_live(before: list[told.Event]) -> None:
    """After a rollback no version is said to be live, also where there was none before (ST-41)."""
    events = [
        told.VersionStored(version=1),
        told.TargetStaged(target="web"),
        told.VersionSwitched(version=1),
        told.TargetSwitched(target="web"),
        *before,
        told.TargetRolledBack(target="web", why="Its test said no."),
        told.Failed(code="config-test-failed", what="It was not deployed.", why="Its test said no.", fix="Mend it."),
    ]
    steps = steps_of(reports(events), "failed", ("web",))
    assert states(steps) == [("Live", "failed"), ("web", "failed")]
    assert "version 1" not in " ".join(step.detail for step in steps.steps)


async def test_it_ends_with_a_sentence() -> None:
    """How an applied upload ended is told in a sentence, with the services that serve it."""
    engine = FakeEngine()
    engine.upload_check = good_check()
    app = deck(engine)
    leaf = Authority.new("Bought").leaf(["shop.example.com"])
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await paste(pilot, bundle(leaf))
        await pilot.press("ctrl+s", "y")
        await settled(pilot)
        assert isinstance(app.screen, UploadProgress)
        assert ending(app.screen.operation) == "shop has its new certificate, on nginx, postfix."
