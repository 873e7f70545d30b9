"""The frame of the wizard: the current step, moving forward and back, and starting the order."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.message import Message
from textual.widgets import ContentSwitcher, Input

from core.errors import CertdeckError
from core.operations import Issued, Pending
from tui.actions import ACTIONS, Situation, bindings, of_scope
from tui.bridge import EngineEvent, OperationFinished
from tui.deck import StatusRead
from tui.screens.form import FORM_CSS, TAB_KEYS
from tui.screens.issue.check import CheckStep
from tui.screens.issue.draft import HTTP_01, NO_PROOF, Draft, Offer
from tui.screens.issue.issuer import IssuerStep
from tui.screens.issue.names import NamesStep
from tui.screens.issue.proof import ProofStep
from tui.screens.issue.run import RunStep
from tui.screens.issue.service import ServiceStep
from tui.screens.issue.step import Wizard, WizardStep
from tui.widgets.step_strip import StepStrip
from tui.wording import text

_STEPS: Final[tuple[type[WizardStep], ...]] = (NamesStep, ProofStep, IssuerStep, ServiceStep, CheckStep, RunStep)
_SCOPES: Final = {ProofStep: "issue-proof", CheckStep: "issue-check", RunStep: "issue-run"}
_LEADS_TO: Final = {ProofStep: "dns", IssuerStep: "issuers", ServiceStep: "targets"}
"""The page on which something missing in a step can be added."""
_OWN: Final = ("issue", *_SCOPES.values())


class IssueScreen(Wizard):
    """`1 Names ─ 2 Proof ─ 3 Issuer & key ─ 4 Service ─ 5 Check ─ 6 Issue`."""

    SCOPE = "issue"
    BINDINGS: ClassVar = [
        *bindings(of_scope(*_OWN, "page")),
        Binding("ctrl+b", "back", show=False),
        *TAB_KEYS,
        # If no field has the focus, a mistyped key would discard the input.
        Binding("q", "abandon", show=False),
    ]
    HELP_TEXT = "Issues a certificate, in six steps. Going back keeps your input.\n\n" + "\n\n".join(
        step.HELP for step in _STEPS
    )
    AUTO_FOCUS = ""
    CSS_PATH: ClassVar = [FORM_CSS, Path(__file__).parent / "issue.tcss"]

    page_title = "New certificate"

    def __init__(self, draft: Draft | None = None) -> None:
        """`draft`: input to start with."""
        super().__init__()
        self.draft = draft or Draft()
        self.offer: Offer | None = None
        self._current = 0
        self._furthest = 0

    def body(self) -> ComposeResult:
        yield StepStrip([step.TITLE for step in _STEPS])
        steps = [step(self.draft) for step in _STEPS]
        with ContentSwitcher(initial=steps[0].id, id="steps-of-issue"):
            yield from steps

    def on_mount(self) -> None:
        super().on_mount()
        self.ask(self._read_offer, self._offered)
        self._open(0)

    # -- what the box offers -------------------------------------------------------------------------------------------

    def _read_offer(self) -> Offer:
        engine = self.engine
        status = self.deck.status
        return Offer(
            engine.config(),
            engine.issuers(),
            engine.targets(),
            engine.http01_snippets(),
            engine.dns_providers(),
            tuple((each.ca, frozenset(each.domains)) for each in status.lineages) if status else (),
        )

    def _offered(self, answer: Offer | CertdeckError) -> None:
        if isinstance(answer, CertdeckError):
            self.deck.show_error(answer)
            return
        is_same = answer == self.offer
        self.offer = answer
        default = answer.issuer(answer.config.defaults.issuer)
        if default is not None and not self.draft.issuer:
            self.draft.issuer = default.name
            self.draft.proof = HTTP_01 if default.kind == "acme" else NO_PROOF
        if self.draft.issuer and not self.draft.email:
            entry = answer.config.issuers.get(self.draft.issuer)
            self.draft.email = (entry.email if entry else None) or ""
        # Redraw only if something changed: the user may be typing here.
        if self._current and not is_same:
            self.step.enter()

    # -- where one is --------------------------------------------------------------------------------------------------

    @property
    def step(self) -> WizardStep:
        """The current step."""
        return self.query_one(f"#{self.query_one('#steps-of-issue', ContentSwitcher).current}", WizardStep)

    @property
    def is_ordering(self) -> bool:
        """Whether the last step is shown."""
        return self._current == len(_STEPS) - 1

    @property
    def has_failed(self) -> bool:
        """Whether the order shown by the last step has failed."""
        operation = self._run.operation
        return self.is_ordering and operation is not None and operation.outcome in ("failed", "cancelled")

    @property
    def tells_progress(self) -> bool:  # type: ignore[override]  # a class variable elsewhere
        """Whether the tray is shown: only for work that this screen does not show itself."""
        return not (self.is_ordering and self._run.operation is self.bridge.operation)

    @property
    def _run(self) -> RunStep:
        return self.query_one(RunStep)

    @property
    def scopes(self) -> tuple[str, ...]:
        here = _SCOPES.get(_STEPS[self._current], "")
        return (self.SCOPE, here, "page", "app") if here else super().scopes

    def situation(self) -> Situation:
        known = super().situation()
        busy = self.is_ordering and self._run.operation is not None and self._run.operation.runs
        proof = self.draft.proof if _STEPS[self._current] is ProofStep else ""
        kind = "failed" if self.has_failed and not known.busy else proof
        busy = busy if self.is_ordering else known.busy
        return replace(known, busy=busy, step=self._current + 1, row=self.draft.dns if proof else "", row_kind=kind)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Restrict the keys of a step to that step."""
        ours = [each for each in ACTIONS if each.scope in _OWN and each.id.replace("-", "_") == action]
        if ours and not any(each.scope in self.scopes for each in ours):
            return False
        return super().check_action(action, parameters)

    def _open(self, number: int) -> None:
        self.step.leave()
        self._current = number
        self._furthest = max(self._furthest, number)
        switcher = self.query_one("#steps-of-issue", ContentSwitcher)
        step = switcher.query(WizardStep)[number]
        switcher.current = step.id
        step.enter()
        step.scroll_home(animate=False)
        done = (
            len(_STEPS)
            if self.is_ordering and self._run.operation and self._run.operation.outcome == "done"
            else self._furthest
        )
        self.query_one(StepStrip).show(number, done)
        self.show_title()
        first = step.first()
        if first is not None:
            first.focus()
        else:
            self.set_focus(None)
        self.refresh_frame()

    def show_title(self) -> None:
        """Show in the header which certificate is being ordered."""
        detail = (
            text.names_shown(tuple(each.value for each in self.draft.identifiers())) if not self.draft.is_empty else ""
        )
        if detail != self.page_detail:
            self.page_detail = detail if detail != "–" else ""
            self.refresh_frame()

    @property
    def kept(self) -> tuple[str, ...]:
        """Include the page on which something missing in this step can be added."""
        return (*super().kept, _LEADS_TO.get(_STEPS[self._current], ""))

    def on_screen_resume(self) -> None:
        """Read the offers again after another screen, where an issuer or a target may have been added."""
        super().on_screen_resume()
        self._read_again()
        if self.offer is not None and self._current and not self.is_ordering:
            self.step.enter()

    def _read_again(self) -> None:
        """Update the offers: another session may also have added or removed something."""
        if self.offer is not None and not self.is_ordering:
            self.ask(self._read_offer, self._offered)

    # -- going on and back ---------------------------------------------------------------------------------------------

    def action_next(self) -> None:
        """Check this step and move to the next."""
        if not self.is_ordering:
            number = self._current
            self.step.proceed(lambda: self._go_on(number))

    def action_order(self) -> None:
        """Go on from the last step before the order."""
        self.action_next()

    def _go_on(self, number: int) -> None:
        if number != self._current:
            return
        if _STEPS[number] is NamesStep:
            self._preset()
        if _STEPS[number] is CheckStep:
            self._order()
        else:
            self._open(number + 1)

    def _preset(self) -> None:
        """Preset the proof and services of an existing certificate of this name, so that they are not dropped by accident."""
        status, name = self.deck.status, self.draft.lineage
        known = next((each for each in status.lineages if each.name == name), None) if status else None
        if known is not None and not self._furthest and self.offer is not None:
            self.draft.repeat(known.method, self.offer.providers)
        if known is not None and self.draft.targets_of != name:
            self.draft.targets = tuple(target.name for target in known.targets)
            self.draft.targets_of = name

    def action_back(self) -> None:
        """Go one step back; on the first step, and while an order runs or is done, leave the wizard."""
        if self.is_ordering:
            if self.has_failed:
                self._open(self._current - 1)
            else:
                self._leave()
        elif self._current:
            self._open(self._current - 1)
        else:
            self.action_abandon()

    def action_abandon(self) -> None:
        """Leave the wizard; ask first if input would be lost."""
        if self.draft.is_empty or self.is_ordering:
            self._leave()
            return
        from tui.screens.dialogs.confirm import ConfirmDialog

        def decided(agreed: bool | None) -> None:
            if agreed:
                self._leave()

        words = "Your input is discarded. Nothing was ordered."
        self.app.push_screen(ConfirmDialog("Leave the wizard?", words, yes="Leave", no="Stay", danger=True), decided)

    def action_finish(self) -> None:
        self._leave()

    def _leave(self) -> None:
        """Leave; after a completed order the cursor is on its certificate."""
        self.step.leave()
        operation, deck = self._run.operation, self.deck
        self.dismiss()
        if operation is not None and isinstance(operation.result, Issued) and not operation.result.rehearsed_only:
            deck.call_later(deck.go_to, operation.result.status.name)

    @on(StepStrip.Chosen)
    def _on_step_chosen(self, message: StepStrip.Chosen) -> None:
        running = self._run.operation is not None and self._run.operation.outcome in ("running", "done")
        if message.number < self._current and not (self.is_ordering and running):
            self._open(message.number)

    @on(Input.Submitted)
    def _on_submitted(self) -> None:
        self.action_next()

    # -- actions of single steps ---------------------------------------------------------------------------------------

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self.query_one(ProofStep).snippet)
        words = "Sent to your terminal's clipboard (OSC 52). If your terminal does not support it, select them with the mouse."
        self.notify(words, title="Copied", markup=False)

    def action_add_provider(self) -> None:
        """Add a DNS provider, and select it afterwards."""
        from tui.screens.dns.kinds import KindScreen

        def added(name: str | None) -> None:
            if name:
                self.draft.dns = name
            else:
                self.step.enter()

        self.app.push_screen(KindScreen(), added)

    def action_test_provider(self) -> None:
        from tui.screens.dns.connection_test import ConnectionTestScreen

        entry = self.offer.provider(self.draft.dns) if self.offer is not None else None
        if entry is not None:
            self.app.push_screen(ConnectionTestScreen(entry))

    def action_check_again(self) -> None:
        self.query_one(CheckStep).look()

    def action_stop(self) -> None:
        operation = self._run.operation
        if operation is not None:
            operation.cancel.cancel()
            self.notify("It stops at the next safe point.", markup=False)

    def action_try_again(self) -> None:
        self._order()

    # -- the order -------------------------------------------------------------------------------------------------------

    def _order(self) -> None:
        """Place the order; ask first if the existing certificate of that name was uploaded."""
        status, name = self.deck.status, self.draft.lineage
        known = next((each for each in status.lineages if each.name == name), None) if status else None
        if known is None or known.method != "upload":
            self._begin()
            return
        from tui.screens.dialogs.confirm import ConfirmDialog

        def decided(agreed: bool | None) -> None:
            if agreed:
                self._begin()

        words = "Its certificate was uploaded. A new one from a CA replaces it, and renews automatically."
        title = text.printable(f"Replace the upload {name}?")
        self.app.push_screen(ConfirmDialog(title, words, yes="Replace", danger=True), decided)

    def _begin(self) -> None:
        request, name = self.draft.request(), self.draft.lineage
        operation = self.bridge.start(
            f"Issue {name}",
            f"issuing {name}",
            lambda report, cancel: self.engine.issue(request, report=report, cancel=cancel),
            lineage=name,
        )
        if operation is None:
            self.deck.say_busy()
            return
        self._run.start(operation)
        self._open(len(_STEPS) - 1)

    def _set_records(self, name: str) -> None:
        """Replace the wizard with the screen of the records to set; Esc there leads to the certificates."""
        from tui.screens.records import RecordsScreen

        deck = self.deck
        self.dismiss()
        deck.call_later(deck.push_screen, RecordsScreen(name))

    def heard(self, message: Message) -> None:
        if isinstance(message, StatusRead) and message.error is None:
            self._read_again()
        if not isinstance(message, EngineEvent | OperationFinished) or message.operation is not self._run.operation:
            return
        self._run.show()
        if isinstance(message, OperationFinished):
            if self.is_current:
                message.operation.seen = True
                if isinstance(message.result, Pending) and message.result.records:
                    self._set_records(message.result.name)
                    return
            if message.operation.outcome == "done":
                self.query_one(StepStrip).show(self._current, len(_STEPS))
