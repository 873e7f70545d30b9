"""The services that get the certificate: one line that lists them, and the dialog to change them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Button, Static

from core.operations import TargetInfo
from tui.glyphs import printable
from tui.screens.dialogs.dialog import Dialog, button
from tui.widgets.ink import Inked
from tui.widgets.lines import Part, cut, length, strip_of
from tui.widgets.tick import Tick

_LABEL = 15


class ServicesLine(Inked, can_focus=True):
    """`Services       nginx, postfix   ↵ changes them`."""

    DEFAULT_CSS = """
    ServicesLine { height: 1; width: 1fr; }
    """
    BINDINGS: ClassVar = [Binding("enter,space,ctrl+j", "change", show=False)]

    class Opened(Message):
        """The user wants to change the services."""

    _words, _hint = "", ""

    def show(self, words: str, hint: str) -> None:
        """Set the text, and what Enter does."""
        self._words, self._hint = printable(words), hint
        self.refresh()

    def action_change(self) -> None:
        self.post_message(self.Opened())

    def on_click(self, event: events.Click) -> None:
        self.action_change()

    def render_line(self, y: int) -> Strip:
        width, ink = self.size.width, self.ink
        style = ink.chosen if self.has_focus else ink
        hint = f"  {self._hint}" if self._hint else ""
        parts: list[Part] = [("Services".ljust(_LABEL), ink("text-muted"))]
        parts.append((cut(self._words, max(width - _LABEL - len(hint), 8)), style("foreground")))
        if length(parts) + len(hint) <= width:
            parts.append((hint, ink("text-muted")))
        return strip_of(parts, width)


class ServicesDialog(Dialog[tuple[str, ...]]):
    """Dismisses with the ticked services, possibly none, or with None if cancelled."""

    DEFAULT_CSS = """
    ServicesDialog .ticks { height: auto; max-height: 10; margin-top: 1; }
    """
    BINDINGS: ClassVar = [Binding("enter", "go", show=False)]
    AUTO_FOCUS = "Tick"
    title_text = "Services"

    def __init__(self, name: str, targets: Sequence[TargetInfo], ticked: Sequence[str]) -> None:
        super().__init__()
        self._name, self._targets, self._ticked = name, targets, set(ticked)

    def parts(self) -> ComposeResult:
        yield Static(
            "It is deployed to the selected ones: all of them or none. Space selects one; with none it is only stored.",
            classes="words",
            markup=False,
        )
        with VerticalScroll(classes="ticks", can_focus=False):
            for number, target in enumerate(self._targets):
                other = target.lineage not in (None, self._name)
                label = f"{target.name} · taken over from {target.lineage}" if other else target.name
                yield Tick(label, value=target.name in self._ticked, id=f"service-{number}")

    def keys(self) -> Sequence[tuple[str, str]]:
        return (("space", "Tick"), ("enter", "Use them"), ("esc", "Cancel"))

    def buttons(self) -> list[Button]:
        return [button("cancel", "Cancel"), button("use", "Use them", safe=True)]

    def on_button_pressed(self, message: Button.Pressed) -> None:
        if message.button.id == "use":
            self.action_go()
        else:
            self.dismiss(None)

    def action_go(self) -> None:
        """Dismiss with the ticked services."""
        ticks = self.query(Tick)
        self.dismiss(tuple(target.name for target, tick in zip(self._targets, ticks, strict=True) if tick.value))
