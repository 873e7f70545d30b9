"""Decides which items a channel reports now, and what is remembered. Pure.

Nothing is lost by a failing receiver or a quiet period: a condition that was not reported is reported by a later run if it still
persists, and one-time events wait in `pending`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from core.notify.channel import Item
from core.notify.conditions import Condition
from core.stored_times import NOTIFIED_AT, is_void

REPEAT_AFTER = timedelta(hours=23)
"""A day, minus the random delay by which one run may be later than the next."""
MOST_PENDING = 200
"""The oldest events are dropped first."""


class Told(Struct, frozen=True, kw_only=True):
    """A condition that was reported on a channel."""

    at: datetime
    level: str
    lineage: str | None
    ended: str
    events: tuple[str, ...]


class ChannelState(Struct, frozen=True, kw_only=True):
    """The stored state of one channel."""

    told: Mapping[str, Told] = field(default_factory=dict)
    """By the condition's key."""
    pending: tuple[Item, ...] = ()
    """Events that could not be sent yet."""


class Decision(Struct, frozen=True, kw_only=True):
    """What to send on one channel, and the state to store afterwards."""

    items: tuple[Item, ...]
    if_sent: ChannelState
    if_not: ChannelState


def decide(
    had: ChannelState,
    conditions: Mapping[str, Condition],
    happened: Sequence[Item],
    now: datetime,
    *,
    on: Sequence[str],
    is_held: bool,
    was_looked_at: Callable[[str, str | None], bool],
    exists: Callable[[str], bool],
) -> Decision:
    """Return what to send on a channel.

    Args:
        had: the stored state of the channel.
        on: the events that it subscribes to; empty: all.
        is_held: it is a quiet time, so that only urgent items are sent.
        was_looked_at: returns, by key and lineage, whether this run checked a condition: only then can it have ended.
        exists: returns whether a lineage with that name exists; nothing is reported about a deleted one.
    """

    def wants(item: Item) -> bool:
        return not on or not set(on).isdisjoint(item.events)

    fresh = [each for key, each in conditions.items() if wants(each.item) and _is_due(had.told.get(key), each, now)]
    over = [key for key, told in had.told.items() if key not in conditions and was_looked_at(key, told.lineage)]
    silent = [key for key in over if not had.told[key].ended or not _is_there(had.told[key], exists)]
    ended = [key for key in over if key not in silent]
    recovered = [item for item in _recoveries([had.told[key] for key in ended]) if wants(item)]
    again = {item.certificate for item in recovered}
    queue = [*had.pending, *(item for item in happened if wants(item))][-MOST_PENDING:]
    left = {key: told for key, told in had.told.items() if key not in silent}
    if is_held:
        sent = [each for each in fresh if each.item.urgent]
        items = [each.item for each in sent]
        after = replace(had, told=_with(left, sent, now), pending=tuple(queue))
    else:
        sent = fresh
        news = [item for item in queue if item.event != "renewed" or item.certificate not in again]
        items = [*(each.item for each in fresh), *recovered, *news]
        after = ChannelState(told=_with({k: v for k, v in left.items() if k not in ended}, sent, now))
    return Decision(items=tuple(items), if_sent=after, if_not=replace(had, told=left, pending=tuple(queue)))


def _is_due(told: Told | None, condition: Condition, now: datetime) -> bool:
    if told is None or told.level != condition.level or is_void(told.at.timestamp(), now.timestamp(), NOTIFIED_AT):
        return True
    return condition.repeats and now - told.at >= REPEAT_AFTER


def _is_there(told: Told, exists: Callable[[str], bool]) -> bool:
    return told.lineage is None or exists(told.lineage)


def _recoveries(ended: Sequence[Told]) -> list[Item]:
    """Return one item for each lineage with ended conditions, and one for each other ended condition."""
    by_lineage: dict[str | None, list[Told]] = {}
    for each in ended:
        by_lineage.setdefault(each.lineage, []).append(each)
    alone = [Item(events=("recovered",), what=each.ended) for each in by_lineage.pop(None, [])]
    return alone + [
        Item(
            events=(
                "recovered",
                *dict.fromkeys(event for each in group for event in each.events if event == "fallback"),
            ),
            what=" ".join(each.ended for each in group),
            certificate=name,
        )
        for name, group in by_lineage.items()
    ]


def _with(told: Mapping[str, Told], sent: Sequence[Condition], now: datetime) -> dict[str, Told]:
    made = {
        each.key: Told(
            at=now, level=each.level, lineage=each.item.certificate, ended=each.ended, events=each.item.events
        )
        for each in sent
    }
    return {**told, **made}
