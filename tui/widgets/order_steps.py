"""The steps of an operation, made from what it has told so far. Pure: the same reports give the same steps, so that a screen
that comes late, or comes back, shows the same as one that was there from the beginning.

Work on one certificate becomes its steps: account, order, each name, certificate, each service. Work on several becomes one
step for each certificate. A second order after a rehearsal or a refusal folds the first one into a single line.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct, field

from core import events as told
from core.events import Event, Report
from tui.glyphs import printable
from tui.widgets.record_steps import RecordSteps
from tui.widgets.step import DONE, FAILED, RUNNING, WAITING, WARNED, Step
from tui.wording import text
from tui.wording.narration import step_shown


class Steps(Struct):
    """All of it."""

    steps: list[Step] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    """Warnings: (what, what to do)."""
    error: tuple[str, str, str] | None = None
    """(what, why, what to do), if it failed."""
    done: int = 0
    of: int = 0


def steps_of(reports: Sequence[Report], outcome: str = "running", expects: Sequence[str] = ()) -> Steps:
    """Return the steps. `outcome`: `running`, `done`, `failed`, `cancelled`, as the operation has it.

    `expects`: the targets that will be deployed to, so that they stand there before their turn.
    """
    lineages = {report.lineage for report in reports if report.lineage is not None}
    made = _several(reports, outcome) if len(lineages) > 1 else _one(reports, outcome, expects)
    for report in reports:
        if isinstance(report.event, told.Warned):
            note = (printable(report.event.what), printable(report.event.fix))
            if note not in made.notes:
                made.notes.append(note)
    counts = [report.event for report in reports if isinstance(report.event, told.Progressed)]
    if counts and len(lineages) > 1:
        made.done, made.of = counts[-1].done, counts[-1].of
    else:
        made.done, made.of = sum(step.state in (DONE, WARNED) for step in made.steps), len(made.steps)
    return made


# -- one certificate ---------------------------------------------------------------------------------------------------


class _Story:
    """The steps of work on one certificate, while its reports are read."""

    def __init__(self, expects: Sequence[str]) -> None:
        self.expects = expects
        self.past: list[Step] = []
        """Earlier orders of the same run, folded."""
        self.issuer = ""
        self.clear()

    def clear(self) -> None:
        self.is_rehearsed = False
        """The order so far was a successful rehearsal."""
        self.account: Step | None = None
        self.order: Step | None = None
        self.names: dict[str, Step] = {}
        self.to_set: dict[tuple[str, str], Step] = {}
        """Manual DNS records by name and value: one name may have two values."""
        self.records = RecordSteps()
        self.certificate: Step | None = None
        self.live: Step | None = None
        self.targets = {name: Step(printable(name), "test, switch, reload, check") for name in self.expects}
        self.visitors: dict[str, set[str]] = {}

    def steps(self) -> list[Step]:
        records = self.records
        fixed = [
            self.account,
            self.order,
            *self.to_set.values(),
            records.written,
            records.seen,
            *self.names.values(),
            records.removed,
            self.certificate,
            self.live,
            *self.targets.values(),
        ]
        return [*self.past, *(step for step in fixed if step is not None)]

    def fold(self, at: datetime, label: str, detail: str, state: str) -> None:
        """Fold all steps so far into one line."""
        steps = self.steps()[len(self.past) :]
        began = min((step.began for step in steps if step.began is not None), default=at)
        self.past.append(Step(label, detail, state, began, at))
        self.clear()

    def target(self, name: str) -> Step:
        return self.targets.setdefault(name, Step(printable(name)))

    def running(self) -> Step | None:
        return next((step for step in reversed(self.steps()) if step.state == RUNNING), None)


def _one(reports: Sequence[Report], outcome: str, expects: Sequence[str]) -> Steps:
    story, made = _Story(expects), Steps()
    before: datetime | None = None
    for report in reports:
        _read(story, made, report.event, report.at, before or report.at)
        before = report.at
    steps = story.steps()
    if any(isinstance(report.event, told.RunFinished) and report.event.outcome == "pending" for report in reports[-1:]):
        for step in steps:
            if step.state == RUNNING:
                step.state = WAITING  # for the user
    elif outcome == "done":
        for step in steps:
            if step.state in (WAITING, RUNNING):
                step.end(before or step.began or reports[-1].at)
    elif outcome != "running":
        for step in steps:
            if step.state == RUNNING:
                step.end(before or reports[-1].at, "" if outcome == "failed" else "stopped", FAILED)
    made.steps = steps
    return made


def _read(story: _Story, made: Steps, event: Event, at: datetime, before: datetime) -> None:
    match event:
        case told.AccountReady():
            _fold_rehearsal(story, before)
            story.account = Step("Account", began=before)
            story.account.end(at, f"{printable(event.issuer)}, {'created' if event.created else 'ready'}")
        case told.OrderCreated():
            _order(story, event, at, before)
        case told.RecordAdded() | told.RecordRemoved() | told.PropagationChecked():
            story.records.read(event, at, before)
        case told.AuthorizationReused() | told.ChallengePresented() | told.ValidatorSeen():
            _proof(story, event, at, before)
        case told.ChallengeValidated() | told.ChallengeFailed():
            _proof(story, event, at, before)
        case told.Waiting():
            step = story.running()
            if step is not None:
                until = f", asks again at {text.clock(event.until)}" if event.until else ""
                step.detail = f"{printable(event.why)}{until}"
        case told.RecordsRequired():
            for name, kind, value in event.records:
                step = story.to_set.setdefault((name, value), Step(printable(name)))
                step.start(at, f"needs {printable(kind)} {printable(value)}")
        case told.CertificateIssued():
            story.issuer = event.issuer
            step = story.certificate or Step("Certificate", began=before)
            step.end(at, f"from {printable(event.issuer)}, valid to {text.day(event.not_after)}")
            story.certificate = step
        case told.RehearsalPassed():
            story.is_rehearsed = True
            step = story.certificate or Step("Certificate", began=before)
            step.end(at, f"from {printable(event.issuer)}, not kept")
            story.certificate = step
        case told.IssuerFellBack():
            story.fold(at, printable(event.from_issuer), printable(event.why), FAILED)
        case told.VersionSwitched():
            story.live = story.live or Step("Live", began=before)
            story.live.end(at, f"version {event.version}")
        case (
            told.SessionsEnd()
            | told.TargetStaged()
            | told.TargetSwitched()
            | told.TargetTested()
            | told.TargetReloaded()
        ):
            story.target(event.target).start(at, _STAGES[type(event)])
        case told.TargetProbed():
            if story.target(event.target).state != FAILED:
                words = "serves this certificate" if event.matches else "still serves another certificate"
                story.target(event.target).end(at, words, DONE if event.matches else FAILED)
        case told.TargetRolledBack():
            if story.live is not None:
                story.live.end(at, "restored", FAILED)
            story.target(event.target).end(at, "restored", FAILED)
        case told.ProviderTested():
            state = _RESULTS.get(event.status, WAITING)
            began = at - timedelta(milliseconds=event.milliseconds)
            story.past.append(Step(step_shown(event.step), printable(event.detail), state, began, at))
        case told.Recovered():
            story.past.append(Step("Fixed", printable(event.what), DONE, before, at))
        case told.Failed():
            made.error = (printable(event.what), printable(event.why), printable(event.fix))


_STAGES: Final = {
    told.TargetStaged: "files ready",
    told.SessionsEnd: "it is restarted: its connections are closed",
    told.TargetSwitched: "files switched",
    told.TargetTested: "configuration test passed",
    told.TargetReloaded: "reloaded",
}


_RESULTS: Final = {"pass": DONE, "warn": WARNED, "fail": FAILED}


def _fold_rehearsal(story: _Story, before: datetime) -> None:
    """Fold a rehearsal into one line once the real order begins."""
    if story.is_rehearsed:
        story.fold(before, "Rehearsal", f"passed at {printable(story.issuer)}", DONE)


def _order(story: _Story, event: told.OrderCreated, at: datetime, before: datetime) -> None:
    _fold_rehearsal(story, before)
    if story.order is not None:
        account = story.account
        story.fold(before, "First order", "given up, ordered again", WARNED)
        story.account = account
    story.issuer = event.issuer
    count = len(event.identifiers)
    words = f"{text.plural(count, 'name')} at {printable(event.issuer)}"
    words += f", profile {printable(event.profile)}" if event.profile else ""
    story.order = Step("Order", began=before)
    story.order.end(at, f"{words}, continued" if event.resumed else words)
    for name in event.identifiers:
        story.names.setdefault(name, Step(text.name_shown(name)))
    story.certificate = Step("Certificate")


def _proof(story: _Story, event: Event, at: datetime, before: datetime) -> None:
    name = getattr(event, "identifier", "")
    step = story.names.get(name) or story.names.get(name.removeprefix("*.")) or story.names.get(f"*.{name}")
    if step is None:
        step = story.names.setdefault(name, Step(text.name_shown(name)))
    match event:
        case told.AuthorizationReused():
            step.end(at, "validated before, still valid")
        case told.ChallengePresented():
            story.records.answered(at)
            of_dns = event.type.startswith("dns")
            step.start(at, "the CA checks its record" if of_dns else "response is ready, waiting for the CA")
        case told.ValidatorSeen():
            seen = story.visitors.setdefault(name, set())
            seen.add(event.address)
            step.start(at, f"requested from {text.plural(len(seen), 'place')}")
        case told.ChallengeValidated():
            seen = story.visitors.get(name, set())
            step.end(at, f"validated, seen from {text.plural(len(seen), 'place')}" if seen else "validated")
        case told.ChallengeFailed():
            step.end(at, printable(event.problem), FAILED)
    names = story.names.values()
    if story.certificate is not None and names and all(each.state == DONE for each in names):
        story.certificate.start(at, "asked for")


# -- several certificates ----------------------------------------------------------------------------------------------


def _several(reports: Sequence[Report], outcome: str) -> Steps:
    """Return one step for each certificate, with its latest news."""
    made, found = Steps(), dict[str, Step]()
    for report in reports:
        if report.lineage is None:
            if isinstance(report.event, told.Failed):
                made.error = tuple(map(printable, (report.event.what, report.event.why, report.event.fix)))  # type: ignore[assignment]  # three texts in, three out
            continue
        step = found.setdefault(report.lineage, Step(printable(report.lineage)))
        match report.event:
            case told.Failed():
                step.end(report.at, printable(report.event.what), FAILED)
            case told.RunFinished():
                step.end(report.at, step.detail, FAILED if report.event.outcome == "failed" else DONE)
            case told.KeyUsed() | told.RunStarted() | told.Progressed() | told.Warned():
                step.start(report.at)
            case _:
                step.start(report.at, text.describe(report.event))
    for step in found.values():
        if outcome != "running" and step.state in (WAITING, RUNNING):
            stopped = outcome in ("cancelled", "failed")
            step.end(reports[-1].at, "stopped" if stopped else "renewed", FAILED if stopped else DONE)
    made.steps = list(found.values())
    return made
