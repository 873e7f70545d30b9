"""Text about manual DNS records: every value complete on its own line, to copy, and which name servers have it (ST-14).

There is no border, and nothing before or after a value, so that a double click selects exactly the value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from tui.cli.dns_text import server_lines
from tui.cli.output import Stream
from tui.glyphs import printable
from tui.wording import text
from tui.wording.facts import WAY_OUT
from tui.zone_file import zone_line

if TYPE_CHECKING:
    from core.operations import OpenOrder, Pending, Record, RecordView

_BLACK_ON_WHITE: Final = "\x1b[30;107m"
_RESET: Final = "\x1b[0m"


def pending_lines(pending: Pending, now: datetime, stream: Stream) -> Iterator[str]:
    """Yield the answers of the name servers, if they were asked; the records; the end of the order; and how to continue."""
    name = printable(pending.name)
    if pending.views:
        yield f"The order for {name} waits: not every name server has every record yet."
        yield from _looked_lines(pending.views, stream)
        yield ""
        yield "Required DNS records:"
    else:
        yield f"The order for {name} waits for you. Set {_this(pending.records)}:"
    yield from record_lines(placed_records(pending), stream)
    yield ""
    yield from _end_lines(pending.expires, now)
    if pending.challenge == text.SET_ONCE:
        yield "Leave the record in place: with it, renewals need no access to your DNS."
    else:
        yield "The next order has new values, which you must set again."
        yield from WAY_OUT
    yield ""
    if pending.views:
        yield f"To check again: certdeck complete {name}"
        yield f"To let the CA validate anyway: certdeck complete {name} --anyway"
        others = "" if pending.challenge == text.SET_ONCE else ", and the next one has new values"
        yield f"(if validation fails, the order ends{others})"
    else:
        yield f"When {'it is' if len(pending.records) == 1 else 'they are'} set: certdeck complete {name}"


def placed_records(pending: Pending) -> tuple[Record, ...]:
    """Return the records with the names at which to create them: a name with a CNAME cannot have a TXT record."""
    at = {view.record: view.written_at for view in pending.views}
    return tuple(replace(record, name=at.get(record, record.name)) for record in pending.records)


def order_lines(order: OpenOrder, now: datetime, stream: Stream) -> Iterator[str]:
    """Yield an open order with manual records, as stored on disk, for the status."""
    name = printable(order.name)
    shown = ", ".join(map(text.name_shown, order.identifiers))
    if order.records:
        yield f"An order at {printable(order.issuer)} for {shown} waits for {_this(order.records)}:"
        yield from record_lines(order.records, stream)
        yield ""
    else:
        yield f"An order at {printable(order.issuer)} for {shown} was started, but has no DNS records yet."
    yield from _end_lines(order.expires, now)
    yield f"Continue it: certdeck complete {name}"


def record_lines(records: Sequence[Record], stream: Stream) -> Iterator[str]:
    """Yield name, type and each value on its own line, and then all records as lines of a zone file."""
    for (name, kind), values in _by_name(records).items():
        yield ""
        yield stream.painted("Name (many forms require it without the zone at the end)", "dim")
        yield printable(name)
        yield stream.painted("Type", "dim")
        yield printable(kind)
        if len(values) > 1:
            count = "both" if len(values) == 2 else f"all {len(values)}"
            yield stream.painted(f"Values: {count} are required at this name at the same time", "dim")
        else:
            yield stream.painted("Value", "dim")
        yield from map(printable, values)
    yield ""
    yield stream.painted("The same as lines of a zone file", "dim")
    yield from map(zone_line, records)


def code_lines(records: Sequence[Record], stream: Stream) -> Iterator[str]:
    """Yield each value as a QR code, to scan with a phone."""
    from tui.qr import qr_lines

    is_coloured = stream.colour and stream.unicode
    for number, record in enumerate(records, 1):
        yield ""
        of = f" {number} of {len(records)}" if len(records) > 1 else ""
        yield f"Value{of} of {printable(record.name)}"
        try:
            drawn = qr_lines(record.value, plain=not stream.unicode, light=not is_coloured)
        except ValueError:
            yield "It is too long for a QR code."
            continue
        yield from (f"{_BLACK_ON_WHITE}{line}{_RESET}" for line in drawn) if is_coloured else drawn


def _looked_lines(views: Sequence[RecordView], stream: Stream) -> Iterator[str]:
    """Yield which name servers have which record: a line if all have it, a table if some lack it."""
    for view in sorted(views, key=lambda each: not each.is_seen):
        record = f"{printable(view.record.name)} = {printable(view.record.value)}"
        if view.is_seen:
            yield f"{stream.painted(text.MARKS['has'].glyph, 'green')} all have {record}"
            continue
        yield ""
        yield record
        if view.written_at != view.record.name:
            yield f"is a CNAME to {printable(view.written_at)}. Set the record there."
        if view.problem:
            yield stream.painted(printable(view.problem), "yellow")
        if view.servers:
            yield from server_lines(view.servers, stream)


def _end_lines(expires: datetime | None, now: datetime) -> Iterator[str]:
    if expires is None:
        return
    left = (expires - now).total_seconds()
    if left <= 0:
        yield f"The order ended on {text.moment_in_words(expires)}; a new order has new values."
    else:
        yield f"The order is valid until {text.moment(expires)}: {text.span(left)} from now. Until then, the values stay the same."


def _by_name(records: Sequence[Record]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for record in records:
        found.setdefault((record.name, record.type), []).append(record.value)
    return found


def _this(records: Sequence[Record]) -> str:
    return "this DNS record" if len(records) == 1 else f"these {len(records)} DNS records"
