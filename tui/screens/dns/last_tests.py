"""How the last connection test of each DNS provider went, as the history knows it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from core.operations import LogEntry


@dataclass(frozen=True, slots=True)
class LastTest:
    """One test."""

    at: datetime
    failed: tuple[str, ...]
    """Ids of the steps that failed."""

    @property
    def is_good(self) -> bool:
        return not self.failed


def last_tests(entries: Iterable[LogEntry]) -> Mapping[str, LastTest]:
    """Return the newest test of each provider. `entries`: the newest first."""
    runs: dict[str, str] = {}
    found: dict[str, LastTest] = {}
    for entry in entries:
        provider = entry.facts.get("provider")
        if entry.kind != "provider-tested" or not isinstance(provider, str):
            continue
        if runs.setdefault(provider, entry.run) != entry.run:
            continue
        known = found.setdefault(provider, LastTest(entry.at, ()))
        if entry.facts.get("status") == "fail":
            found[provider] = LastTest(known.at, (*known.failed, str(entry.facts.get("step", ""))))
    return found
