"""The fleet as values: who leads, which boxes there are, what each serves, who is behind and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from core.errors import CertdeckError

AWAY_AFTER = timedelta(hours=36)
"""A box looks at least twice a day; clocks may differ by hours."""
SETTLED_AFTER = timedelta(hours=6)
"""After its `not_before`, which CAs date back by an hour: by then every device that can should serve a certificate."""
ENDS_SOON = timedelta(days=7)


class Joined(Struct, frozen=True, kw_only=True):
    """What a box is in the fleet."""

    id: str
    fingerprint: str
    fleet: str
    role: str
    state: str
    """`waiting` for somebody to approve it, or `approved`."""
    created: bool = False
    """`init` has made the fleet just now."""


class Member(Struct, frozen=True, kw_only=True):
    """A box as the hubs know it."""

    id: str
    name: str
    role: str
    fingerprint: str
    state: str
    """`waiting` or `approved`."""


class Removed(Struct, frozen=True, kw_only=True):
    """A box that was removed, and the certificates that it had."""

    id: str
    rotated: tuple[str, ...]
    """With a new key by now."""
    failed: tuple[str, ...]
    """Whose renewal failed; the next run tries again."""


class Received(Struct, frozen=True, kw_only=True):
    """What one look of a device has done."""

    state: str
    """`waiting`: nobody has approved this box yet; `approved`."""
    deployed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    staged: tuple[str, ...] = ()
    failed: tuple[tuple[str, CertdeckError], ...] = ()
    requested: tuple[str, ...] = ()
    """Certificates for which a signing request was made."""
    revision: int = 0
    """Of etcd, as of which this is."""


class BoxCertificate(Struct, frozen=True, kw_only=True):
    """A certificate on one device."""

    name: str
    version: int
    """That the device serves; 0: none yet."""
    wanted: int
    """The newest that is published."""
    state: str
    """`deployed`, `behind`, `failed`, `none`."""
    why: str = ""
    """In words, for anything but `deployed`."""
    sha256: str = ""
    at: datetime | None = None
    """When the device said so, by its clock."""


class BoxStatus(Struct, frozen=True, kw_only=True):
    """One box of the fleet, as the hubs know it."""

    id: str
    name: str
    role: str
    fingerprint: str
    state: str
    """`waiting` for somebody to approve it, or `approved`."""
    seen: datetime | None = None
    """The last time that the device looked, by its own clock."""
    release: str = ""
    certificates: tuple[BoxCertificate, ...] = ()

    def is_away(self, now: datetime) -> bool:
        """Tell whether a box that has been seen has not been for too long."""
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
    """Who says that it is revoked, since when and why: the end of a sentence. Empty: nobody does."""

    @property
    def trouble(self) -> str:
        """What is wrong with it, in a sentence; empty: nothing."""
        return f"It is revoked: {self.revoked}." if self.revoked else str((self.last_error or {}).get("what", ""))

    def is_ending(self, now: datetime) -> bool:
        """Tell whether it ends within a week."""
        return self.not_after is not None and self.not_after - now < ENDS_SOON

    def is_settled(self, now: datetime) -> bool:
        """Tell whether every device has had the time to take the newest version."""
        return self.not_before is not None and now - self.not_before > SETTLED_AFTER


class EtcdMember(Struct, frozen=True, kw_only=True):
    """One member of the etcd cluster."""

    endpoint: str
    state: str
    """`ok`, or why not."""


class FleetStatus(Struct, frozen=True, kw_only=True):
    """What `fleet status` shows."""

    id: str
    name: str
    role: str
    """Of this box."""
    box: str
    leader: str | None
    """Name of the hub that leads; None: nobody does at present."""
    leader_id: str | None
    leading_since: datetime | None
    members: tuple[EtcdMember, ...]
    boxes: tuple[BoxStatus, ...] = ()
    """Of a device: itself alone."""
    certificates: tuple[FleetCertificate, ...] = ()

    @property
    def behind(self) -> tuple[tuple[BoxStatus, BoxCertificate], ...]:
        """Return what is not as it should be."""
        return tuple((box, one) for box in self.boxes for one in box.certificates if one.state != "deployed")
