"""Choose the version of a certificate to deploy and the services; compares the live version with the chosen one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from msgspec import Struct
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Button, Static

from core.kept_version import KeptVersion
from core.operations import LineageStatus, TargetInfo
from tui.glyphs import printable
from tui.screens.dialogs.dialog import Dialog, button, fault
from tui.widgets.ink import Ink
from tui.widgets.lines import Line, cut, fit
from tui.widgets.one_of import OneOf
from tui.widgets.prose import Prose
from tui.widgets.tick import Tick
from tui.wording import text

_LABEL = 10
_GAP = 2


class DeployChoice(Struct, frozen=True, kw_only=True):
    """The version and the services to deploy to."""

    version: int | None
    """None: the newest version."""
    targets: tuple[str, ...]


class DeployDialog(Dialog[DeployChoice]):
    """Dismisses with a DeployChoice, or None. The services assigned to the certificate are ticked at first."""

    BINDINGS: ClassVar = [
        Binding("enter", "enter", show=False),
        Binding("y", "go", show=False),
        Binding("n", "cancel", show=False),
        # These work wherever the focus is: the buttons have their own keys.
        Binding("left", "version(-1)", show=False),
        Binding("right", "version(1)", show=False),
    ]
    DEFAULT_CSS = """
    DeployDialog .ticks { height: auto; max-height: 6; }
    DeployDialog .note { height: auto; margin: 1 0 0 0; color: $text-muted; }
    DeployDialog #ladder { margin: 1 0 0 0; }
    DeployDialog #both { margin: 1 0; }
    """
    AUTO_FOCUS = "Button.-safe"

    def __init__(
        self,
        lineage: LineageStatus,
        targets: Sequence[TargetInfo],
        versions: Sequence[KeptVersion],
        now: datetime,
        *,
        back: bool = False,
    ) -> None:
        """`back`: for a rollback. The version before the live one is preselected, and the dialog is shown as a warning."""
        super().__init__(classes="-danger" if back else None)
        self._lineage, self._targets, self._now, self._back = lineage, targets, now, back
        self._versions = [each for each in versions if each.has_key or each.is_live]
        self.title_text = f"{'Roll back' if back else 'Deploy'} {printable(lineage.name)}"

    def _begin_with(self) -> int:
        live = self._lineage.version or 0
        if self._back:
            older = [each.number for each in self._versions if each.number < live]
            return max(older, default=live)
        return self._lineage.waiting_version or live

    def parts(self) -> ComposeResult:
        if self._versions:
            options = [(str(each.number), self._word(each)) for each in reversed(self._versions)]
            ladder = OneOf(options, value=str(self._begin_with()), id="ladder")
            ladder.display = len(options) > 1
            yield ladder
            yield Prose(id="both")
        else:
            version = self._lineage.waiting_version or self._lineage.version
            yield Static(
                f"Version {version} goes live on the services that are ticked.\n", classes="words", markup=False
            )
        has = {target.name for target in self._lineage.targets}
        with VerticalScroll(classes="ticks", can_focus=False):
            for number, target in enumerate(self._targets):
                other = target.lineage not in (None, self._lineage.name)
                label = f"{target.name} · serves {target.lineage} now" if other else target.name
                yield Tick(label, value=target.name in has, id=f"target-{number}")
        if not has:
            words = f"No service uses it: only the files are switched.{' Space selects one.' if self._targets else ''}"
        elif self._targets:
            words = "Each service is tested, switched, reloaded and checked: all of them or none. Space selects one."
        else:
            words = "No service is set up: the files in its folder are switched."
        yield Static(words, classes="note", markup=False)
        yield fault()

    def _word(self, version: KeptVersion) -> str:
        state = " live" if version.is_live else " new" if version.is_waiting else ""
        return f"{version.number}{state}"

    def on_mount(self) -> None:
        self._compare()
        ticks = self.query(Tick)
        if ticks and not any(tick.value for tick in ticks):
            ticks.first().focus()

    @on(OneOf.Changed, "#ladder")
    def _compare(self) -> None:
        """Show the live version beside the chosen one, and warn if the chosen one expires sooner."""
        if not self._versions:
            return
        live = next((each for each in self._versions if each.is_live), None)
        chosen = next(each for each in self._versions if str(each.number) == self.query_one("#ladder", OneOf).value)
        self.query_one("#both", Prose).write(lambda width, ink: compared(live, chosen, self._now, width, ink))

    def keys(self) -> Sequence[tuple[str, str]]:
        yes = "Roll back" if self._back else "Deploy"
        several = (("←→", "Version"),) if len(self._versions) > 1 else ()
        here: tuple[tuple[str, str], ...] = ()
        if isinstance(self.focused, Tick):
            here = (("space", "Tick"),) if self._back else (("space", "Tick"), ("enter", yes))
        elif isinstance(self.focused, Button):
            here = (("enter", "Cancel" if self.focused.id == "cancel" else yes),)
        return (*several, *here, ("tab", "Next"), ("y", yes), ("esc", "Cancel"))

    def buttons(self) -> list[Button]:
        return [
            button("cancel", "Cancel", safe=self._back),
            button("deploy", "Roll back" if self._back else "Deploy", safe=not self._back, danger=self._back),
        ]

    def on_button_pressed(self, message: Button.Pressed) -> None:
        if message.button.id == "deploy":
            self.action_go()
        else:
            self.dismiss(None)

    def action_enter(self) -> None:
        """Deploy on Enter outside the buttons; a rollback needs its button."""
        if not self._back:
            self.action_go()

    def action_version(self, step: int) -> None:
        """Choose the next or the previous version."""
        for ladder in self.query("#ladder").results(OneOf):
            ladder.action_move(step)

    def action_go(self) -> None:
        """Dismiss with the choice; show an error if its services are no longer ticked, because it would keep them."""
        ticks = self.query(Tick)
        targets = tuple(target.name for target, tick in zip(self._targets, ticks, strict=True) if tick.value)
        if not targets and self._targets and self._lineage.targets:
            self.complain("✖ Select a service.")
            return
        ladder = self.query("#ladder").results(OneOf)
        chosen = next((int(each.value) for each in ladder), None)
        newest = self._lineage.waiting_version or self._lineage.version
        self.dismiss(DeployChoice(version=None if chosen == newest else chosen, targets=targets))


def compared(live: KeptVersion | None, chosen: KeptVersion, now: datetime, width: int, ink: Ink) -> list[Line]:
    """Return the chosen version, beside the live one if it is another, with a warning if the chosen one expires sooner."""
    others = [live] if live is not None and live.number != chosen.number else []
    versions = [*others, chosen]
    cells = (width - _LABEL - _GAP * (len(versions) - 1)) // len(versions)
    rows: list[tuple[str, list[str]]] = [
        ("", [f"Version {each.number}{', live' if each.is_live else ''}" for each in versions]),
        ("Ends", [_ends(each, now) for each in versions]),
        ("Issuer", [text.common_name(each.issuer) for each in versions]),
        ("Key", [text.key_shown(each.key_type) for each in versions]),
        ("SHA-256", [f"{each.sha256[:20]}…" for each in versions]),
    ]
    lines: list[Line] = []
    for label, values in rows:
        *before, last = values
        is_same = last in before
        lines.append(
            [
                (f"{label:{_LABEL}}", ink("text-muted")),
                *(
                    (fit(cut(each, cells), cells + _GAP), ink("text-muted" if label else "foreground"))
                    for each in before
                ),
                (cut(last, cells), ink("text-muted" if is_same else "foreground", bold=not label)),
            ]
        )
    if live is not None and live.not_after - chosen.not_after >= timedelta(days=1):
        days = (live.not_after - chosen.not_after).days
        lines.append([(f"▲ It expires {text.plural(days, 'day')} sooner than the live one.", ink("severity-yellow"))])
    if chosen.not_after <= now:
        lines.append([("✖ It has expired: clients reject it.", ink("severity-red"))])
    return lines


def _ends(version: KeptVersion, now: datetime) -> str:
    left = (version.not_after - now).days
    return f"{text.day(version.not_after)}, {left} d" if left >= 0 else f"{text.day(version.not_after)}, over"
