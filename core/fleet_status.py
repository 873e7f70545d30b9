"""The fleet as values: the leader, the boxes, what each serves, and which ones are behind and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from core.errors import CertdeckError

AWAY_AFTER = timedelta(hours=36)
"""A box contacts the fleet at least twice a day; clocks may differ by hours."""
SETTLED_AFTER = timedelta(hours=6)
"""Time after a certificate's `not_before`, which CAs set back by an hour: by then, every working device should serve it."""
ENDS_SOON = timedelta(days=7)


class Joined(Struct, frozen=True, kw_only=True):
    """The membership of a box in the fleet."""

    id: str
    fingerprint: str
    fleet: str
    role: str
    state: str
    """`waiting` for approval, or `approved`."""
    created: bool = False
    """`init` has just created the fleet."""


class Member(Struct, frozen=True, kw_only=True):
    """A box as the hubs know it."""

    id: str
    name: str
    role: str
    fingerprint: str
    state: str
    """`waiting` or `approved`."""


class Removed(Struct, frozen=True, kw_only=True):
    """A removed box, and the certificates that it had."""

    id: str
    rotated: tuple[str, ...]
    """Certificates that have a new key now."""
    failed: tuple[str, ...]
    """Certificates whose renewal failed; the next run tries again."""


class Received(Struct, frozen=True, kw_only=True):
    """The result of one check of a device."""

    state: str
    """`waiting`: this box is not approved yet; `approved`."""
    deployed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    staged: tuple[str, ...] = ()
    failed: tuple[tuple[str, CertdeckError], ...] = ()
    requested: tuple[str, ...] = ()
    """Certificates for which a CSR was created."""
    revision: int = 0
    """etcd's revision that this result is based on."""


class BoxCertificate(Struct, frozen=True, kw_only=True):
    """A certificate on one device."""

    name: str
    version: int
    """The version that the device serves; 0: none yet."""
    wanted: int
    """The newest published version."""
    state: str
    """`deployed`, `behind`, `failed`, `none`."""
    why: str = ""
    """The reason, for any state except `deployed`."""
    sha256: str = ""
    at: datetime | None = None
    """When the device reported this, by its own clock."""


class BoxStatus(Struct, frozen=True, kw_only=True):
    """One box of the fleet, as the hubs know it."""

    id: str
    name: str
    role: str
    fingerprint: str
    state: str
    """`waiting` for approval, or `approved`."""
    seen: datetime | None = None
    """When the device last checked for changes, by its own clock."""
    release: str = ""
    certificates: tuple[BoxCertificate, ...] = ()

    def is_away(self, now: datetime) -> bool:
        """Return whether an approved box has not been seen for too long; False if it was never seen."""
        return self.state == "approved" and self.seen is not None and now - self.seen > AWAY_AFTER


class FleetCertificate(Struct, frozen=True, kw_only=True):
    """One certificate of the fleet, and the state of each device that gets it."""

    name: str
    domains: tuple[str, ...]
    policy: str
    version: int
    all_or_none: bool
    not_after: datetime | None
    renew_at: datetime | None
    sha256: str
    not_before: datetime | None = None
    """Of the newest certificate."""
    last_error: Mapping[str, object] | None = None
    revoked: str = ""
    """Who reports the revocation, since when and why: the end of a sentence. Empty: it is not revoked."""

    @property
    def trouble(self) -> str:
        """What is wrong with it, in a sentence; empty: nothing."""
        return f"It is revoked: {self.revoked}." if self.revoked else str((self.last_error or {}).get("what", ""))

    def is_ending(self, now: datetime) -> bool:
        """Return whether it expires within a week."""
        return self.not_after is not None and self.not_after - now < ENDS_SOON

    def is_settled(self, now: datetime) -> bool:
        """Return whether every device has had enough time to install the newest version."""
        return self.not_before is not None and now - self.not_before > SETTLED_AFTER


class EtcdMember(Struct, frozen=True, kw_only=True):
    """One member of the etcd cluster."""

    endpoint: str
    state: str
    """`ok`, or the problem."""


class FleetStatus(Struct, frozen=True, kw_only=True):
    """The result of `fleet status`."""

    id: str
    name: str
    role: str
    """Role of this box."""
    box: str
    leader: str | None
    """Name of the leading hub; None: there is no leader at present."""
    leader_id: str | None
    leading_since: datetime | None
    members: tuple[EtcdMember, ...]
    boxes: tuple[BoxStatus, ...] = ()
    """On a device: only itself."""
    certificates: tuple[FleetCertificate, ...] = ()

    @property
    def behind(self) -> tuple[tuple[BoxStatus, BoxCertificate], ...]:
        """Return the certificates that are not deployed, each with its box."""
        return tuple((box, one) for box in self.boxes for one in box.certificates if one.state != "deployed")
