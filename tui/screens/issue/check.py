"""Step 5: the doctor checks over the network what would make the order fail, before one is used up."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.widget import Widget

from core.errors import CertdeckError
from core.operations import Finding, IssueRequest
from core.ports import CancelToken
from tui.screens.issue.draft import HTTP_01
from tui.screens.issue.proof import proof_shown
from tui.screens.issue.step import WizardStep
from tui.widgets.field import wrong
from tui.widgets.finding_lines import finding_lines
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import facts, marked
from tui.widgets.sheet import Sheet
from tui.wording import text


class CheckStep(WizardStep):
    """Findings, worst first, and what will be ordered."""

    TITLE = "Check"
    HELP = (
        "Check: checks the clock, the disk, the issuer's directory, port 80, every name and every service. A warning "
        "may be acceptable in your setup. A failure would probably make the order fail, so the wizard asks before it "
        "continues."
    )

    def compose(self) -> ComposeResult:
        yield Sheet(id="findings")

    def on_mount(self) -> None:
        self._asked: IssueRequest | None = None
        self._token = CancelToken()
        self._answer: tuple[Finding, ...] | CertdeckError | None = None

    def enter(self) -> None:
        if self._asked != self.draft.request() or isinstance(self._answer, CertdeckError):
            self.look()
        else:
            self._show()

    def leave(self) -> None:
        if self._answer is None:
            self._token.cancel()
            self._asked = None

    def first(self) -> Widget | None:
        return self.query_one(Sheet)

    def look(self) -> None:
        """Run the doctor again."""
        self._token.cancel()
        request, token = self.draft.request(), CancelToken()
        self._asked, self._token, self._answer = request, token, None

        def answered(answer: tuple[Finding, ...] | CertdeckError) -> None:
            if token is self._token and self.is_mounted and not token.is_cancelled:
                self._answer = answer
                self._show()
                self.wizard.refresh_actions()

        self.wizard.ask(lambda: self.wizard.engine.doctor(request, cancel=token), answered)
        self._show()

    @property
    def failures(self) -> int:
        """Return how many checks failed."""
        return sum(each.status == "fail" for each in self._answer) if isinstance(self._answer, tuple) else 0

    def _show(self) -> None:
        answer, sheet = self._answer, self.query_one(Sheet)
        where = "port 80, " if self.draft.proof == HTTP_01 else ""
        sheet.border_title = self._title()

        def write(width: int, ink: Ink) -> list[Line]:
            lines = self._plan(width, ink)
            lines.append([])
            if answer is None:
                return [
                    *lines,
                    *marked("◐", "bar-used", f"Checking clock, disk, issuer, {where}names and services …", width, ink),
                ]
            if isinstance(answer, CertdeckError):
                return [*lines, *wrong(answer, width, ink)]
            order = {"fail": 0, "warn": 1, "pass": 2, "skip": 3}
            return [
                *lines,
                *finding_lines(tuple(sorted(answer, key=lambda each: order.get(each.status, 3))), width, ink),
            ]

        sheet.write(write)

    def _title(self) -> str:
        if self._answer is None:
            return "Checking …"
        if isinstance(self._answer, CertdeckError):
            return "The checks could not run"
        warnings = sum(each.status == "warn" for each in self._answer)
        parts = [f"✖ {text.plural(self.failures, 'failure')}"] if self.failures else []
        parts += [f"▲ {text.plural(warnings, 'warning')}"] if warnings else []
        return " · ".join(parts) or "✔ Nothing prevents issuing"

    def _plan(self, width: int, ink: Ink) -> list[Line]:
        """Return a short summary of the order."""
        draft = self.draft
        issuer = self.offer.issuer(draft.issuer) if self.offer is not None else None
        names = [text.name_shown(each.value) for each in draft.identifiers()]
        rehearses = self.offer is not None and draft.rehearses(self.offer)
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        rows = [
            ("Names", ", ".join(names[:4]) + more),
            ("Issuer", f"{issuer.title if issuer else draft.issuer}{', rehearsal first' if rehearses else ''}"),
            ("Validation", proof_shown(draft, self.offer)),
            ("Key", text.key_shown(draft.key_type) + (f", profile {draft.profile}" if draft.profile else "")),
            ("Service", ", ".join(draft.targets) or "none"),
        ]
        return facts(rows, width, ink, label=12)

    def proceed(self, go: Callable[[], None]) -> None:
        if self._answer is None:
            self.app.notify("The checks are still running. They take a few seconds.", markup=False)
            return
        if not self.failures and not isinstance(self._answer, CertdeckError):
            go()
            return
        from tui.screens.dialogs.confirm import ConfirmDialog

        def decided(agreed: bool | None) -> None:
            if agreed:
                go()

        what = text.plural(self.failures, "check") + " failed" if self.failures else "The checks could not run"
        words = f"{what}. The order will probably fail too, and a CA counts failed orders. The live certificate is not affected."
        self.app.push_screen(
            ConfirmDialog("Issue anyway?", words, yes="Issue anyway", no="Go back", danger=True), decided
        )
