"""Orders with manual DNS records: shows, checks and cancels them. Their only state is the order on disk."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from core.challenges.pending import PendingRecords
from core.dns.names import DNS_CHALLENGES, DNS_PERSIST01
from core.dns.persistent_record import PersistentRecord
from core.events import Changed, RecordsRequired
from core.operations import OpenOrder, Pending, Record, RecordView
from core.store.orders import OrderRecord, delete_order, require_order, save_order
from core.workflows.context import Context


def open_order(context: Context, name: str) -> OpenOrder:
    """Return an open order as stored on disk. Raises NotFound."""
    return _shown(require_order(context.paths, name))


def look(context: Context, name: str) -> tuple[RecordView, ...]:
    """Ask the name servers which of them have each record of an open order. Raises NotFound, Cancelled."""
    from core.dns.authority import Authority
    from core.dns.propagation import Propagation, Wanted

    records = _shown(require_order(context.paths, name)).records
    dns01 = context.config.dns01
    authority = Authority(context.env.resolver, dns01.resolvers, context.cancel)
    propagation = Propagation(context.env.resolver, context.env.clock, dns01.resolvers)
    now = context.env.clock.now().timestamp()
    wanted = [Wanted(record, authority.written_at(record.name), _accepts(record, now)) for record in records]
    return propagation.look(wanted, context.cancel)


def give_up(context: Context, name: str) -> None:
    """Delete an open order. At the CA, it expires. Raises NotFound."""
    require_order(context.paths, name)
    delete_order(context.paths, name)
    context.narrator.tell(Changed(what=f"cancelled the open order of {name}"))


def awaited(context: Context, name: str, outcome: PendingRecords) -> Pending:
    """Store the records that must be set with the open order, and return them."""
    order = require_order(context.paths, name)
    records = tuple((record.name, record.type, record.value) for record in outcome.records)
    if order.records != records:
        save_order(context.paths, replace(order, records=records))
    context.narrator.tell(RecordsRequired(records=records))
    return Pending(
        name=name,
        challenge=order.challenge,
        records=outcome.records,
        expires=order.expires,
        views=outcome.views,
    )


def _accepts(record: Record, now: float) -> Callable[[str], bool] | None:
    """Return a predicate for acceptable values. None: only the record's exact value is acceptable.

    A persistent record (dns-persist-01) may have more than was requested: an end, or wildcards.
    """
    asked = PersistentRecord.parse(record.value)
    if asked is None:
        return None

    def will_do(value: str) -> bool:
        grant = PersistentRecord.parse(value)
        return grant is not None and grant.covers(asked, now)

    return will_do


def _shown(order: OrderRecord) -> OpenOrder:
    return OpenOrder(
        name=order.name,
        issuer=order.issuer,
        challenge=order.challenge,
        identifiers=order.identifiers,
        records=tuple(Record(name=name, type=type, value=value) for name, type, value in order.records),
        created=order.created,
        expires=order.expires,
        is_manual=order.challenge in DNS_CHALLENGES
        and (not order.spec.get("dns") or (order.challenge == DNS_PERSIST01 and bool(order.records))),
    )
