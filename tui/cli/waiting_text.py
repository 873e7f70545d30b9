"""Lines below the overview for open orders and signing requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from tui.cli.output import Stream
from tui.glyphs import printable
from tui.wording import text

if TYPE_CHECKING:
    from core.operations import OpenOrder, Status
    from core.upload.values import SigningRequest


def waiting_lines(
    status: Status, orders: Sequence[OpenOrder], requests: Sequence[SigningRequest], stream: Stream
) -> Iterator[str]:
    """Yield the orders that wait for manual records, other orders without a certificate, and the open signing requests."""
    yield from (_by_hand(order, status.time, stream) for order in orders if order.is_manual)
    yield from (order_line(order, stream) for order in unlisted(status, orders))
    yield from (request_line(request) for request in requests)


def unlisted(status: Status, orders: Sequence[OpenOrder]) -> list[OpenOrder]:
    """Return the orders that continue automatically, for certificates that do not exist yet."""
    listed = {lineage.name for lineage in status.lineages}
    return [order for order in orders if not order.is_manual and order.name not in listed]


def order_line(order: OpenOrder, stream: Stream) -> str:
    """Return the line of an order that continues automatically, with the commands to continue or cancel it."""
    name, mark = printable(order.name), stream.painted(text.MARKS["unknown"].glyph, "dim")
    ways = f"`certdeck complete {name}` continues it now, `certdeck complete {name} --give-up` cancels it"
    return f"{mark} {name}: its order is open, and the next run continues it; {ways}."


def request_line(request: SigningRequest) -> str:
    """Return the line of an open signing request, with the command that imports its certificate."""
    name = printable(request.name)
    mark = text.MARKS["unknown"].glyph
    lost = " Its private key is missing." if request.is_lost else ""
    since = f"since {text.moment(request.created)}"
    way = f"`certdeck import {name} --cert FILE` imports its certificate."
    return f"{mark} {name}: a signing request for {text.names_shown(request.domains)} is open {since}.{lost} {way}"


def _by_hand(order: OpenOrder, now: datetime, stream: Stream) -> str:
    name, mark = printable(order.name), text.MARKS["waits"]
    records = f"{text.plural(len(order.records), 'DNS record')} to set" if order.records else "its DNS records"
    left = "" if order.expires is None else f", {_lives(order.expires, now)}"
    return f"{stream.painted(mark.glyph, 'yellow')} {name} waits for you: {records}{left}. `certdeck complete {name}` continues it."


def _lives(expires: datetime, now: datetime) -> str:
    left = (expires - now).total_seconds()
    return f"{text.span(left)} left" if left > 0 else "but the order has ended"
