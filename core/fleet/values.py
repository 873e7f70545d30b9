"""The entries in etcd, as values. They are JSON with a format number: the entry of a later release is refused, never misread."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from msgspec import Struct, field
from msgspec.structs import asdict

from core.concealed import Concealed
from core.errors import StoreTooNew
from core.fleet_errors import FleetForged, FleetTooNew
from core.store.records import from_json, to_json
from core.version import VERSION

T = TypeVar("T", bound=Struct)

MASTER, HYBRID, DEVICE = "master", "hybrid", "device"
POLICIES = (MASTER, HYBRID, DEVICE)
"""Weakest first."""
WAITING, APPROVED, REMOVING = "waiting", "approved", "removing"
HUB_ROLES = ("hub", "both")
DEVICE_ROLES = ("device", "both")


class FleetRecord(Struct, frozen=True, kw_only=True):
    """`certdeck/fleet`."""

    id: str
    name: str
    created: datetime
    verifying: str
    """Public key of the hubs' signatures, base64."""


class Leader(Struct, frozen=True, kw_only=True):
    """`certdeck/leader`."""

    box: str
    name: str
    since: datetime


class JoinRequest(Struct, frozen=True, kw_only=True):
    """`certdeck/join/ID`. Written by the box that asks to join: untrusted data."""

    id: str
    name: str
    role: str
    public: str
    """Base64."""
    asked: datetime
    release: str = VERSION


class Box(Struct, frozen=True, kw_only=True):
    """`certdeck/boxes/ID`: an approved box."""

    id: str
    name: str
    role: str
    public: str
    approved: datetime
    username: str = ""
    """Its etcd user. Empty if etcd does not require a login."""
    is_removing: bool = False
    """Its removal has begun: it counts neither as hub nor as device, and this entry is deleted last."""

    @property
    def is_hub(self) -> bool:
        return self.role in HUB_ROLES and not self.is_removing

    @property
    def is_device(self) -> bool:
        return self.role in DEVICE_ROLES and not self.is_removing


class Welcome(Concealed, Struct, frozen=True, kw_only=True):
    """Content of `certdeck/welcome/ID`, sealed to the box."""

    fleet: str
    verifying: str
    role: str
    username: str = ""
    password: str = ""
    master: str = ""
    """The keys that the hubs share, base64. Empty for a device."""


DEPLOY, STAGE, BACK = "deploy", "stage", "back"
"""Phase of a version on the devices: serve it; store it ready to serve; serve the previous version again."""


class Certificate(Struct, frozen=True, kw_only=True):
    """`certdeck/shared/certificates/NAME`: a certificate of the fleet, across all its renewals."""

    name: str
    spec: Mapping[str, object]
    """Its settings, as returned by `lineages.spec_of`."""
    policy: str = MASTER
    boxes: tuple[str, ...] = ()
    """Ids of the devices that receive it. Empty: all."""
    all_or_none: bool = False
    phase: str = DEPLOY
    version: int = 0
    """Number of the newest published version. 0: none yet."""
    made: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Facts of each published certificate, by the id of its device, or `*` for one that all devices share."""
    rotate: bool = False
    """A new version was requested, or a box that had the key was removed: the next run renews the certificate."""
    weakened: bool = False
    """An administrator allowed a weaker policy than the previous one."""
    failures: int = 0
    next_attempt: datetime | None = None
    last_error: Mapping[str, object] | None = None


class Delivery(Struct, frozen=True, kw_only=True):
    """A certificate for a device to serve. Stored with a signature at `certdeck/devices/ID/certs/NAME`."""

    name: str
    version: int
    created: datetime
    fullchain: str
    """PEM."""
    sealed: str = ""
    """The private key, sealed to the device, base64. Empty if the device created the key."""
    policy: str = MASTER
    weakened: bool = False
    targets: tuple[str, ...] = ()
    ca: str = ""
    directory: str = ""
    phase: str = DEPLOY


class Wanted(Struct, frozen=True, kw_only=True):
    """A signing request for a device to create. Stored with a signature at `certdeck/devices/ID/wanted/NAME`."""

    name: str
    version: int
    names: tuple[str, ...]
    key_type: str
    common_name: bool = False


class Request(Struct, frozen=True, kw_only=True):
    """`certdeck/reports/ID/requests/NAME`: the signing request that a device created."""

    name: str
    version: int
    csr: str
    """DER, base64."""


class Told(Struct, frozen=True, kw_only=True):
    """`certdeck/reports/ID/certs/NAME`: a device's report about a certificate."""

    name: str
    version: int
    state: str
    """`deployed`, `staged`, `failed`."""
    at: datetime
    sha256: str = ""
    error: Mapping[str, object] | None = None


class Seen(Struct, frozen=True, kw_only=True):
    """`certdeck/reports/ID/seen`: the last time that a device read its entries, by its own clock."""

    at: datetime
    release: str = VERSION


class SharedOrder(Concealed, Struct, frozen=True, kw_only=True):
    """An open order, sealed under the master key."""

    record: str
    """`OrderRecord` as JSON."""
    key: str = ""
    """Private key, PEM. Empty: not created yet, or a device has it."""


class SharedAccount(Concealed, Struct, frozen=True, kw_only=True):
    """An account at a CA, sealed under the master key."""

    record: str
    """`AccountRecord` as JSON."""
    key: str
    """PEM."""


class Signed(Struct, frozen=True, kw_only=True):
    """Text written by a hub, with its signature in base64."""

    text: str
    signature: str


def encoded(value: Struct) -> bytes:
    """Return a value as JSON."""
    return to_json(value)


def decoded(kind: type[T], text: bytes, place: str) -> T:
    """Parse the entry at `place`.

    Raises FleetTooNew (`fleet-too-new`) for an entry of a later release, FleetForged (`fleet-forged`) for invalid content.
    """
    try:
        return from_json(kind, text, place)
    except StoreTooNew as exc:
        raise FleetTooNew(
            "A hub of this fleet runs a newer release of certdeck.",
            f"{place} has a format that certdeck {VERSION} does not support.",
            "Update certdeck on this box. Certificates in service are not affected.",
        ) from exc
    except ValueError as exc:
        raise FleetForged(
            "An entry of the fleet in etcd cannot be read.",
            f"{place} does not contain what certdeck writes there ({exc}).",
            "Another program wrote it. Check who can write to etcd. A hub rewrites the entry with: certdeck fleet sync",
        ) from exc


def b64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def unb64(text: str) -> bytes:
    """Decode base64. Raises ValueError for other text."""
    return b64decode(text.encode("ascii"), validate=True)


def plain(value: Struct) -> dict[str, object]:
    return asdict(value)
