"""The hash chain of the log: pure. Entries in; what is wrong with them out, as a sentence.

Each entry's hash is SHA-256 over the hash before it, its number and its text. Where old entries were removed by certdeck itself, a
later entry says up to which one, and with which hash the chain continues (an *anchor*).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

ORIGIN = "0" * 64
"""The hash before the first entry."""


class Link(NamedTuple):
    """An entry's place in the chain."""

    number: int
    hash: str


START = Link(0, ORIGIN)


class Verified(NamedTuple):
    """What following the chain has shown."""

    standing: int
    """How many entries are as they were written."""
    last: Link
    problem: str | None
    """Where it was altered."""


def chained(previous: str, number: int, row: Sequence[object]) -> str:
    """Return the hash of an entry after the one with hash `previous`."""
    text = json.dumps([previous, number, *row], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def follow(rows: Iterable[Sequence[Any]], anchor: Link | None, head: Link | None) -> Verified:
    """Follow a chain from its first entry. `rows`: number, the values that are hashed, hash; ascending."""
    count, last = 0, START
    for number, *row, hash in rows:
        if count == 0 and anchor is not None and number == anchor.number + 1:
            last = anchor
        if number != last.number + 1:
            return Verified(count, last, f"Entry {last.number + 1} was removed.")
        if chained(last.hash, number, row) != hash:
            return Verified(count, last, f"Entry {number} was altered.")
        if head is not None and number == head.number and hash != head.hash:
            return Verified(count, last, f"Entry {number} was replaced.")
        count, last = count + 1, Link(number, hash)
    return Verified(count, last, None)


def doubt_about_end(last: Link, head: Link | None, head_file: object) -> str | None:
    """Return what the recorded end of the chain says against the last entry that is there; None where they agree."""
    if head is None:
        if last == START:
            return None
        return f"certdeck cannot verify the end of the log: {head_file} is missing or cannot be read."
    if last.number < head.number:
        gone = head.number - last.number
        return "The last entry was removed." if gone == 1 else f"The last {gone} entries were removed."
    if last.number > head.number:
        behind = (
            f"entry {last.number} follows it: it was added, or comes from an interrupted run."
            if last.number == head.number + 1
            else f"entries {head.number + 1} to {last.number} follow it: they were added, or come from an interrupted run."
        )
        return f"The recorded end of the log is entry {head.number}, but {behind}"
    return None
