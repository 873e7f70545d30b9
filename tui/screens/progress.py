"""What is under way, step by step. It can be left and found again: the work goes on in its own thread.

The steps are made anew from everything the operation has told, so it does not matter when somebody looks. `v` shows every
event as a line instead, with the CA's own words.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.message import Message

from core.errors import Cancelled, CertdeckError
from core.fleet_status import Member, Removed
from core.operations import Deleted, Deployment, DnsTest, Exported, Issued, Pending, RenewalReport
from core.upload.values import Imported
from core.web.shown import WebState
from tui.actions import Situation, bindings, of_scope
from tui.bridge import EngineEvent, Operation, OperationFinished
from tui.deck import Deck
from tui.screens.page import Page
from tui.widgets.ink import Ink
from tui.widgets.lines import BLANK, Line, wrap
from tui.widgets.order_progress import OrderProgress
from tui.widgets.sheet import Sheet
from tui.wording import text

_TICK_SECONDS = 0.5


class ProgressScreen(Page[None]):
    """One operation, from its start until its end has been seen."""

    SCOPE = "progress"
    BINDINGS: ClassVar = bindings(of_scope("progress", "page"))
    AUTO_FOCUS = "OrderProgress"
    HELP_TEXT = (
        "The steps of the running operation, each with its time. You may leave: esc goes back and the operation "
        "continues; the line above the keys shows its progress, and w opens this page again. If the connection to "
        "this box drops, it continues too, and the log shows the result.\n\n"
        "If a step fails, the page shows what happened, why, and what to do. The previous certificate is then live "
        "again."
    )
    tells_progress = False

    CSS = """
    ProgressScreen OrderProgress, ProgressScreen #told { height: 1fr; margin-top: 1; padding: 1 2; }
    ProgressScreen #told { display: none; }
    ProgressScreen.-in-full #told { display: block; }
    ProgressScreen.-in-full OrderProgress { display: none; }
    """

    def __init__(self, operation: Operation) -> None:
        super().__init__()
        self.operation = operation
        self.page_title = text.printable(operation.title)

    @classmethod
    def opened_from(cls, deck: Deck) -> ProgressScreen | None:
        """Open the screen for the last operation, running or ended."""
        operation = deck.bridge.operation
        return None if operation is None else ProgressScreen(operation)

    def body(self) -> ComposeResult:
        yield OrderProgress(id="steps")
        yield Sheet(id="told")

    def on_mount(self) -> None:
        super().on_mount()
        self._show()
        # The durations of running steps increase.
        self.set_interval(_TICK_SECONDS, self._tick)

    def situation(self) -> Situation:
        known = super().situation()
        return Situation(busy=self.operation.runs, broken=known.broken)

    def heard(self, message: Message) -> None:
        if isinstance(message, EngineEvent | OperationFinished) and message.operation is self.operation:
            self._show()
            self._lead_on()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if not self.operation.runs:
            self.operation.seen = True
            self._lead_on()

    def _lead_on(self) -> None:
        """If the operation ended waiting for manual DNS records, show those instead."""
        result = self.operation.result
        if not isinstance(result, Pending) or self.app.screen is not self:
            return
        from tui.screens.records import RecordsScreen

        below = self.app.screen_stack[-2]
        if isinstance(below, RecordsScreen) and below.name_of_lineage == result.name:
            self.dismiss()
        else:
            self.deck.switch_screen(RecordsScreen(result.name))

    def _tick(self) -> None:
        if self.operation.runs:
            self._show()

    def _show(self) -> None:
        operation, error = self.operation, self.operation.error
        if not operation.runs and self.is_current:
            operation.seen = True
        steps = self.query_one(OrderProgress)
        told = None if error is None or isinstance(error, Cancelled) else (error.what, error.why, error.fix)
        steps.show(
            operation.reports,
            self.deck.now(),
            operation.outcome,
            expects=operation.expects,
            error=told,
            summary=ending(operation),
        )
        steps.border_title = {
            "running": "Running",
            "done": "Done",
            "failed": "Failed",
            "cancelled": "Cancelled",
        }[operation.outcome]
        steps.border_subtitle = "esc leaves it running" if operation.runs else ""
        steps.set_class(operation.outcome == "failed", "-failed")
        if self.has_class("-in-full"):
            self._show_in_full()

    def _show_in_full(self) -> None:
        reports = list(self.operation.reports)

        def write(width: int, ink: Ink) -> list[Line]:
            lines: list[Line] = []
            for report in reports:
                at = f"{report.at.astimezone():%H:%M:%S}  "
                for number, line in enumerate(wrap(text.describe(report.event), width - len(at))):
                    lines.append([(at if not number else " " * len(at), ink("text-muted")), (line, ink("foreground"))])
            return lines or [[("Nothing has happened yet.", ink("text-muted")), ("", BLANK)]]

        sheet = self.query_one("#told", Sheet)
        sheet.border_title = "In full"
        sheet.write(write, top=False)

    def action_in_full(self) -> None:
        """Toggle between the list of all events and the steps."""
        self.toggle_class("-in-full")
        if self.has_class("-in-full"):
            self._show_in_full()
        self.query_one("#told" if self.has_class("-in-full") else "#steps").focus()

    def action_close(self) -> None:
        """Go back if the operation has ended."""
        self.action_back()

    def action_stop(self) -> None:
        """Stop the operation after confirmation."""
        if not self.operation.runs:
            return
        from tui.screens.dialogs.confirm import ConfirmDialog

        def decided(agreed: bool | None) -> None:
            if agreed:
                self.operation.cancel.cancel()
                self.query_one(OrderProgress).border_subtitle = "stopping at the next safe point …"

        self.app.push_screen(
            ConfirmDialog(
                "Stop?",
                "It stops at the next safe point: live certificates are unchanged, and an open order can be completed later.",
                yes="Stop",
                no="Continue",
                danger=True,
            ),
            decided,
        )


def ending(operation: Operation) -> str:
    """Return a sentence on how an operation ended; empty while it runs."""
    if operation.runs:
        return ""
    if isinstance(operation.error, Cancelled):
        return "Stopped. Live certificates are unchanged; an open order can be completed later."
    match operation.result:
        case Issued(status=status, reused=True):
            return (
                f"{status.name} already has a valid certificate for these names: it was used, and nothing was ordered."
            )
        case Issued(rehearsed_only=True):
            return "The rehearsal passed. Nothing was stored."
        case Issued(status=status):
            until = f", valid to {text.day(status.not_after)}" if status.not_after else ""
            return f"{text.printable(status.name)} is issued{until}{_live_on(status.targets)}."
        case Pending(name=name, records=records):
            return text.printable(f"{name} waits for you: {text.plural(len(records), 'DNS record')} to set.")
        case RenewalReport() as report:
            return _renewed(report)
        case DnsTest(name=name, is_good=is_good):
            shown = text.printable(name)
            return f"{shown} works." if is_good else f"{shown} does not work: the test shows what to fix."
        case Imported(status=status, unchanged=unchanged):
            how = "was already live, and was deployed again" if unchanged else "has its new certificate"
            return f"{text.printable(status.name)} {how}{_live_on(status.targets)}."
        case Exported(path=path):
            return text.printable(f"{path} is written.")
        case Deleted(name=name, kept_until=until) if until is not None:
            return text.printable(f"{name} is deleted. A sealed copy is kept until {text.day(until)}.")
        case Member(name=name, role=role):
            return f"{text.printable(name)} is in the fleet as {role}. It gets its certificates with its next request."
        case Removed() as removed:
            return _removed(removed)
        case WebState(target=target):
            return f"The web settings of {text.printable(target)} are applied."
        case Deployment(name=name, version=version, targets=targets):
            return f"Version {version} of {text.printable(name)} is live{_live_on(targets)}."
    return "" if operation.error is not None else text.printable(operation.said) or "Done."


def _removed(removed: Removed) -> str:
    parts = ["The box is removed"]
    if removed.rotated:
        parts.append(f"renewed with new keys: {_some(removed.rotated)}")
    if removed.failed:
        parts.append(f"not renewed yet: {_some(removed.failed)}; the next run tries again")
    return text.printable(". ".join(part[0].upper() + part[1:] for part in parts)) + "."


def _live_on(targets: object) -> str:
    names = [text.printable(each.name) for each in targets] if isinstance(targets, tuple) else []
    return f", on {', '.join(names)}" if names else ""


def _renewed(report: RenewalReport) -> str:
    parts = []
    if report.issued:
        parts.append(f"{_some(report.issued)} issued")
    renewed = [name for name in report.renewed if name not in report.issued]
    if renewed:
        parts.append(f"{_some(renewed)} renewed")
    if report.failed:
        parts.append(f"{_some([each.name for each in report.failed])} failed: {_first(report.failed[0].error)}")
    if report.skipped and not parts:
        skipped = report.skipped[0]
        parts.append(
            f"Nothing to renew: {skipped.name}, {skipped.why}" if len(report.skipped) == 1 else "Nothing is due"
        )
    return text.printable(". ".join(parts) or "Nothing is due").rstrip(".") + "."


def _some(names: object) -> str:
    found = list(names) if isinstance(names, tuple | list) else []
    return ", ".join(found) if len(found) <= 3 else f"{', '.join(found[:3])} and {len(found) - 3} more"


def _first(error: CertdeckError) -> str:
    return f"{error.what} {error.why}"
