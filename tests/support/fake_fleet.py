"""The part of the engine's double that is of a fleet.

engine.fleet = FleetStatus(…)            # what fleet_status shows
engine.members = (Member(…),)            # what fleet_devices shows; approve and remove change it
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from core.engine import ignore
from core.errors import NotFound
from core.events import Reporter
from core.fleet_status import (
    BoxCertificate,
    BoxStatus,
    EtcdMember,
    FleetCertificate,
    FleetStatus,
    Joined,
    Member,
    Received,
    Removed,
)
from core.ports import CancelToken
from tests.support.lineages import NOW

FINGERPRINT = ":".join(["3f2a", "9c01", "d4e8", "b677", *["0123"] * 12])
MEMBERS = (
    Member(id="3f2a9c01d4e8b677", name="edge-3", role="device", fingerprint=FINGERPRINT, state="waiting"),
    Member(id="00112233445566aa", name="hub-a", role="hub", fingerprint=FINGERPRINT, state="approved"),
    Member(id="00112233445566bb", name="edge-1", role="device", fingerprint=FINGERPRINT, state="approved"),
)
STATUS = FleetStatus(
    id="5d0c33aa11220099",
    name="Acme Box",
    role="hub",
    box="00112233445566aa",
    leader="hub-a",
    leader_id="00112233445566aa",
    leading_since=NOW - timedelta(hours=3),
    members=(EtcdMember(endpoint="https://etcd1.example.com:2379", state="ok"),),
    boxes=(
        BoxStatus(
            id="00112233445566bb",
            name="edge-1",
            role="device",
            fingerprint=FINGERPRINT,
            state="approved",
            seen=NOW - timedelta(minutes=2),
            release="1.0",
            certificates=(
                BoxCertificate(name="shop", version=3, wanted=3, state="deployed", sha256="AA:BB"),
                BoxCertificate(name="mail", version=1, wanted=2, state="failed", why="its test refused it"),
            ),
        ),
    ),
    certificates=(
        FleetCertificate(
            name="shop",
            domains=("shop.example.com",),
            policy="master",
            version=3,
            all_or_none=False,
            not_after=NOW + timedelta(days=60),
            renew_at=NOW + timedelta(days=30),
            sha256="AA:BB",
        ),
    ),
)


class FakeFleet:
    """Mix-in; its host has `_called` and `calls`."""

    fleet: FleetStatus = STATUS
    members: tuple[Member, ...] = MEMBERS

    def fleet_init(
        self,
        *,
        auth: bool = False,
        root_password: str | None = None,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> Joined:
        self._of_fleet("fleet_init", auth=auth)
        return replace(self._self("approved"), created=True)

    def fleet_ticket(self, *, report: Reporter = ignore) -> str:
        self._of_fleet("fleet_ticket")
        return "ticket"

    def fleet_join(
        self, *, ticket: str | None = None, report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> Joined:
        self._of_fleet("fleet_join", ticket=ticket)
        return self._self("waiting")

    def fleet_devices(self, *, cancel: CancelToken | None = None) -> tuple[Member, ...]:
        self._of_fleet("fleet_devices")
        return self.members

    def fleet_approve(
        self, id: str, *, expected: str | None = None, report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> Member:
        self._of_fleet("fleet_approve", id=id, expected=expected)
        member = replace(self._member(id), state="approved")
        self.members = (*(each for each in self.members if each.id != id), member)
        return member

    def fleet_remove(self, id: str, *, report: Reporter = ignore, cancel: CancelToken | None = None) -> Removed:
        self._of_fleet("fleet_remove", id=id)
        self.members = tuple(each for each in self.members if each != self._member(id))
        return Removed(id=id, rotated=("shop",), failed=())

    def fleet_status(self, *, cancel: CancelToken | None = None) -> FleetStatus:
        self._of_fleet("fleet_status")
        return self.fleet

    def fleet_sync(self, *, report: Reporter = ignore, cancel: CancelToken | None = None) -> Received:
        self._of_fleet("fleet_sync")
        return Received(state="approved", deployed=("shop",))

    def fleet_watch(self, *, report: Reporter = ignore, cancel: CancelToken) -> None:
        self._of_fleet("fleet_watch")

    def fleet_service(self, *, on: bool, report: Reporter = ignore, cancel: CancelToken | None = None) -> bool:
        self._of_fleet("fleet_service", on=on)
        return on

    def _member(self, id: str) -> Member:
        found = next((each for each in self.members if each.id == id), None)
        if found is None:
            raise NotFound(
                f"There is no box {id!r}.", "The id is wrong.", "List the boxes with: certdeck fleet devices"
            )
        return found

    @staticmethod
    def _self(state: str) -> Joined:
        return Joined(
            id="3f2a9c01d4e8b677", fingerprint=FINGERPRINT, fleet="5d0c33aa11220099", role="device", state=state
        )

    def _of_fleet(self, name: str, **arguments: Any) -> None:
        self._called(name, **arguments)
