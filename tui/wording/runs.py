"""Groups the log by run: what one operation did, how it ended, and when each of its steps happened. Pure and without Textual."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from core.operations import LogEntry
from tui.glyphs import printable
from tui.wording import text

_CALLED: Final[Mapping[str, str]] = {
    "import": "Upload",
    "rollback": "Roll back",
    "complete": "Complete order",
    "give up": "Give up order",
}
"""Operations whose name in the console differs from the command."""
_SPELLED: Final[Mapping[str, str]] = {"dns": "DNS", "eab": "EAB", "ca": "CA", "csr": "CSR", "ari": "ARI"}
"""Words that are not written in lower case."""
_OPEN: Final = "not finished"
_ENDS: Final = {"done": "done", "pending": "waits for a person", "cancelled": "cancelled", "failed": "failed"}
_DOUBTFUL: Final = frozenset({"target-rolled-back", "issuer-fell-back", "warned", "failed", "challenge-failed"})
"""Kinds of entries that need attention even if the run succeeded."""
_FRAME: Final = frozenset({"run-started", "run-finished"})
ENTRY_MARKS: Final[Mapping[str, str]] = {
    "failed": "fail",
    "challenge-failed": "fail",
    "target-rolled-back": "warn",
    "warned": "warn",
    "retry-scheduled": "warn",
    "issuer-fell-back": "warn",
    "certificate-issued": "pass",
    "rehearsal-passed": "pass",
    "version-switched": "pass",
}
"""Mark of an entry by its kind, as a key of `MARKS`. Others are marked as plain steps."""


class Run(Struct, frozen=True, kw_only=True):
    """The entries of one operation, oldest first. Never empty."""

    id: str
    entries: tuple[LogEntry, ...]

    @property
    def started(self) -> datetime:
        return self.entries[0].at

    @property
    def took(self) -> timedelta:
        return self.entries[-1].at - self.started

    @property
    def who(self) -> str:
        return self.entries[0].who

    @property
    def steps(self) -> tuple[LogEntry, ...]:
        """The entries between its start and its end."""
        return tuple(entry for entry in self.entries if entry.kind not in _FRAME)

    @property
    def lineages(self) -> tuple[str, ...]:
        """The certificates in its entries, in order of appearance."""
        return tuple(dict.fromkeys(entry.lineage for entry in self.entries if entry.lineage))

    @property
    def outcome(self) -> str:
        """`done`, `pending`, `failed`, `cancelled`. Empty: its end is not known."""
        return next((str(entry.facts.get("outcome", "")) for entry in self.of("run-finished")), "")

    @property
    def called(self) -> str:
        """Name of its operation: `Renew`, `Issuer add`."""
        for entry in self.of("run-started", "run-finished"):
            operation = str(entry.facts.get("operation", ""))
            return _CALLED.get(operation) or _spelled(printable(operation.replace("-", " ")))
        return text.describe_entry(self.entries[0].kind, self.entries[0].facts).partition(":")[0]

    @property
    def is_note(self) -> bool:
        """It is a note that no operation frames, such as that a message could not be sent: it has no end to wait for."""
        return not any(self.of(*_FRAME))

    @property
    def mark(self) -> str:
        """Its state, as a key of `MARKS`. `open`: it waits for the user, or its end is not known."""
        if self.is_note:
            return ENTRY_MARKS.get(self.entries[-1].kind, "pass")
        if self.outcome in ("failed", "cancelled", "pending", ""):
            return {"failed": "fail", "cancelled": "skip"}.get(self.outcome, "open")
        return "warn" if any(entry.kind in _DOUBTFUL for entry in self.entries) else "pass"

    def of(self, *kinds: str) -> Iterator[LogEntry]:
        """Yield its entries of these kinds."""
        return (entry for entry in self.entries if entry.kind in kinds)

    def ended(self) -> str:
        """Return its outcome in a word or two."""
        if self.is_note:
            return "noted"
        return _ENDS.get(self.outcome, printable(self.outcome) or _OPEN)

    def result(self) -> str:
        """Return its result in a few words."""
        if self.is_note:
            return printable(
                text.describe_entry(self.entries[-1].kind, self.entries[-1].facts).removeprefix(f"{self.called}: ")
            )
        if self.outcome == "failed":
            found = next((str(entry.facts.get("what", "")) for entry in self.of("failed")), "")
            found = found or next((str(entry.facts.get("why", "")) for entry in self.of("run-finished")), "")
            return printable(found) or self.ended()
        if self.outcome != "done":
            return self.ended()
        issued = [*self.of("certificate-issued")]
        if len(issued) > 1:
            return f"{len(issued)} certificates"
        if issued:
            return f"valid to {_day(issued[0].facts.get('not_after'))}"
        for entry in reversed(self.entries):
            if entry.kind == "version-switched":
                return f"version {printable(str(entry.facts.get('version', '')))} is live"
            if entry.kind == "changed":
                return printable(str(entry.facts.get("what", "")))
        return self.ended()

    def has(self, words: Sequence[str]) -> bool:
        """Tell whether its text contains each of these words (lower case)."""
        hay = " ".join(
            f"{each.lineage or ''} {each.who} {each.run} {text.describe_entry(each.kind, each.facts)}"
            for each in self.entries
        )
        hay = f"{hay} {self.called} {self.result()}".casefold()
        return all(word in hay for word in words)


def runs_of(entries: Sequence[LogEntry], *, whole: bool = True) -> tuple[Run, ...]:
    """Group entries (newest first) by their run. The run that started last comes first.

    `whole`: there are no older entries. Otherwise, the oldest run is left out if it is incomplete, unless it is the only one.
    """
    found: dict[str, list[LogEntry]] = {}
    for entry in reversed(entries):
        found.setdefault(entry.run, []).append(entry)
    runs = [Run(id=id, entries=tuple(each)) for id, each in found.items()]
    if not whole and len(runs) > 1 and not any(runs[0].of("run-started")):
        del runs[0]
    return tuple(reversed(runs))


def _day(value: object) -> str:
    try:
        return text.day(value if isinstance(value, datetime) else datetime.fromisoformat(str(value)))
    except ValueError:
        return printable(str(value))


def _spelled(operation: str) -> str:
    """Return an operation as a title: `Issuer add`, `DNS test`."""
    first, *others = operation.split() or [""]
    return " ".join((_SPELLED.get(first, first.capitalize()), *(_SPELLED.get(word, word) for word in others)))
