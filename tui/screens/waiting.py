"""Open orders for the first screen: those without a lineage yet, and those that wait for manual DNS records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from core.errors import CertdeckError
from core.operations import LineageStatus, OpenOrder

if TYPE_CHECKING:
    from core.engine import Engine


def open_orders(engine: Engine) -> Mapping[str, OpenOrder]:
    """Return the open orders by name, without those whose manual DNS records are not known yet.

    Reads a directory and one small file per order.
    """
    found: dict[str, OpenOrder] = {}
    try:
        for name in engine.open_orders():
            try:
                order = engine.open_order(name)
            except CertdeckError:
                continue  # it has ended or cannot be read: its own screen reports that
            if order.records or not order.is_manual:
                found[name] = order
    except CertdeckError:
        return {}
    return found


def waiting_among(orders: Mapping[str, OpenOrder]) -> Mapping[str, OpenOrder]:
    """Return those that wait for manual DNS records."""
    return {name: order for name, order in orders.items() if order.is_manual and order.records}


def waiting_orders(engine: Engine) -> Mapping[str, OpenOrder]:
    """Return the open orders that wait for manual DNS records, by name."""
    return waiting_among(open_orders(engine))


def rows_of(orders: Mapping[str, OpenOrder], known: Iterable[LineageStatus]) -> tuple[LineageStatus, ...]:
    """Return a row for each order whose lineage does not exist yet."""
    names = {row.name for row in known}
    return tuple(_row(order) for name, order in sorted(orders.items()) if name not in names)


def _row(order: OpenOrder) -> LineageStatus:
    status = LineageStatus.without_certificate(
        order.name,
        order.identifiers,
        method="manual-dns-01" if order.is_manual and order.challenge == "dns-01" else order.challenge,
        ca=order.issuer,
        renew_why="by hand" if order.is_manual else "its order is open",
    )
    return replace(status, open_order=True, auto_renew=not order.is_manual)
