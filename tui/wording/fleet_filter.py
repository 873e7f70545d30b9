"""The filter of the fleet page: words, `state:behind`, `role:hub`, `serves:shop`, each with `-` to exclude. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from core.fleet_status import BoxStatus
from tui.wording.filter_terms import terms

HINT: Final = "words, state:behind|failed|away|waiting|ok, role:hub, serves:shop; - excludes"


def kept(box: BoxStatus, words: str, now: datetime) -> bool:
    """Tell whether a box passes every term of the filter."""
    return all(_matches(box, term, now) is not excludes for term, excludes in terms(words))


def states_of(box: BoxStatus, now: datetime) -> Iterator[str]:
    """Yield the values of `state:` that match a box."""
    if box.state != "approved":
        yield box.state
        return
    states = {one.state for one in box.certificates}
    if box.is_away(now):
        yield "away"
    if "failed" in states:
        yield "failed"
    if states & {"behind", "none", "failed"}:
        yield "behind"
    elif not box.is_away(now):
        yield "ok"


def _matches(box: BoxStatus, word: str, now: datetime) -> bool:
    key, colon, value = word.partition(":")
    if colon and key == "state":
        return any(each.startswith(value) for each in states_of(box, now))
    if colon and key == "role":
        return value in box.role or (box.role == "both" and value in ("hub", "device"))
    if colon and key == "serves":
        return any(value in each.name.casefold() for each in box.certificates)
    said = (box.name, box.id, box.role, box.release, *(f"{each.name} {each.why}" for each in box.certificates))
    return any(word in each.casefold() for each in said)
