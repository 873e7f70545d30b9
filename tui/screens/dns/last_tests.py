"""The result of the last connection test of each DNS provider, taken from the history. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct, field

from core.operations import LogEntry

_LAST_STEP = "remove"


class LastTest(Struct, frozen=True):
    """The result of one connection test."""

    at: datetime
    failed: tuple[str, ...]
    """Ids of the steps that failed."""

    @property
    def is_good(self) -> bool:
        return not self.failed


class _Run(Struct):
    """What one run of the history recorded about one provider."""

    at: datetime
    statuses: dict[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> tuple[str, ...]:
        return tuple(step for step, status in self.statuses.items() if status == "fail")

    @property
    def has_ended(self) -> bool:
        """Whether the test failed or completed; a test that was stopped or still runs says nothing."""
        return bool(self.failed) or _LAST_STEP in self.statuses


def last_tests(entries: Iterable[LogEntry]) -> Mapping[str, LastTest]:
    """Return the newest completed test of each provider. `entries`: newest first."""
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
