"""The fleet's share of the scheduled run: a hub renews what is due if it is elected, a device looks what it should serve."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from msgspec.structs import replace

from core.errors import CertdeckError
from core.fleet import layout
from core.fleet.values import Seen, encoded
from core.fleet_errors import NotLeading
from core.renewal_report import FailedLineage, RenewalReport, RenewRequest, Skipped
from core.workflows.context import Context
from core.workflows.fleet.connection import as_hub, leading
from core.workflows.fleet.orders import ask, is_open, renew, why_due
from core.workflows.fleet.own_keys import late_devices
from core.workflows.fleet.publish import certificates
from core.workflows.fleet.receive import sync

THE_FLEET = "fleet"
"""What a failure is named after that is of no single certificate."""


def names_of_fleet(reading: Context) -> tuple[str, ...]:
    """Return the certificates of the fleet. Raises FleetError."""
    with as_hub(reading) as hub:
        return tuple(certificates(hub))


def renew_fleet(
    reading: Context,
    writing: Callable[[], AbstractContextManager[Context]],
    report: RenewalReport,
    request: RenewRequest,
) -> RenewalReport:
    """Add to the report of a run what the fleet's certificates needed. Failures are in the report.

    Args:
        reading: for looking before a lock is taken.
        writing: takes the lock; called only when there is work.
    """
    try:
        if reading.config.fleet.is_hub:
            report = _as_hub(reading, writing, report, request)
        if reading.config.fleet.is_device and not request.dry_run:
            report = _as_device(writing, report)
    except CertdeckError as exc:
        return replace(report, failed=(*report.failed, FailedLineage(name=THE_FLEET, error=exc)))
    return report


def _as_hub(
    reading: Context,
    writing: Callable[[], AbstractContextManager[Context]],
    report: RenewalReport,
    request: RenewRequest,
) -> RenewalReport:
    with as_hub(reading) as hub:
        if not request.dry_run:
            # The other hubs see by this that it is there.
            hub.etcd.put(layout.seen(hub.identity.box), encoded(Seen(at=reading.env.clock.now())))
        wanted = [one for one in certificates(hub).values() if not request.names or one.name in request.names]
        reasons = {one.name: why_due(hub, one, force=request.force, is_open=is_open(hub, one)) for one in wanted}
        late = {one.name for one in wanted if isinstance(reasons[one.name], Skipped) and late_devices(hub, one)}
    due = tuple(name for name, why in reasons.items() if not isinstance(why, Skipped) or name in late)
    skipped = tuple(why for why in reasons.values() if isinstance(why, Skipped) and why.name not in late)
    report = replace(report, skipped=(*report.skipped, *skipped))
    if request.dry_run:
        return replace(report, due=(*report.due, *due))
    if not due:
        return report
    with writing() as context, as_hub(context) as hub:
        try:
            with leading(hub, wait_seconds=1.0 if request.names else 0.0) as lead:
                done = renew(hub, lead, due, force=request.force)
        except NotLeading as exc:
            for name in due if request.force else ():
                ask(hub, name)
            waits = tuple(Skipped(name=name, why=f"{exc.what} It renews it.") for name in due)
            return replace(report, skipped=(*report.skipped, *waits))
    return replace(
        report,
        renewed=(*report.renewed, *done.renewed),
        skipped=(*report.skipped, *done.skipped),
        failed=(*report.failed, *done.failed),
    )


def _as_device(writing: Callable[[], AbstractContextManager[Context]], report: RenewalReport) -> RenewalReport:
    with writing() as context:
        received = sync(context)
    new = tuple(name for name in received.deployed if name not in report.renewed)
    failed = tuple(FailedLineage(name=name, error=error) for name, error in received.failed)
    return replace(report, renewed=(*report.renewed, *new), failed=(*report.failed, *failed))
