"""The fleet as values: who leads, which boxes there are, what each serves, who is behind and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from core.errors import CertdeckError


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


class FleetCertificate(Struct, frozen=True, kw_only=True):
    name: str
    domains: tuple[str, ...]
    policy: str
    version: int
    all_or_none: bool
    not_after: datetime | None
    renew_at: datetime | None
    sha256: str
    last_error: Mapping[str, object] | None = None


class EtcdMember(Struct, frozen=True, kw_only=True):
    endpoint: str
    state: str
    """`ok`, or why not."""


class FleetStatus(Struct, frozen=True, kw_only=True):
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
