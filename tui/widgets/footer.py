"""The last line of every screen: as many actions as fit, in a fixed order; those that do not apply are dimmed or hidden."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.actions import Action
from tui.widgets.ink import Inked
from tui.widgets.lines import BLANK, Part, strip_of, width_of

_DIM = Style(dim=True)


class PageFooter(Inked):
    """`i Issue  r Renew  …  ? Help  ^p More`. A click does the same as the key."""

    DEFAULT_CSS = """
    PageFooter { height: 1; dock: bottom; background: $header-background; }
    """

    class Chosen(Message):
        """An action was clicked."""

        def __init__(self, action: Action) -> None:
            super().__init__()
            self.action = action

    _actions: tuple[Action, ...] = ()
    _off: frozenset[str] = frozenset()
    _places: tuple[tuple[int, int, Action], ...] = ()

    def show(self, actions: Sequence[Action], off: Iterable[str] = ()) -> None:
        """Set the actions in display order. `off`: the ids of those that do not apply, which are dimmed."""
        told, dimmed = tuple(actions), frozenset(off)
        if (told, dimmed) != (self._actions, self._off):
            self._actions, self._off = told, dimmed
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width, ink = self.size.width, self.ink
        parts: list[Part] = []
        places: list[tuple[int, int, Action]] = []
        x = 0
        # Without shades it is fainter by the terminal's own means.
        off = ink("faint") + _DIM if ink.ansi else ink("faint")
        for action in self._fitting(width):
            is_off = action.id in self._off
            parts += [
                (" ", BLANK),
                (action.key_shown, off if is_off else ink("key", bold=True)),
                (f" {action.label} ", off if is_off else ink("footer-text")),
            ]
            places.append((x, x := x + _width(action), action))
        self._places = tuple(places)
        return strip_of(parts, width)

    def _fitting(self, width: int) -> list[Action]:
        """Return the actions that fit; the least important are dropped first, help and palette never."""
        kept = list(self._actions)
        while kept and sum(map(_width, kept)) > width:
            kept.remove(max(kept, key=lambda action: action.footer))
        return kept

    def on_click(self, event: events.Click) -> None:
        for start, end, action in self._places:
            if start <= event.x < end:
                self.post_message(self.Chosen(action))


def _width(action: Action) -> int:
    return width_of(action.key_shown) + width_of(action.label) + 3
