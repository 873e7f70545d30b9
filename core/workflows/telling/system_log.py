"""Writes each event to the system log, for administrators who collect logs. The history has the same events."""

from __future__ import annotations

from core.events import Failed, KeyUsed, Progressed, Report, Warned
from core.ports import SystemLog
from core.store.history_rows import facts_of, kind_of
from core.text import safe_line

_ERROR, _WARNING, _INFO = 3, 4, 6
_LONGEST_VALUE = 400


def write_line(log: SystemLog, told: Report, who: str) -> None:
    """Write an event to the system log. Omits progress, and the use of keys, which the history has."""
    if isinstance(told.event, (Progressed, KeyUsed)):
        return
    kind = kind_of(told.event)
    facts = {name: _text(value) for name, value in facts_of(told.event).items() if value not in (None, "", [])}
    about = {"event": kind, "run": told.run, "who": who}
    if told.lineage:
        about["certificate"] = told.lineage
    said = facts.pop("what", "")
    if not said:
        said = f"{kind}: {' '.join(f'{name}={value}' for name, value in facts.items())}".removesuffix(": ")
    level = _ERROR if isinstance(told.event, Failed) else _WARNING if isinstance(told.event, Warned) else _INFO
    prefix = f"{told.lineage}: " if told.lineage else ""
    log.write(safe_line(f"{prefix}{said}", 1000), level, {**facts, **about})


def _text(value: object) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return safe_line(text, _LONGEST_VALUE)
