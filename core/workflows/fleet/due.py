"""Decides when a certificate of the fleet is due for renewal, and for which devices."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from msgspec import Struct

from core.dates import day_shown, moment_in_words
from core.fleet.values import BACK, Box, Certificate
from core.renewal import due_at
from core.renewal_report import Skipped
from core.store.lineages import lineage_of
from core.store.records import parse_time
from core.workflows.fleet import revoked
from core.workflows.fleet.connection import Hub
from core.workflows.fleet.known import Known
from core.workflows.fleet.own_keys import late_devices


class DueRenewal(Struct, frozen=True, kw_only=True):
    """The work that is due for one certificate."""

    name: str
    why: str
    late: tuple[Box, ...] = ()
    """The devices that have no certificate of the newest version yet. Empty: all devices get a new version."""


def work_for(hub: Hub, known: Known, one: Certificate, *, force: bool = False) -> DueRenewal | Skipped:
    """Return the work that is due for a certificate now, or why there is none. `force`: a new version, due or not."""
    found = "forced" if force else _why_due(hub, known, one)
    if not isinstance(found, Skipped):
        return DueRenewal(name=one.name, why=found)
    late = late_devices(hub, known, one)
    return DueRenewal(name=one.name, why="a device has none yet", late=tuple(late)) if late else found


def _why_due(hub: Hub, known: Known, one: Certificate) -> str | Skipped:
    now = hub.context.env.clock.now().timestamp()
    lineage = lineage_of(one.spec, one.name)
    auto = hub.context.config.defaults.auto_renew if lineage.auto_renew is None else lineage.auto_renew
    if one.phase == BACK and not one.rotate:
        return Skipped(
            name=one.name, why="a device rejected it; all devices roll back and try again", renew_at=one.next_attempt
        )
    if one.next_attempt is not None and one.next_attempt.timestamp() > now:
        at = one.next_attempt
        return Skipped(name=one.name, why=f"it failed; the next attempt is on {moment_in_words(at)}", renew_at=at)
    if one.rotate:
        return "a new one was requested"
    if one.name in known.ordering:
        return "its order was left open"
    if revoked.words_of(one):
        return "it is revoked"
    due = renewal_time(hub, one)
    if due is None:
        return "it has no certificate yet"
    when = datetime.fromtimestamp(due, UTC)
    if not auto:
        return Skipped(name=one.name, why="automatic renewal is off")
    if due > now:
        return Skipped(name=one.name, why=f"not due before {day_shown(when)}", renew_at=when)
    return "it is due"


def renewal_time(hub: Hub, one: Certificate) -> float | None:
    """Return when a certificate is due, in epoch seconds; the earliest time over its devices. None: none was issued."""
    lineage = lineage_of(one.spec, one.name)
    days = lineage.renew_days_before or hub.context.config.defaults.renew_days_before
    times = []
    for facts in one.made.values():
        with suppress(ValueError, KeyError, TypeError):
            not_before, not_after = (parse_time(str(facts[key])).timestamp() for key in ("not_before", "not_after"))
            times.append(due_at(not_before, not_after, renew_days_before=days))
    return min(times, default=None)
