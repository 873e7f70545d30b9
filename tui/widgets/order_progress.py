"""The steps of an operation as they happen: a sign, what it is, how it stands, and how long it took.

Fed with the reports of `core.events`; what they mean is worked out in `order_steps`. The CA's own words stand below when it
failed, with what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from core.events import Report
from tui.widgets.ink import Ink
from tui.widgets.lines import BLANK, Line, Part, cut, fit, length, width_of, wrap
from tui.widgets.order_steps import Steps, steps_of
from tui.widgets.sheet import Sheet
from tui.widgets.step import DONE, FAILED, RUNNING, WAITING, WARNED, Step
from tui.wording import text

_SIGNS: Final = {
    WAITING: ("○", "faint-text"),
    RUNNING: ("◐", "bar-used"),
    DONE: ("✔", "severity-green"),
    FAILED: ("✖", "severity-red"),
    WARNED: ("▲", "severity-yellow"),
}
_TIME: Final = 9
_MOST_LABEL: Final = 34


def counted(reports: Sequence[Report], expects: Sequence[str] = ()) -> tuple[int, int]:
    """Return how many steps are done and how many there are; (0, 0) while nothing is known."""
    steps = steps_of(reports, expects=expects)
    return steps.done, steps.of


class OrderProgress(Sheet):
    """Shows an operation's reports with `show`; it can be scrolled, and follows the running step."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.steps = Steps()

    def show(
        self,
        reports: Sequence[Report],
        now: datetime,
        outcome: str = "running",
        *,
        expects: Sequence[str] = (),
        error: tuple[str, str, str] | None = None,
        summary: str = "",
    ) -> None:
        """Draw the steps. `outcome`, `error` (what, why, fix): the operation's; `summary`: how it ended, in a sentence."""
        steps = self.steps = steps_of(reports, outcome, expects)
        failure = error or steps.error if outcome != "done" else None

        def write(width: int, ink: Ink) -> list[Line]:
            return progress_lines(steps, now, outcome, width, ink, error=failure, summary=summary)

        self.write(write, top=False)
        if outcome == "running" and self.count > self.size.height:
            active = next((at for at, step in enumerate(steps.steps) if step.state == RUNNING), 0)
            self.scroll_to(y=max(active - self.size.height // 2, 0), animate=False)


def progress_lines(
    steps: Steps,
    now: datetime,
    outcome: str,
    width: int,
    ink: Ink,
    *,
    error: tuple[str, str, str] | None = None,
    summary: str = "",
) -> list[Line]:
    """Return all steps as lines of `width` cells."""
    widest = max((width_of(step.label) for step in steps.steps), default=0)
    label = max(min(widest, _MOST_LABEL, width // 2), 12)
    lines: list[Line] = [_step(step, now, label, width, ink) for step in steps.steps]
    if not lines:
        lines.append([("◐ ", ink("bar-used")), ("Getting ready …", ink("text-muted"))] if outcome == "running" else [])
    if steps.of and outcome == "running":
        lines += [[], _bar(steps, width, ink)]
    for what, fix in steps.notes:
        lines.append([])
        lines += _told("▲", "severity-yellow", what, width, ink)
        lines += _told(" ", "text-muted", fix, width, ink, role="text-muted")
    if error is not None:
        what, why, fix = map(text.printable, error)
        lines.append([])
        lines += _told("✖", "severity-red", what, width, ink, bold=True)
        lines += _told(" ", "text-muted", why, width, ink)
        lines += _told("→", "key", fix, width, ink)
    elif summary:
        lines.append([])
        sign = {"done": ("✔", "severity-green"), "cancelled": ("▲", "severity-yellow")}.get(
            outcome, ("○", "text-muted")
        )
        lines += _told(*sign, summary, width, ink, bold=True)
    return lines


def _step(step: Step, now: datetime, label: int, width: int, ink: Ink) -> Line:
    sign, role = _SIGNS[step.state]
    took = step.seconds(now)
    time = text.elapsed(took) if took is not None and (took >= 0.05 or step.state != DONE) else ""
    name_role = "text-muted" if step.state == WAITING else "foreground"
    detail_role = {FAILED: "severity-red", WARNED: "severity-yellow"}.get(step.state, "text-muted")
    parts: list[Part] = [
        (f"{sign} ", ink(role, bold=step.state == RUNNING)),
        (fit(step.label, label), ink(name_role, bold=step.state == RUNNING)),
        ("  ", BLANK),
    ]
    room = width - length(parts) - _TIME
    parts.append((fit(cut(step.detail, room), room), ink(detail_role)))
    parts.append((fit(time, _TIME, right=True), ink("text-muted")))
    return parts


def _bar(steps: Steps, width: int, ink: Ink) -> Line:
    count = f"  {steps.done:,} of {steps.of:,}"
    room = max(width - width_of(count), 4)
    used = room * steps.done // max(steps.of, 1)
    return [("━" * used, ink("bar-used")), ("─" * (room - used), ink("bar-rest")), (count, ink("text-muted"))]


def _told(
    sign: str, sign_role: str, words: str, width: int, ink: Ink, *, role: str = "foreground", bold: bool = False
) -> list[Line]:
    return [
        [(f"{sign if not number else ' '} ", ink(sign_role, bold=True)), (line, ink(role, bold=bold))]
        for number, line in enumerate(wrap(words, width - 2))
    ]
