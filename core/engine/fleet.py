"""Several boxes that share an etcd: how a box joins, the state of the fleet, and the work of a box for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from core.engine.base import EngineBase, ignore

if TYPE_CHECKING:
    from core.events import Reporter
    from core.fleet_status import FleetStatus, Joined, Member, Received, Removed
    from core.operations import Deleted, Issued, IssueRequest
    from core.ports import CancelToken
    from core.workflows.context import Context

LOCK_SECONDS = 20.0
"""How long a command waits for this box's service (`fleet watch`) to finish its current operation."""


class Fleet(EngineBase):
    """Operations of `[fleet]`. Each raises UsageError if the configuration has no fleet."""

    @contextmanager
    def _patiently(self, operation: str, report: Reporter, cancel: CancelToken | None = None) -> Iterator[Context]:
        """Like `_writing`, but wait for a lock that is held: this box's service may take it at any time, for a short time."""
        from core.errors import LockHeld
        from core.ports import CancelToken

        clock = self.env.clock
        ends = clock.monotonic() + LOCK_SECONDS
        with ExitStack() as stack:
            context: Context | None = None
            while context is None:
                try:
                    context = stack.enter_context(self._writing(operation, report, cancel))
                except LockHeld:
                    if clock.monotonic() > ends:
                        raise
                    clock.sleep(0.2, cancel or CancelToken())
            yield context

    def fleet_init(
        self,
        *,
        auth: bool = False,
        root_password: str | None = None,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> Joined:
        """Create the fleet in an etcd that has none. Idempotent on the hub that created it.

        Args:
            auth: create etcd's users and roles, and enable its authentication.
            root_password: of etcd's `root`, if authentication is already enabled.
        """
        from core.workflows.fleet.members import init

        with self._patiently("fleet-init", report, cancel) as context:
            return init(context, auth=auth, root_password=root_password)

    def fleet_ticket(self, *, report: Reporter = ignore) -> str:
        """Return the ticket that lets a new box reach an etcd that requires a password. A secret."""
        from core.workflows.fleet.access import ticket_of
        from core.workflows.fleet.connection import as_hub

        with self._patiently("fleet-ticket", report) as context, as_hub(context) as hub:
            return ticket_of(hub).text()

    def fleet_join(
        self, *, ticket: str | None = None, report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> Joined:
        """Request to join, or complete joining after a hub has approved it. Idempotent."""
        from core.workflows.fleet.access import Ticket
        from core.workflows.fleet.members import join

        given = None if ticket is None else Ticket.parse(ticket)
        with self._patiently("fleet-join", report, cancel) as context:
            return join(context, ticket=given)

    def fleet_devices(self, *, cancel: CancelToken | None = None) -> tuple[Member, ...]:
        """Return the boxes that ask to join, and the members. Only on a hub."""
        from core.workflows.fleet.connection import as_hub
        from core.workflows.fleet.members import members

        with as_hub(self._reading(cancel)) as hub:
            return members(hub)

    def fleet_approve(
        self, id: str, *, expected: str | None = None, report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> Member:
        """Accept a box, and deliver the certificates that it should serve. Only on a hub.

        Args:
            expected: its fingerprint as the box shows it, or at least the first sixteen digits.

        Raises NotFound, AlreadyThere; UsageError if the fingerprint does not match.
        """
        from core.workflows.fleet.connection import as_hub
        from core.workflows.fleet.members import approve
        from core.workflows.fleet.orders import deliver_if_leading

        with self._patiently("fleet-approve", report, cancel) as context, as_hub(context) as hub:
            member = approve(hub, id, expected=expected)
            deliver_if_leading(hub)
            return member

    def fleet_remove(self, id: str, *, report: Reporter = ignore, cancel: CancelToken | None = None) -> Removed:
        """Remove a box: nothing more is sealed for it, and its certificates get new keys. Only on a hub."""
        from core.workflows.fleet.connection import as_hub
        from core.workflows.fleet.remove_box import remove

        with self._patiently("fleet-remove", report, cancel) as context, as_hub(context) as hub:
            return remove(hub, id)

    def fleet_status(self, *, cancel: CancelToken | None = None) -> FleetStatus:
        """Return the leader, the boxes, and what each of them serves; a device sees only itself."""
        from core.workflows.fleet.overview import status

        return status(self._reading(cancel))

    def fleet_sync(self, *, report: Reporter = ignore, cancel: CancelToken | None = None) -> Received:
        """Check once which certificates this device should serve, and install them."""
        from core.workflows.fleet.receive import sync

        with self._patiently("fleet-sync", report, cancel) as context:
            return sync(context)

    def fleet_watch(self, *, report: Reporter = ignore, cancel: CancelToken) -> None:
        """Do this box's work for the fleet until `cancel` is set. Blocks."""
        from core.workflows.fleet.service import Service

        Service(
            self._reading(cancel),
            lambda operation: self._writing(operation, report, cancel),
        ).run()

    def fleet_service(self, *, on: bool, report: Reporter = ignore, cancel: CancelToken | None = None) -> bool:
        """Install and start the service that keeps `fleet watch` running, or stop and remove it. Returns whether it is on.

        Raises StoreError, CertdeckError: systemd refused, or is not running here.
        """
        from core.workflows.fleet.unit import switch

        with self._patiently("fleet-service", report, cancel) as context:
            return switch(context, on=on)

    def is_of_fleet(self, name: str) -> bool:
        """Return whether hubs manage this certificate for the fleet, and this box has no certificate of its own with that name."""
        view = self._view()
        if not view.config.fleet.endpoints or not view.config.fleet.is_hub:
            return False
        from core.errors import CertdeckError, NotFound
        from core.store.had_with import settings_of
        from core.workflows.fleet.scheduled import names_of_fleet
        from core.workflows.issuing.method import FLEET

        try:
            if settings_of(view.paths, name).issuer != FLEET:
                return False
        except NotFound:
            pass
        except CertdeckError:
            return False
        return name in names_of_fleet(self._reading())

    def _delete_from_fleet(self, name: str, force: bool, report: Reporter) -> Deleted:
        from core.workflows.fleet.connection import as_hub
        from core.workflows.fleet.delete import delete

        with self._patiently("delete", report) as context, as_hub(context) as hub:
            return delete(hub, name, force=force)

    def _issue_for_fleet(self, request: IssueRequest, report: Reporter, cancel: CancelToken | None) -> Issued:
        from core.operations import Issued
        from core.workflows.fleet.connection import as_hub
        from core.workflows.fleet.issued import status_of
        from core.workflows.fleet.orders import issue
        from core.workflows.fleet.receive import sync_own

        with self._patiently("issue", report, cancel) as context, as_hub(context) as hub:
            one = issue(hub, request, request.for_fleet)
            sync_own(context)
            return Issued(status=status_of(hub, one))
