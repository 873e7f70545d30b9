"""What was done, when, and by whom: the history, newest first."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final

from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding
from textual.message import Message
from textual.widgets import Input

from core.errors import CertdeckError
from core.operations import LogEntry
from tui.actions import bindings, of_scope
from tui.bridge import OperationFinished
from tui.deck import StatusRead
from tui.glyphs import printable
from tui.screens.page import Page
from tui.widgets.ink import Ink
from tui.widgets.lines import BLANK, Line, Part, fit, length, width_of, wrap
from tui.widgets.notice import failed
from tui.widgets.sheet import Sheet
from tui.wording import text

_PAGE: Final = 200
_WIDE: Final = 96
"""From this width on who did it stands at the end of each line."""

_SIGNS: Final = {
    "failed": ("✖", "severity-red"),
    "challenge-failed": ("✖", "severity-red"),
    "target-rolled-back": ("▲", "severity-yellow"),
    "warned": ("▲", "severity-yellow"),
    "retry-scheduled": ("▲", "severity-yellow"),
    "issuer-fell-back": ("▲", "severity-yellow"),
    "certificate-issued": ("✔", "severity-green"),
    "rehearsal-passed": ("✔", "severity-green"),
    "version-switched": ("✔", "severity-green"),
}


class LogScreen(Page[None]):
    """Reads the history a page at a time."""

    SCOPE = "log"
    BINDINGS: ClassVar = [
        *bindings(of_scope("log", "page")),
        # With priority: else what is typed right behind it would be taken for keys of this screen.
        Binding("slash", "filter", show=False, priority=True),
    ]
    AUTO_FOCUS = "Sheet"
    page_title = "Log"
    HELP_TEXT = (
        "Everything that was done on this box, newest first: by the scheduled run, by commands, and in the console. "
        "Each line is the message that was shown at that time. The entries are chained by hashes; v checks whether "
        "one was altered."
    )

    def __init__(self, lineage: str | None = None) -> None:
        super().__init__()
        self._entries: list[LogEntry] = []
        self._filter = lineage or ""
        self._is_reading = False
        self._has_all = False
        self._error: CertdeckError | None = None

    def body(self) -> ComposeResult:
        yield Sheet(id="entries")

    def on_mount(self) -> None:
        super().on_mount()
        self.watch(self.query_one(Sheet), "scroll_y", self._scrolled, init=False)
        self._show()
        self._read()

    def heard(self, message: Message) -> None:
        if isinstance(message, OperationFinished | StatusRead):
            self._read()

    # -- reading -----------------------------------------------------------------------------------------------------

    def _read(self, before: int | None = None) -> None:
        if self._is_reading:
            return
        self._is_reading = True

        def took(answer: tuple[LogEntry, ...] | CertdeckError) -> None:
            self._is_reading = False
            self._took(answer, before)

        self.bridge.ask(lambda: self.engine.log(limit=_PAGE, before=before), took)

    def _took(self, answer: tuple[LogEntry, ...] | CertdeckError, before: int | None) -> None:
        if not self.is_attached:
            return
        if isinstance(answer, CertdeckError):
            self._error = answer
        elif before is None:
            newest = self._entries[0].number if self._entries else -1
            fresh = [entry for entry in answer if entry.number > newest]
            # More than a page is new: what lies between would be missing, so the list begins anew.
            self._entries = [*answer] if len(fresh) == len(answer) else [*fresh, *self._entries]
            self._has_all = self._has_all or len(answer) < _PAGE
        else:
            self._entries += answer
            self._has_all = len(answer) < _PAGE
        self._show()

    def action_older(self) -> None:
        if self._entries and not self._has_all:
            self._read(before=self._entries[-1].number)

    def _scrolled(self, y: float) -> None:
        sheet = self.query_one(Sheet)
        if y >= sheet.max_scroll_y - 2:
            self.action_older()

    def action_verify(self) -> None:
        def said(answer: tuple[int, str | None] | CertdeckError) -> None:
            if isinstance(answer, CertdeckError):
                self.deck.show_error(answer)
                return
            count, altered = answer
            if altered is None:
                self.notify(f"{text.plural(count, 'entry')} checked: nothing was altered.", title="Log", markup=False)
            else:
                self.notify(printable(altered), title="The log was altered", severity="error", markup=False, timeout=20)

        self.bridge.ask(self.engine.verify_log, said)

    # -- showing -----------------------------------------------------------------------------------------------------

    def _shown(self) -> list[LogEntry]:
        words = self._filter.casefold().split()
        if not words:
            return self._entries
        return [entry for entry in self._entries if all(word in _haystack(entry) for word in words)]

    def _show(self) -> None:
        sheet, entries, error = self.query_one(Sheet), self._shown(), self._error
        count = f"{len(self._entries):,}{'' if self._has_all else ' newest'}"
        sheet.border_title = f"Log  {f'{len(entries):,} of ' if self._filter else ''}{count}"
        if error is not None:
            sheet.write(failed(error))
            return
        now = self.deck.now()

        def write(width: int, ink: Ink) -> list[Line]:
            if not entries:
                words = "Nothing matches." if self._filter else "Nothing has happened yet."
                return [[(words, ink("text-muted"))]]
            return _written(entries, now, width, ink)

        sheet.write(write, top=False)

    # -- filter ------------------------------------------------------------------------------------------------------

    async def action_filter(self) -> None:
        from tui.widgets.filter_field import FilterField

        if isinstance(self.focused, Input):
            raise SkipAction  # a slash in what is typed
        if not self.query(FilterField):
            field = FilterField("a certificate's name, or any word", id="filter")
            await self.mount(field, before=self.query_one(Sheet))
        self.set_focus(self.query_one("#filter Input"))

    def on_filter_field_typed(self, message: Message) -> None:
        self._filter = str(getattr(message, "text", "")).strip()
        self._show()

    def on_filter_field_left(self, message: Message) -> None:
        if not self._filter:
            self.query("#filter").remove()
        self.query_one(Sheet).focus()

    def action_back(self) -> None:
        if self.query("#filter"):
            self._filter = ""
            self.query("#filter").remove()
            self.query_one(Sheet).focus()
            self._show()
        else:
            super().action_back()


def _haystack(entry: LogEntry) -> str:
    return f"{entry.lineage or ''} {entry.who} {entry.run} {text.describe_entry(entry.kind, entry.facts)}".casefold()


def _written(entries: list[LogEntry], now: datetime, width: int, ink: Ink) -> list[Line]:
    """Return a line or more for each entry, below a heading for each day."""
    lines: list[Line] = []
    names = min(max((len(entry.lineage or "") for entry in entries[:400]), default=0), 24)
    people = 0
    if width >= _WIDE:
        people = min(max((width_of(printable(entry.who)) for entry in entries[:400]), default=0), 20)
    room = width - (people + 2 if people else 0)
    day = ""
    for entry in entries:
        its_day = text.day(entry.at)
        if its_day != day:
            day = its_day
            today = " · today" if its_day == text.day(now) else ""
            lines += [[]] if lines else []
            lines.append([(its_day, ink("frame-title", bold=True)), (today, ink("text-muted"))])
        sign, role = _SIGNS.get(entry.kind, ("·", "faint"))
        head: list[Part] = [
            (f"{entry.at.astimezone():%H:%M:%S}  ", ink("text-muted")),
            (f"{sign} ", ink(role)),
            (fit(printable(entry.lineage or ""), names), ink("foreground", bold=True)),
            ("  " if names else "", BLANK),
        ]
        indent = 12 + names + (2 if names else 0)
        words = text.describe_entry(entry.kind, entry.facts)
        if entry.kind == "run-started" and entry.who and not people:
            words += f", by {printable(entry.who)}"
        for number, line in enumerate(wrap(words, room - indent)):
            parts = [*(head if number == 0 else [(" " * indent, BLANK)]), (line, ink("foreground"))]
            if people and number == 0:
                gap = " " * (room - length(parts) + 2)
                parts += [(gap, BLANK), (fit(printable(entry.who), people), ink("text-muted"))]
            lines.append(parts)
    return lines
