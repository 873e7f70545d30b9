"""The connection test of a DNS provider (ST-24): its steps with their durations, which servers have the record, what to fix."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar, Final

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import Input

from core.errors import Cancelled, CertdeckError, UsageError
from core.events import PropagationChecked, ProviderTested, Report
from core.identifiers import parse_identifier
from core.operations import DnsProviderInfo, DnsTest, Record, RecordView
from tui.action import RUNNING
from tui.actions import Situation, bindings, of_scope
from tui.bridge import EngineEvent, Operation, OperationFinished
from tui.screens.asking import AskingPage
from tui.screens.form import FORM_CSS
from tui.screens.records.servers import server_lines
from tui.widgets.field import Field, wrong
from tui.widgets.ink import Ink
from tui.widgets.lines import BLANK, Line, fit, wrap
from tui.widgets.prose import marked, to_do
from tui.widgets.sheet import Sheet
from tui.wording import text
from tui.wording.narration import PROVIDER_STEPS, step_shown

_TICK_SECONDS: Final = 0.25
_TIME: Final = 8
_LABEL: Final = 16


class ConnectionTestScreen(AskingPage[None]):
    """Starts the test at once if a domain to test with is known."""

    SCOPE = "dns-test"
    BINDINGS: ClassVar = bindings(of_scope("dns-test", "page"))
    HELP_TEXT = (
        "Runs every step of an order: it tests the credentials, finds the zone, writes a TXT record with a random "
        "value below _acme-challenge, checks it on every name server of the zone, and removes it. Nothing else in "
        "the zone is changed, and no CA is contacted.\n\n"
        "If a step fails, the page shows what to fix: the missing permission, the zone that is not in the account, "
        "or the address to allow. With some providers it takes a minute or two until the record is visible.\n\n"
        "You can stop the test; the record is then removed too."
    )
    CSS_PATH: ClassVar = [FORM_CSS, Path(__file__).parent / "dns.tcss"]
    AUTO_FOCUS = ""

    def __init__(self, entry: DnsProviderInfo) -> None:
        super().__init__()
        self._entry = entry
        self._operation: Operation | None = None
        self.page_title = text.printable(f"Test {entry.name}")
        self.page_detail = text.printable(entry.title)

    def body(self) -> ComposeResult:
        yield Field(
            "Domain",
            value=self._entry.zones[0] if self._entry.zones else "",
            hint="e.g. www.example.com",
            check=_wrong_domain,
            id="domain",
        )
        yield Sheet(id="steps")

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(_TICK_SECONDS, self._tick)
        running = self.bridge.operation
        if running is not None and running.runs and running.title == self._title:
            self._operation = running
            self._show()
            self.query_one(Sheet).focus()
        elif self._entry.zones:
            self.action_run()
        else:
            self._show()
            self.query_one(Input).focus()

    @property
    def _title(self) -> str:
        return f"Test {self._entry.name}"

    @property
    def tells_progress(self) -> bool:  # type: ignore[override]  # a class variable elsewhere
        """Whether the tray is shown: only for work that this screen does not show itself."""
        return self._operation is None or self._operation is not self.bridge.operation

    def situation(self) -> Situation:
        known = super().situation()
        is_ours = self._operation is not None and self._operation.runs
        return replace(known, row_kind="running" if is_ours else "")

    # -- the test ------------------------------------------------------------------------------------------------------

    @on(Input.Submitted)
    def action_run(self) -> None:
        """Test with the domain in the field."""
        field = self.query_one("#domain", Field)
        if not field.examine():
            field.query_one(Input).focus()
            return
        name, domain = self._entry.name, field.value
        operation = self.bridge.start(
            self._title,
            f"testing {name}",
            lambda report, cancel: self.engine.test_dns_provider(name, domain=domain, report=report, cancel=cancel),
        )
        if operation is None:
            self._show(is_refused=True)
            return
        self._operation = operation
        self.query_one(Sheet).focus()
        self._show()
        self.refresh_frame()

    def action_stop(self) -> None:
        if self._operation is not None and self._operation.runs:
            self._operation.cancel.cancel()
            self._show()

    def heard(self, message: Message) -> None:
        if isinstance(message, EngineEvent | OperationFinished) and message.operation is self._operation:
            if isinstance(message, OperationFinished) and self.is_current:
                message.operation.seen = True
            self._show()

    def _tick(self) -> None:
        if self._operation is not None and self._operation.runs:
            self._show()

    # -- what is shown -------------------------------------------------------------------------------------------------

    def _show(self, *, is_refused: bool = False) -> None:
        """Draw the page. `is_refused`: another operation was running."""
        sheet, operation = self.query_one(Sheet), self._operation
        if is_refused:
            sheet.border_title = "Not now"
            words = f"{RUNNING} Press Enter to test once it has ended; ^p shows its progress."
            sheet.write(lambda width, ink: marked("○", "text-muted", words, width, ink))
            return
        if operation is None:
            sheet.border_title = "Not tested yet"
            said = "This entry has no zone. Enter a domain for the test; a name below a domain works too."
            sheet.write(lambda width, ink: marked("○", "text-muted", said, width, ink))
            return
        sheet.border_title = {
            "running": "Testing",
            "done": "It works"
            if isinstance(operation.result, DnsTest) and operation.result.is_good
            else "It does not work",
            "failed": "It could not be tested",
            "cancelled": "Stopped",
        }[operation.outcome]
        if operation.runs and operation.cancel.is_cancelled:
            sheet.border_title = "Stopping at the next safe point …"
        now = self.deck.now()
        sheet.write(lambda width, ink: connection_lines(operation, now, width, ink), top=False)
        sheet.set_class(
            operation.outcome == "failed" or (isinstance(operation.result, DnsTest) and not operation.result.is_good),
            "-failed",
        )


def connection_lines(operation: Operation, now: datetime, width: int, ink: Ink) -> list[Line]:
    """Return the steps so far, the result, and the name servers."""
    result, error = operation.result, operation.error
    lines: list[Line] = []
    if isinstance(result, DnsTest):
        for step in result.steps:
            lines += _step(step.id, step.status, step.detail, step.milliseconds, width, ink, fix=step.fix)
    else:
        lines += _told(operation, now, width, ink)
    if isinstance(error, Cancelled):
        lines += [
            [],
            *marked("▲", "severity-yellow", "Stopped. The test record was removed.", width, ink, bold=True),
        ]
    elif error is not None:
        lines += [[], *wrong(error, width, ink)]
    elif isinstance(result, DnsTest):
        lines.append([])
        if result.is_good:
            said = f"Certificates for names in {text.name_shown(result.zone or result.domain)} can be issued with it."
            lines += marked("✔", "severity-green", said, width, ink, bold=True)
        else:
            lines += marked("✖", "severity-red", "No certificate can be issued with it yet.", width, ink, bold=True)
    if isinstance(result, DnsTest) and result.servers:
        lines += [[], [("Name servers", ink("frame-title", bold=True))], *_servers(result, width, ink)]
    return lines


def _told(operation: Operation, now: datetime, width: int, ink: Ink) -> list[Line]:
    """Return the steps from the reports so far: finished, running, and still to come."""
    lines: list[Line] = []
    ended = [report for report in operation.reports if isinstance(report.event, ProviderTested)]
    for report in ended:
        event = report.event
        assert isinstance(event, ProviderTested)
        lines += _step(event.step, event.status, event.detail, event.milliseconds, width, ink)
    done = {report.event.step for report in ended if isinstance(report.event, ProviderTested)}
    coming = [id for id in PROVIDER_STEPS if id not in done]
    if not operation.runs:
        return lines
    for number, id in enumerate(coming):
        if number:
            lines.append([("○ ", ink("faint-text")), (PROVIDER_STEPS[id], ink("text-muted"))])
            continue
        began = ended[-1].at if ended else operation.started
        took = max((now - began) / timedelta(milliseconds=1), 0)
        lines += _step(id, "running", _seen_so_far(operation.reports) if id == "seen" else "", round(took), width, ink)
    return lines


def _seen_so_far(reports: Sequence[Report]) -> str:
    """Return how many name servers had the record at the last check, and which did not."""
    checked = [report.event for report in reports if isinstance(report.event, PropagationChecked)]
    if not checked:
        return "asking …"
    last = checked[-1]
    if not last.of:
        return "no name server responds yet"
    missing = f"; not yet: {', '.join(last.missing)}" if last.missing else ""
    return f"{last.seen} of {last.of} have it{missing}"


def _step(id: str, status: str, detail: str, milliseconds: int, width: int, ink: Ink, *, fix: str = "") -> list[Line]:
    mark = text.MARKS.get(status)
    sign, colour = (mark.glyph, mark.colour) if mark is not None else ("◐", "bar-used")
    time = text.elapsed(milliseconds / 1000) if milliseconds and status != "skip" else ""
    room = max(width - 2 - _LABEL - _TIME, 20)
    role = {"fail": "foreground", "skip": "text-muted"}.get(status, "text-muted")
    lines: list[Line] = []
    for number, words in enumerate(wrap(text.printable(detail), room)):
        lines.append(
            [
                (f"{sign} " if not number else "  ", ink(colour, bold=True)),
                (fit(step_shown(id) if not number else "", _LABEL), ink("foreground", bold=status == "running")),
                (fit(words, room), ink(role)),
                (fit(time if not number else "", _TIME, right=True), ink("text-muted")),
            ]
        )
    if fix:
        lines += [[(" " * (2 + _LABEL), BLANK), *line] for line in to_do(fix, room, ink)]
    return lines


def _servers(test: DnsTest, width: int, ink: Ink) -> list[Line]:
    record = test.record or Record(name=test.domain, type="TXT", value="")
    return server_lines(
        RecordView(record=record, written_at=record.name, zone=test.zone, servers=test.servers), width, ink
    )


def _wrong_domain(value: str) -> CertdeckError | None:
    try:
        found = parse_identifier(value)
    except CertdeckError as exc:
        return exc
    if found.type == "ip":
        return UsageError("An address has no DNS records.", "DNS records belong to names.", "Type a domain.")
    return None
