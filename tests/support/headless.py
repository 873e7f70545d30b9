"""What a console without a terminal need not do: parse the same CSS for each app, draw each step on the way, and keep caches small.

Nobody sees what is drawn between two steps of a test. So an update of a part of the screen only marks what is to be drawn. It is
drawn once when a press or a pause of the test is over, and a widget that cannot be drawn fails there.

Each line that is drawn makes seven caches that count their hits and forget what is oldest. For the length of a test a plain
dictionary does, at a quarter of the price.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import textual.strip
from textual._compositor import Compositor
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot

_rules: dict[tuple[tuple[str, str], ...], dict[object, list[RuleSet]]] = {}
"""By the variables of the theme."""


class _Unbounded(dict[Any, Any]):
    """A cache that forgets nothing, and costs what a dictionary costs."""

    def __init__(self, maxsize: int) -> None:
        """`maxsize` is not kept to."""


def less_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do so until the end of the test."""
    draw = Compositor.render_update
    monkeypatch.setattr(Compositor, "render_update", _drawn_later(draw))
    for name in ("press", "pause"):
        monkeypatch.setattr(Pilot, name, _then_drawn(getattr(Pilot, name), draw))
    monkeypatch.setattr(textual.strip, "FIFOCache", _Unbounded)
    monkeypatch.setattr(Stylesheet, "_parse_rules", _parsed_once(Stylesheet._parse_rules))


def _drawn_later(draw: Callable[..., Any]) -> Callable[..., Any]:
    def update(self: Compositor, full: bool = False, *args: Any, **options: Any) -> Any:
        # A whole screen is drawn: some widgets take their size from what they have drawn. So does a screenshot.
        is_whole = full or self.size.region in self._dirty_regions
        return draw(self, full, *args, **options) if is_whole else None

    return update


def _then_drawn(step: Callable[..., Any], draw: Callable[..., Any]) -> Callable[..., Any]:
    async def act(self: Pilot[Any], *args: Any, **options: Any) -> None:
        await step(self, *args, **options)
        if self.app.is_running and self.app.screen_stack:
            draw(self.app.screen._compositor, screen_stack=self.app._background_screens)

    return act


def _parsed_once(parse: Callable[..., list[RuleSet]]) -> Callable[..., list[RuleSet]]:
    def rules(self: Stylesheet, *given: Any, **named: Any) -> list[RuleSet]:
        known = _rules.setdefault(tuple(self._variables.items()), {})
        key = (given, tuple(named.items()))
        if key not in known:
            known[key] = parse(self, *given, **named)
        return known[key]

    return rules
