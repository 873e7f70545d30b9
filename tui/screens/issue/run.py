"""Step 6: the order, live. It can be left at any time: the work continues, and the line above the keys leads back to it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.widget import Widget

from core.errors import Cancelled
from core.operations import Issued, LineageStatus, Pending
from tui.bridge import Operation
from tui.screens.issue.step import WizardStep
from tui.screens.progress import ending
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.order_progress import OrderProgress
from tui.widgets.prose import Prose, marked
from tui.widgets.result import result_lines
from tui.widgets.sheet import Sheet
from tui.wording import text

_TICK_SECONDS = 0.5


class RunStep(WizardStep):
    """The order's steps, then the certificate or the reason for the failure."""

    TITLE = "Issue"
    HELP = (
        "Issue: the steps of the order with their times. You may leave: the order continues, even if the connection "
        "drops, and w opens this page again. If the CA refuses, its message is shown here with what to do; esc goes "
        "back to the checks and keeps everything you entered."
    )

    def compose(self) -> ComposeResult:
        yield OrderProgress(id="steps")
        yield Sheet(id="result")
        yield Prose(id="leave")

    def on_mount(self) -> None:
        self.operation: Operation | None = None
        self.query_one("#result").display = False
        self.set_interval(_TICK_SECONDS, self._tick)

    def first(self) -> Widget | None:
        return self.query_one("#result" if self._issued else "#steps")

    def start(self, operation: Operation) -> None:
        """Show this operation from now on."""
        self.operation = operation
        self.query_one("#result").display = False
        self.query_one("#steps").display = True
        self.show()

    def _tick(self) -> None:
        if self.operation is not None and self.operation.runs:
            self.show()

    @property
    def _issued(self) -> bool:
        return self.operation is not None and isinstance(self.operation.result, Issued)

    def show(self) -> None:
        """Draw the current state of the operation."""
        operation = self.operation
        if operation is None:
            return
        steps, error = self.query_one(OrderProgress), operation.error
        told = None if error is None or isinstance(error, Cancelled) else (error.what, _why(operation), error.fix)
        issued = operation.result if isinstance(operation.result, Issued) else None
        # The certificate matters most; the steps stay above it if there is room.
        steps.show(
            operation.reports,
            self.wizard.deck.now(),
            operation.outcome,
            error=told,
            summary="" if issued else ending(operation),
        )
        steps.border_title = {
            "running": "In progress",
            "done": "Done",
            "failed": "It failed",
            "cancelled": "Stopped",
        }[operation.outcome]
        if isinstance(operation.result, Pending):
            steps.border_title = "Waiting for you"
        steps.set_class(operation.outcome == "failed", "-failed")
        result = self.query_one("#result", Sheet)
        if issued is not None and not result.display:
            result.display = True
            steps.display = self.wizard.size.height >= 36
            steps.add_class("-ended")
            result.border_title = "Rehearsed" if issued.rehearsed_only else "Certificate issued"
            result.write(lambda width, ink: self._result_lines(issued, width, ink))
            result.focus()
        leave = self.query_one("#leave", Prose)
        leave.say(
            "You can close the window: the order continues, and the log shows the result." if operation.runs else ""
        )

    def _result_lines(self, issued: Issued, width: int, ink: Ink) -> list[Line]:
        status = issued.status
        lines = result_lines(status, _headline(issued), width, ink)
        lines += [[], [("What next", ink("frame-title", bold=True))]]
        for words in self._next(status):
            lines += marked("·", "key", words, width, ink)
        return lines

    def _next(self, status: LineageStatus) -> Sequence[str]:
        """Suggest what to do next."""
        words: list[str] = []
        known, now = self.wizard.deck.status, self.wizard.deck.now()
        if known is not None and known.timer.state != "on":
            words.append("The timer is off, so nothing renews automatically. S on the first screen turns it on.")
        elif text.is_manual(status):
            words.append(f"It {text.renewal_shown(status, now)}: certdeck reminds you in time.")
            words.append("For automatic renewal, add a DNS provider (h) and issue it again with it.")
        elif status.auto_renew and status.renew_at is not None:
            words.append(f"Nothing: it {text.renewal_shown(status, now)} automatically.")
        if not status.targets:
            words.append(
                f"Services find it in {self.wizard.engine.paths.state / 'live' / status.name}; e on the first screen exports it."
            )
        if status.method == "private-ca":
            words.append("Clients trust it when they have the root of this box's CA: Issuers (m), then v, shows it.")
        return words or ["Nothing."]


def _headline(issued: Issued) -> str:
    name = text.printable(issued.status.name)
    if issued.rehearsed_only:
        return "The rehearsal passed. Nothing was stored."
    if issued.reused:
        return f"{name} already has a valid certificate for these names. Nothing was ordered."
    return f"{name} has its certificate."


def _why(operation: Operation) -> str:
    """Return the reason, with the CA's own message about each name unless the reason already contains it."""
    error = operation.error
    if error is None:
        return ""
    words = [error.why]
    problems = error.details.get("problems")
    if isinstance(problems, dict):
        for name, problem in problems.items():
            detail = problem.get("detail") if isinstance(problem, dict) else problem
            if detail and str(detail) not in error.why:
                words.append(f"{name}: {detail}")
    return " ".join(words)
