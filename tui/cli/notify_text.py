"""Text about notification channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tui.cli.dns_text import field_about, field_where, values_shown, wrapped
from tui.cli.tables import labelled, table
from tui.glyphs import printable

if TYPE_CHECKING:
    from core.notifications import NotificationInfo, NotificationKind

_ALL_EVENTS = 12


def list_lines(entries: Sequence[NotificationInfo]) -> Iterator[str]:
    """Yield a line for each entry, and what entries still lack."""
    if not entries:
        yield "No notifications are set up yet. `certdeck notify kinds` lists the kinds; `certdeck notify add` adds one."
        return
    rows = [
        [
            printable(each.name),
            printable(each.kind),
            _where(each),
            _events(each),
            "incomplete" if each.missing else "complete",
        ]
        for each in entries
    ]
    yield from table(["NAME", "KIND", "TO", "ON", "STATE"], rows)
    for each in entries:
        if each.missing:
            missing = ", ".join(map(printable, each.missing))
            yield f"{printable(each.name)} lacks {missing}: `certdeck notify add {printable(each.name)} --replace` adds it."


def _where(entry: NotificationInfo) -> str:
    return printable(entry.settings.get("to") or entry.settings.get("url") or "in the vault")


def _events(entry: NotificationInfo) -> str:
    return "every event" if len(entry.on) == _ALL_EVENTS else ", ".join(map(printable, entry.on))


def added_lines(entry: NotificationInfo, kind: NotificationKind) -> Iterator[str]:
    """Yield the saved entry without secrets, and what to do next."""
    yield f"{printable(entry.name)} is set up."
    pairs = [("Kind", printable(entry.title)), ("Events", _events(entry))]
    pairs += values_shown(entry)
    yield from labelled(pairs)
    for note in kind.notes:
        yield from wrapped(f"Note: {note}")
    yield f"Try it: certdeck notify test {printable(entry.name)}"


def kinds_lines(kinds: Sequence[NotificationKind]) -> Iterator[str]:
    """Yield every kind in full, with its fields and notes."""
    for number, kind in enumerate(kinds):
        if number:
            yield ""
        yield f"{printable(kind.name)}: {printable(kind.title)}"
        yield from wrapped(kind.help)
        for field in kind.fields:
            yield f"  {field_where(field)}"
            yield from wrapped(field_about(field), "      ")
        for note in kind.notes:
            yield from wrapped(f"Note: {note}")
