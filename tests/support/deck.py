"""The console over a fake engine, for tests: no polling, no look at services, and a way to wait until nothing is under way."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot
from textual.strip import Strip
from textual.widget import Widget

from tests.support.fake_engine import FakeEngine
from tui.app import CertdeckApp
from tui.settled import is_settled
from tui.terminal import Terminal

NARROW = (80, 24)
WIDE = (120, 40)


def deck(
    engine: FakeEngine | None = None,
    *,
    theme: str | None = None,
    terminal: Terminal | None = None,
    loading: bool = False,
) -> CertdeckApp:
    """Make the console. `loading`: look at the services and poll, as it does for people."""
    double: Any = FakeEngine() if engine is None else engine
    return CertdeckApp(double, theme=theme, terminal=terminal, loading=loading)


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until no key waits, no call to the engine is under way, and what it brought is on the screen."""
    app: Any = pilot.app
    for _ in range(1000):
        await pilot.pause()
        if app.bridge.idle and app.key_queue.is_empty and is_settled(app) and _is_drawn(app.screen):
            break
        await pilot.pause(0.005)
    else:
        raise AssertionError("the engine is still at work")
    await pilot.pause()


def _is_drawn(screen: Any) -> bool:
    """Tell whether nothing that has changed waits to be drawn."""
    return screen._drawing is None and not (screen._dirty_widgets or screen._is_unlaid)


def shown(app: CertdeckApp, of: Widget | None = None) -> str:
    """Return the screen as text, or the part of it where a widget stands."""
    strips: list[Strip] = app.screen._compositor.render_strips()
    lines = ["".join(segment.text for segment in strip) for strip in strips]
    if of is not None:
        region = of.region
        lines = [line[region.x : region.right] for line in lines[region.y : region.bottom]]
    return "\n".join(line.rstrip() for line in lines) + "\n"
