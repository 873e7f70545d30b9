"""Open orders that wait for manual DNS records, for the first screen, including those without a lineage yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from core.errors import CertdeckError
from core.operations import LineageStatus, OpenOrder

if TYPE_CHECKING:
    from core.engine import Engine


def waiting_orders(engine: Engine) -> Mapping[str, OpenOrder]:
    """Return the open orders with manual DNS records, by name. Reads a directory and one small file per order."""
    found: dict[str, OpenOrder] = {}
    try:
        for name in engine.open_orders():
            try:
                order = engine.open_order(name)
            except CertdeckError:
                continue  # it has ended or cannot be read: its own screen reports that
            if order.is_manual and order.records:
                found[name] = order
    except CertdeckError:
        return {}
    return found


def rows_of(orders: Mapping[str, OpenOrder], known: Iterable[LineageStatus]) -> tuple[LineageStatus, ...]:
    """Return a row for each order whose lineage does not exist yet."""
    names = {row.name for row in known}
    return tuple(_row(order) for name, order in sorted(orders.items()) if name not in names)


def _row(order: OpenOrder) -> LineageStatus:
    status = LineageStatus.without_certificate(
        order.name,
        order.identifiers,
        method=order.challenge if order.challenge != "dns-01" else "manual-dns-01",
        ca=order.issuer,
        renew_why="by hand",
    )
    return replace(status, open_order=True)
