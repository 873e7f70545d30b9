"""Which services a certificate is put onto."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from core.operations import LineageStatus, TargetInfo
from tui.glyphs import printable
from tui.screens.dialogs.dialog import Dialog, button
from tui.widgets.tick import Tick


class DeployDialog(Dialog[tuple[str, ...]]):
    """Answers the chosen targets, one at least, or None. Those that the certificate has are ticked."""

    BINDINGS: ClassVar = [Binding("enter", "go", show=False)]
    DEFAULT_CSS = """
    DeployDialog .ticks { height: auto; max-height: 8; margin-top: 1; }
    DeployDialog .note { height: auto; color: $text-muted; margin-top: 1; }
    DeployDialog .fault { height: auto; color: $severity-red; }
    """
    AUTO_FOCUS = "Button.-safe"

    def __init__(self, lineage: LineageStatus, targets: Sequence[TargetInfo]) -> None:
        super().__init__()
        self._lineage, self._targets = lineage, targets
        self.title_text = f"Deploy {printable(lineage.name)}"

    def parts(self) -> ComposeResult:
        version = self._lineage.waiting_version or self._lineage.version
        yield Static(
            f"Version {version} goes live on the services that are ticked: tested, switched, reloaded, then looked at. "
            "All of them or none: if anything goes wrong, what is live stays live.",
            classes="words",
            markup=False,
        )
        has = {target.name for target in self._lineage.targets}
        with VerticalScroll(classes="ticks", can_focus=False):
            for number, target in enumerate(self._targets):
                other = target.lineage not in (None, self._lineage.name)
                label = f"{target.name} · carries {target.lineage} now" if other else target.name
                yield Tick(label, value=target.name in has, id=f"target-{number}")
        yield Static("space ticks one · they stay its services from now on", classes="note", markup=False)
        yield Static("", classes="fault")

    def buttons(self) -> list[Button]:
        return [button("cancel", "Cancel"), button("deploy", "Deploy", safe=True)]

    def on_button_pressed(self, message: Button.Pressed) -> None:
        if message.button.id == "deploy":
            self.action_go()
        else:
            self.dismiss(None)

    def action_go(self) -> None:
        """Answer, unless nothing is ticked."""
        ticks = self.query(Tick)
        chosen = tuple(target.name for target, tick in zip(self._targets, ticks, strict=True) if tick.value)
        if chosen:
            self.dismiss(chosen)
        else:
            self.query_one(".fault", Static).update(Content("✖ Tick a service."))
