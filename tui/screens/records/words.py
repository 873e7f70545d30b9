"""The texts about a waiting order: what to do, how much time is left, and what happens next. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from core.operations import OpenOrder, Record, RecordView
from tui.screens.records.watch import Watch
from tui.widgets.ink import Ink
from tui.widgets.lines import Line, wrap
from tui.widgets.prose import marked
from tui.wording import text
from tui.zone_file import zone_line


def is_over(order: OpenOrder, now: datetime) -> bool:
    """Return whether the order has expired."""
    return order.expires is not None and order.expires <= now


def headline(order: OpenOrder, watch: Watch, at: float, now: datetime) -> tuple[str, str, str]:
    """Return sign, colour and the most important sentence now."""
    if is_over(order, now):
        return "✖", "severity-red", "This order has ended: its values are no longer valid."
    count = len(order.records)
    have = "Every name server has it." if count == 1 else f"Every name server has all {count} of them."
    left = watch.seconds_to_answer(at)
    if left is not None:
        return "✔", "severity-green", f"{have} The CA checks in {math.ceil(left)} s."
    if watch.is_ready:
        return "✔", "severity-green", f"{have} Enter lets the CA check."
    if watch.views and not any(one.answers for view in watch.views for one in view.servers):
        return "▲", "severity-yellow", "No name server can be queried from here. Enter lets the CA check anyway."
    these, them = ("this record", "it") if count == 1 else (f"these {count} records", "them")
    return "◐", "severity-yellow", f"Set {these} at your DNS provider; certdeck sees {them} come."


def lifetime(order: OpenOrder, now: datetime) -> str:
    """Return when the order expires, as a time and in words."""
    if order.expires is None:
        return "The CA has not reported when the order expires."
    if is_over(order, now):
        return f"It ended on {text.moment_in_words(order.expires)}. x gives it up; a new order has new values."
    left = text.span((order.expires - now).total_seconds())
    return f"The order is valid for {left}, until {text.moment(order.expires)}."


def next_step(order: OpenOrder, watch: Watch, now: datetime) -> str:
    """Return what happens once the records are visible."""
    if is_over(order, now):
        return ""
    if order.challenge == text.SET_ONCE:
        return "Leave it in place: renewals then need no access to your DNS."
    have = "have it" if len(order.records) == 1 else "have them"
    if watch.by_itself:
        return f"It continues automatically once all name servers {have}; a stops that."
    return f"Enter continues once all name servers {have}; a continues automatically."


def pacing(watch: Watch, at: float) -> str:
    """Return the times of the last and the next check. As times of day: a countdown would redraw a slow line every second."""
    if watch.seconds_to_answer(at) is not None:
        return "seen everywhere"
    if watch.next_look is None or watch.takes_long(at):
        return "checking …"
    coming = f"next check at {_clock(watch.next_look)}"
    return coming if watch.looked_at is None else f"checked at {_clock(watch.looked_at)} · {coming}"


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone():%H:%M:%S}"


def stakes(order: OpenOrder, watch: Watch, now: datetime) -> str:
    """Return what is risked by letting the CA look before every name server has every record."""
    missing = watch.missing()
    who = ", ".join(text.printable(name) for name in missing[:3])
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    plural = "do" if len(missing) > 1 else "does"
    first = (
        f"{who}{more} {plural} not have every record yet."
        if missing
        else "No name server could be queried for the records."
    )
    return (
        f"{first} If the CA queries a server that lacks one, the challenge fails: this ends the order, and the next one has new "
        f"values.\n\nWaiting costs nothing. {lifetime(order, now)}"
    )


def placed(order: OpenOrder, views: Sequence[RecordView]) -> tuple[Record, ...]:
    """Return the records with the names at which to write them: a CNAME may point elsewhere."""
    places = {view.record: view.written_at for view in views}
    return tuple(replace(record, name=places.get(record) or record.name) for record in order.records)


def plain(order: OpenOrder, views: Sequence[RecordView], now: datetime) -> str:
    """Return every record in full, each part on its own line, for the terminal's own selection."""
    parts = [f"DNS records for {order.name}. {lifetime(order, now)}"]
    for number, (record, at) in enumerate(zip(order.records, placed(order, views), strict=True), 1):
        leads = f"\nis a CNAME: write it at\n{at.name}" if at.name != record.name else ""
        parts.append(f"-- {number} of {len(order.records)}: {record.type}\n{record.name}{leads}\n{record.value}")
    return "\n\n".join(parts) + "\n"


def zone_lines(order: OpenOrder, views: Sequence[RecordView]) -> str:
    """Return the records as zone file lines, with the names at which to write them."""
    return "".join(f"{zone_line(record)}\n" for record in placed(order, views))


def head_lines(headline: tuple[str, str, str], lifetime: str, next_step: str, width: int, ink: Ink) -> list[Line]:
    """Return the lines above the records: their state, when the order expires, and what to do next."""
    sign, role, sentence = headline
    lines = marked(sign, role, sentence, width, ink, bold=True)
    for told in filter(None, (lifetime, next_step)):
        lines += [[("  ", ink("text-muted")), (line, ink("text-muted"))] for line in wrap(told, width - 2)]
    return lines
