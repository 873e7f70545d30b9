"""What a person does on the upload screen: open it, paste, wait for the checks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace
from textual import events
from textual.pilot import Pilot

from tests.support.authority import Leaf
from tests.support.deck import settled
from tests.support.fake_engine import FakeEngine
from tui.screens.upload import UploadScreen


def bundle(leaf: Leaf) -> str:
    return (leaf.key_pem + leaf.fullchain_pem).decode()


def secret_of(leaf: Leaf) -> str:
    return leaf.key_pem.decode().splitlines()[1]


def with_upload() -> FakeEngine:
    """Make an engine whose `shop` has been uploaded before."""
    engine = FakeEngine()
    engine.lineages = [
        replace(each, method="upload", ca=None, renew_at=None, renew_why="by hand") if each.name == "shop" else each
        for each in engine.lineages
    ]
    return engine


async def opened(pilot: Pilot[Any]) -> UploadScreen:
    """Open it for `shop`, the second certificate of the list."""
    await pilot.press("down", "u")
    await settled(pilot)
    assert isinstance(pilot.app.screen, UploadScreen)
    return pilot.app.screen


async def paste(pilot: Pilot[Any], text: str) -> None:
    """Paste as a terminal does it, and wait for the checks."""
    assert pilot.app.focused is not None
    pilot.app.focused.post_message(events.Paste(text))
    await checked(pilot)


async def checked(pilot: Pilot[Any]) -> None:
    """Wait until nothing is left to look at."""
    await pilot.pause()
    for _ in range(400):
        screens = [each for each in pilot.app.screen_stack if isinstance(each, UploadScreen)]
        if not screens or not screens[0].is_pending:
            break
        await pilot.pause(0.01)
    else:
        raise AssertionError("the checks never end")
    await settled(pilot)


def uploads(engine: FakeEngine, method: str = "check_upload") -> list[dict[str, Any]]:
    return [arguments for called, arguments in engine.calls if called == method]


async def within(app: Any, size: tuple[int, int], do: Callable[[Pilot[Any]], Awaitable[None]]) -> None:
    async with app.run_test(size=size) as pilot:
        await do(pilot)
