"""How the last connection test of each DNS provider went, as the history knows it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct, field

from core.operations import LogEntry

_LAST_STEP = "remove"


class LastTest(Struct, frozen=True):
    """One test."""

    at: datetime
    failed: tuple[str, ...]
    """Ids of the steps that failed."""

    @property
    def is_good(self) -> bool:
        return not self.failed


class _Run(Struct):
    """What one run told of one provider."""

    at: datetime
    statuses: dict[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> tuple[str, ...]:
        return tuple(step for step, status in self.statuses.items() if status == "fail")

    @property
    def has_ended(self) -> bool:
        """It failed, or came to its end; a test that was stopped, or runs now, tells nothing."""
        return bool(self.failed) or _LAST_STEP in self.statuses


def last_tests(entries: Iterable[LogEntry]) -> Mapping[str, LastTest]:
    """Return the newest test of each provider that has come to an end. `entries`: the newest first."""
    runs: dict[tuple[str, str], _Run] = {}
    for entry in entries:
        provider = entry.facts.get("provider")
        if entry.kind == "provider-tested" and isinstance(provider, str):
            run = runs.setdefault((provider, entry.run), _Run(entry.at))
            run.statuses[str(entry.facts.get("step", ""))] = str(entry.facts.get("status", ""))
    found: dict[str, LastTest] = {}
    for (provider, _), run in runs.items():
        if run.has_ended:
            found.setdefault(provider, LastTest(run.at, run.failed))
    return found
