"""The fleet's part of the scheduled run: an elected hub renews what is due, and a device deploys what was published for it."""

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
from core.workflows.fleet.connection import Hub, as_hub, leading
from core.workflows.fleet.due import work_for
from core.workflows.fleet.known import Known, certificates, look
from core.workflows.fleet.orders import ask, renew
from core.workflows.fleet.receive import sync
from core.workflows.fleet.revoked import ask_when_due, settle

THE_FLEET = "fleet"
"""Name for a failure that does not belong to a single certificate."""


def names_of_fleet(reading: Context) -> tuple[str, ...]:
    """Return the names of the fleet's certificates. Raises FleetError."""
    with as_hub(reading) as hub:
        return tuple(certificates(hub))


def renew_fleet(
    reading: Context,
    writing: Callable[[], AbstractContextManager[Context]],
    report: RenewalReport,
    request: RenewRequest,
) -> RenewalReport:
    """Do the fleet's part of a run, and add its results and failures to the report.

    Args:
        reading: context for reading, before a lock is taken.
        writing: takes the lock, and returns the context for writing. Called only if there is work.
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
            # Shows the other hubs that this hub is running.
            hub.etcd.put(layout.seen(hub.identity.box), encoded(Seen(at=reading.env.clock.now())))
        known = look(hub)
        if not request.dry_run and not request.names and _settle_revoked(hub, writing, known):
            known = look(hub)
        wanted = [one for one in known.certificates.values() if not request.names or one.name in request.names]
        found = [work_for(hub, known, one, force=request.force) for one in wanted]
    due = tuple(each.name for each in found if not isinstance(each, Skipped))
    skipped = tuple(each for each in found if isinstance(each, Skipped))
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


def _settle_revoked(hub: Hub, writing: Callable[[], AbstractContextManager[Context]], known: Known) -> bool:
    """Ask the CAs, once a day, whether they have revoked certificates of the fleet. Returns whether they were asked.

    The lock is held only to store the answers.
    """
    answers = ask_when_due(hub, known)
    if answers is None:
        return False
    with writing() as context, as_hub(context, hub.etcd) as locked:
        settle(locked, known, answers)
    return True


def _as_device(writing: Callable[[], AbstractContextManager[Context]], report: RenewalReport) -> RenewalReport:
    with writing() as context:
        received = sync(context)
    new = tuple(name for name in received.deployed if name not in report.renewed)
    failed = tuple(FailedLineage(name=name, error=error) for name, error in received.failed)
    return replace(report, renewed=(*report.renewed, *new), failed=(*report.failed, *failed))
