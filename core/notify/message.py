"""Composes a message: one subject that sorts well, plain text, and the same as values. Pure.

All that one run has to report is one message. Foreign text (from a CA or a program) is made harmless here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from textwrap import wrap

from core.dates import minute_shown, moment_in_words
from core.notify.channel import Item, Message
from core.text import plural, safe_line
from core.version import VERSION

RANK = (
    "deadline",
    "revoked",
    "credentials",
    "failed",
    "fallback",
    "rolled-back",
    "not-served",
    "run-missed",
    "timer",
    "expiring",
    "recovered",
    "renewed",
)
"""The events, the most urgent first."""
_NAMES_IN_SUBJECT = 3
_MOST_IN_TEXT = 200
_WIDTH = 76
"""RFC 5322 §2.1.1 recommends lines of at most 78 characters."""


def compose(items: Sequence[Item], host: str, appliance: str, now: datetime) -> Message:
    """Return the message that reports `items` (at least one)."""
    ordered = sorted(items, key=lambda item: (_rank(item.event), item.certificate or ""))
    subject = f"[certdeck {safe_line(host, 64)}] {_headline(ordered)}"
    return Message(
        subject=subject,
        text="\n".join(_lines(ordered, host, now)) + "\n",
        values={
            "version": VERSION,
            "time": _rfc3339(now),
            "host": host,
            "appliance": appliance,
            "subject": subject,
            "messages": [_values(item) for item in ordered],
        },
    )


def _rank(event: str) -> int:
    return RANK.index(event) if event in RANK else -1


def _headline(ordered: Sequence[Item]) -> str:
    """Return the end of the subject: `failed: shop, mail`, `failed: shop (and 2 more messages)`."""
    event = ordered[0].event
    same = [item for item in ordered if item.event == event]
    about = list(dict.fromkeys(safe_line(item.certificate or "", 64) for item in same if item.certificate))
    names = ", ".join(about[:_NAMES_IN_SUBJECT])
    if len(about) > _NAMES_IN_SUBJECT:
        names += f" and {len(about) - _NAMES_IN_SUBJECT} more"
    others = len(ordered) - len(same)
    more = f" (and {plural(others, 'more message')})" if others else ""
    return f"{event}{f': {names}' if names else ''}{more}"


def _lines(ordered: Sequence[Item], host: str, now: datetime) -> Iterator[str]:
    for item in ordered[:_MOST_IN_TEXT]:
        yield f"{item.event.upper()}{f'  {safe_line(item.certificate, 128)}' if item.certificate else ''}"
        for words in (item.what, item.why):
            yield from _wrapped(words)
        if item.next_try is not None:
            yield from _wrapped(f"The next attempt is on {moment_in_words(item.next_try.astimezone(UTC))}.")
        if item.fix:
            yield from _wrapped(f"What to do: {item.fix}")
        yield ""
    if len(ordered) > _MOST_IN_TEXT:
        yield f"And {len(ordered) - _MOST_IN_TEXT} more; `certdeck status` shows them."
        yield ""
    yield "-- "
    yield f"certdeck {VERSION} on {safe_line(host, 253)}, {minute_shown(now.astimezone(UTC))}"


def _wrapped(words: str) -> list[str]:
    return wrap(
        safe_line(words, 2000),
        _WIDTH,
        initial_indent="  ",
        subsequent_indent="  ",
        break_on_hyphens=False,
        break_long_words=False,
    )


def _values(item: Item) -> dict[str, object]:
    return {
        "event": item.event,
        "events": list(item.events),
        "certificate": item.certificate,
        "target": item.target,
        "what": safe_line(item.what, 2000),
        "why": safe_line(item.why, 2000),
        "fix": safe_line(item.fix, 2000),
        "next_try": None if item.next_try is None else _rfc3339(item.next_try),
        "not_after": None if item.not_after is None else _rfc3339(item.not_after),
        "urgent": item.urgent,
    }


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
